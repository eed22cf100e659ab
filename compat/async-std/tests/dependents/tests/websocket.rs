//! async-tungstenite: WebSocket, from the handshake to the parting.

use async_std::net::TcpListener;
use async_std::task;
use async_tungstenite::tungstenite::Message;
use async_tungstenite::{accept_async, async_std::connect_async};
use futures_util::StreamExt;

/// Sends every message back, to as many as come.
async fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    task::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            task::spawn(async move {
                let mut socket = accept_async(stream).await.unwrap();
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_text() || message.is_binary() {
                        socket.send(message).await.unwrap();
                    }
                }
            });
        }
    });
    format!("ws://{address}")
}

#[async_std::test]
async fn messages_of_all_sizes_come_back_in_order() {
    let (mut socket, _) = connect_async(echo_server().await).await.unwrap();
    for size in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        let message = Message::text("x".repeat(size));
        socket.send(message.clone()).await.unwrap();
        assert!(socket.next().await.unwrap().unwrap() == message, "{size}");
    }
    socket.close(None).await.unwrap();
    assert!(socket.next().await.unwrap().unwrap().is_close());
}

#[async_std::test]
async fn many_sockets_talk_at_once() {
    let address = echo_server().await;
    let talking = (0..50).map(|number| {
        let address = address.clone();
        task::spawn(async move {
            let (mut socket, _) = connect_async(address).await.unwrap();
            for round in 0..10 {
                let message = Message::text(format!("{number} {round}"));
                socket.send(message.clone()).await.unwrap();
                assert_eq!(socket.next().await.unwrap().unwrap(), message);
            }
        })
    });
    for task in talking.collect::<Vec<_>>() {
        task.await;
    }
}
