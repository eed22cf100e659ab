//! tide, a web framework; surf, a web client over http-client, with TLS by async-tls; async-sse: server-sent events.

use async_std::io::BufReader;
use async_std::io::prelude::*;
use async_std::net::{TcpListener, TcpStream};
use async_std::prelude::*;
use async_std::task;
use rustls::{Certificate, ClientConfig, NoClientAuth, PrivateKey, ServerConfig};
use std::sync::Arc;
use std::time::Duration;
use tide::listener::Listener as _;

/// Serves an app on a free port, and gives its address.
async fn serve(app: tide::Server<()>) -> String {
    let mut listener = tide::listener::ToListener::to_listener("127.0.0.1:0").unwrap();
    tide::listener::Listener::bind(&mut listener, app)
        .await
        .unwrap();
    let address = listener.info()[0].connection().to_string();
    task::spawn(async move { listener.accept().await });
    address
}

#[async_std::test]
async fn a_web_server_answers_a_web_client() {
    let mut app = tide::new();
    app.at("/hello/:name")
        .get(|request: tide::Request<()>| async move {
            Ok(format!("hello, {}", request.param("name")?))
        });
    app.at("/echo")
        .post(|mut request: tide::Request<()>| async move { request.body_string().await });
    let address = serve(app).await;

    let greeting = surf::get(format!("{address}/hello/parklet"))
        .recv_string()
        .await
        .unwrap();
    assert_eq!(greeting, "hello, parklet");
    // More than any buffer on the way has room for.
    let long = "x".repeat(1 << 20);
    let echo = surf::post(format!("{address}/echo"))
        .body(long.clone())
        .recv_string()
        .await
        .unwrap();
    assert!(echo == long);
    let missing = surf::get(format!("{address}/nobody")).await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[async_std::test]
async fn many_clients_are_served_at_once() {
    let mut app = tide::new();
    app.at("/:number")
        .get(|request: tide::Request<()>| async move {
            task::sleep(Duration::from_millis(5)).await;
            Ok(request.param("number")?.to_owned())
        });
    let address = serve(app).await;
    let client = surf::client();
    let asked = (0..64).map(|number| {
        let request = client.get(format!("{address}/{number}"));
        task::spawn(async move { request.recv_string().await.unwrap() })
    });
    for (number, answer) in asked.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(answer.await, number.to_string());
    }
}

#[async_std::test]
async fn a_file_is_served_and_a_missing_one_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("page.html"), "<p>hello").unwrap();
    let mut app = tide::new();
    app.at("/files").serve_dir(directory.path()).unwrap();
    let address = serve(app).await;

    let page = surf::get(format!("{address}/files/page.html"))
        .recv_string()
        .await
        .unwrap();
    assert_eq!(page, "<p>hello");
    assert_eq!(
        surf::get(format!("{address}/files/none"))
            .await
            .unwrap()
            .status(),
        404
    );
}

#[async_std::test]
async fn events_reach_the_client_one_by_one() {
    let mut app = tide::new();
    app.at("/events").get(|_| async {
        let (sender, encoder) = async_sse::encode();
        task::spawn(async move {
            for number in 0..3 {
                sender
                    .send("count", &number.to_string(), None)
                    .await
                    .unwrap();
            }
        });
        let body = tide::Body::from_reader(BufReader::new(encoder), None);
        Ok(tide::Response::builder(200)
            .body(body)
            .content_type("text/event-stream")
            .build())
    });
    let address = serve(app).await;

    let response = surf::get(format!("{address}/events")).await.unwrap();
    let mut events = async_sse::decode(BufReader::new(response));
    for number in 0..3 {
        let async_sse::Event::Message(message) = events.next().await.unwrap().unwrap() else {
            panic!("it is a message");
        };
        assert_eq!(
            (message.name().as_str(), message.data()),
            ("count", number.to_string().as_bytes())
        );
    }
}

#[async_std::test]
async fn the_client_speaks_tls_and_trusts_only_whom_it_is_told_to() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let certificate = Certificate(key.cert.der().to_vec());
    let mut config = ServerConfig::new(NoClientAuth::new());
    let private = PrivateKey(key.signing_key.serialize_der());
    config
        .set_single_cert(vec![certificate.clone()], private)
        .unwrap();
    let acceptor = async_tls::TlsAcceptor::from(Arc::new(config));

    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    task::spawn(async move {
        let mut incoming = listener.incoming();
        while let Some(stream) = incoming.next().await {
            let acceptor = acceptor.clone();
            task::spawn(async move { answer(acceptor, stream.unwrap()).await });
        }
    });

    let url = format!("https://localhost:{port}/");
    assert!(
        surf::get(&url).await.is_err(),
        "nobody vouches for the certificate"
    );

    let mut trusting = ClientConfig::new();
    trusting.root_store.add(&certificate).unwrap();
    let config = surf::Config::new().set_tls_config(Some(Arc::new(trusting)));
    let client: surf::Client = config.try_into().unwrap();
    assert_eq!(client.get(&url).recv_string().await.unwrap(), "in private");
}

/// Answers one request over TLS.
async fn answer(acceptor: async_tls::TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        request.push(byte[0]);
    }
    let response = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nin private";
    stream.write_all(response.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}
