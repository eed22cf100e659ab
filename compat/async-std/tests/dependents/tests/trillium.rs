//! trillium: a web server on a listener that was bound before.

use async_std::io::prelude::*;
use async_std::net::TcpStream;
use trillium::Conn;

#[async_std::test]
async fn a_handler_answers_and_the_server_stops_when_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = trillium_async_std::config()
        .without_signals()
        .with_prebound_server(listener);
    let server = config.spawn(|conn: Conn| async move {
        let path = conn.path().to_owned();
        conn.ok(format!("you asked for {path}"))
    });

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /tea HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.ends_with("you asked for /tea"), "{response}");

    server.stop().await;
}
