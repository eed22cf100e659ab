//! quinn: QUIC. Its sockets and timers are async-io's, so two reactors are at work in this program, and its tasks are ours.

use async_std::task;
use quinn::{ClientConfig, Endpoint, ServerConfig};
use rustls_23::RootCertStore;
use rustls_23::pki_types::PrivatePkcs8KeyDer;
use std::net::SocketAddr;
use std::sync::Arc;

/// A server that sends every stream back, and a client that trusts it.
fn endpoints() -> (SocketAddr, Endpoint) {
    let key = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let certificate = key.cert.der().clone();
    let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()).into();
    let config = ServerConfig::with_single_cert(vec![certificate.clone()], private).unwrap();
    let server = Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.local_addr().unwrap();
    task::spawn(async move {
        while let Some(incoming) = server.accept().await {
            task::spawn(async move {
                let connection = incoming.await.unwrap();
                while let Ok((mut send, mut receive)) = connection.accept_bi().await {
                    let message = receive.read_to_end(1 << 20).await.unwrap();
                    send.write_all(&message).await.unwrap();
                    send.finish().unwrap();
                }
            });
        }
    });

    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    client
        .set_default_client_config(ClientConfig::with_root_certificates(Arc::new(roots)).unwrap());
    (address, client)
}

#[async_std::test]
async fn streams_of_one_connection_are_echoed_side_by_side() {
    let (address, client) = endpoints();
    let connection = client.connect(address, "localhost").unwrap().await.unwrap();
    let echoes = (0..20_u8).map(|number| {
        let connection = connection.clone();
        task::spawn(async move {
            let message = vec![number; 50_000];
            let (mut send, mut receive) = connection.open_bi().await.unwrap();
            send.write_all(&message).await.unwrap();
            send.finish().unwrap();
            assert!(receive.read_to_end(1 << 20).await.unwrap() == message);
        })
    });
    for echo in echoes.collect::<Vec<_>>() {
        echo.await;
    }
    connection.close(0_u8.into(), b"done");
    client.wait_idle().await;
}
