//! The server's side of TLS: its certificate, which can be replaced while it runs, and clients that come in encrypted.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use futures_rustls::TlsAcceptor;
use futures_rustls::pki_types::pem::PemObject;
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer};
use futures_rustls::rustls::ServerConfig;
use futures_rustls::rustls::crypto::ring;
use parklet::chat::server::Accept;
use parklet::io;

use crate::clients::Clients;
use crate::tls_stream::Encrypted;
use crate::traffic::Counted;

/// The files with the certificate chain and its key, and what they held when they were last read.
pub(crate) struct Certificate {
    chain_file: String,
    key_file: String,
    /// What the next client is shown.
    current: Mutex<TlsAcceptor>,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    ///
    /// Which of them is no good, and why.
    pub(crate) fn load(chain_file: &str, key_file: &str) -> Result<Self, String> {
        Ok(Self {
            chain_file: chain_file.to_owned(),
            key_file: key_file.to_owned(),
            current: Mutex::new(acceptor(chain_file, key_file)?),
        })
    }

    /// Reads both files again. Clients who are there keep what they have; on an error the next ones do, too.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let fresh = acceptor(&self.chain_file, &self.key_file)?;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn current(&self) -> TlsAcceptor {
        let current = self.current.lock();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What shows the certificate in these files to clients.
fn acceptor(chain_file: &str, key_file: &str) -> Result<TlsAcceptor, String> {
    let problem = |what: &str, file: &str, error: &dyn Display| {
        format!("cannot use the {what} in {file}: {error}")
    };
    let chain = CertificateDer::pem_file_iter(chain_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| problem("certificate", chain_file, &error))?;
    let key =
        PrivateKeyDer::from_pem_file(key_file).map_err(|error| problem("key", key_file, &error))?;
    let unusable = |error| problem("certificate", chain_file, &error);
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    Ok(Arc::new(config).into())
}

/// Clients that speak TLS.
pub(crate) struct EncryptedClients {
    pub(crate) clients: Clients,
    pub(crate) certificate: Arc<Certificate>,
}

impl Accept for EncryptedClients {
    type Stream = Counted<Encrypted>;

    async fn accept(&self) -> io::Result<(Self::Stream, String)> {
        let (socket, peer) = self.clients.next().await?;
        let handshake = self.certificate.current().accept(socket.clone());
        let stream = Encrypted::accept(handshake, socket);
        Ok((self.clients.count(stream), peer))
    }
}
