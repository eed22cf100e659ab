//! The client's side of TLS: whom it trusts.

use std::sync::Arc;

use futures_rustls::TlsConnector;
use futures_rustls::pki_types::pem::PemObject;
use futures_rustls::pki_types::{CertificateDer, ServerName};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use parklet::net::TcpStream;

use crate::tls_stream::Encrypted;

/// What makes connections to servers whose certificate one of those in `authorities`, a file in PEM, stands up for.
///
/// # Errors
///
/// Why the file is no good.
pub(crate) fn connector(authorities: &str) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(authorities)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| format!("cannot use the certificates in {authorities}: {error}"))?;
    // The lists that systems have contain some that this cannot read; a single one is enough.
    let (usable, _) = roots.add_parsable_certificates(certificates);
    if usable == 0 {
        return Err(format!(
            "cannot use the certificates in {authorities}: there are none"
        ));
    }
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

/// Makes sure of the server at `address`, which is HOST:PORT: its certificate must be for this host.
pub(crate) async fn encrypt(
    connector: &TlsConnector,
    address: &str,
    socket: TcpStream,
) -> Result<Encrypted, String> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let problem = |error: &dyn std::fmt::Display| format!("cannot talk TLS to {address}: {error}");
    let name = ServerName::try_from(host.to_owned()).map_err(|error| problem(&error))?;
    match connector.connect(name, socket).await {
        Ok(stream) => Ok(Encrypted::talk(stream.into())),
        Err(error) => Err(problem(&error)),
    }
}
