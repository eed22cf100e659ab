//! zeromq: a message queue, both patterns over TCP.

use async_std::task;
use std::time::Duration;
use zeromq::{
    PubSocket, RepSocket, ReqSocket, Socket, SocketRecv, SocketSend, SubSocket, ZmqMessage,
};

#[async_std::test]
async fn a_request_gets_its_reply() {
    let mut server = RepSocket::new();
    let endpoint = server.bind("tcp://127.0.0.1:0").await.unwrap().to_string();
    task::spawn(async move {
        loop {
            let asked = String::try_from(server.recv().await.unwrap()).unwrap();
            server.send(format!("re: {asked}").into()).await.unwrap();
        }
    });
    let mut client = ReqSocket::new();
    client.connect(&endpoint).await.unwrap();
    for number in 0..100 {
        client
            .send(ZmqMessage::from(number.to_string()))
            .await
            .unwrap();
        let reply = String::try_from(client.recv().await.unwrap()).unwrap();
        assert_eq!(reply, format!("re: {number}"));
    }
}

#[async_std::test]
async fn all_subscribers_get_what_is_published() {
    let mut publisher = PubSocket::new();
    let endpoint = publisher
        .bind("tcp://127.0.0.1:0")
        .await
        .unwrap()
        .to_string();
    let mut subscribers = Vec::new();
    for _ in 0..3 {
        let mut subscriber = SubSocket::new();
        subscriber.connect(&endpoint).await.unwrap();
        subscriber.subscribe("news").await.unwrap();
        subscribers.push(task::spawn(async move { subscriber.recv().await.unwrap() }));
    }
    // What is published before a subscription has arrived is not kept for it.
    let publishing = task::spawn(async move {
        loop {
            publisher.send("news: hello".into()).await.unwrap();
            task::sleep(Duration::from_millis(5)).await;
        }
    });
    for subscriber in subscribers {
        assert_eq!(String::try_from(subscriber.await).unwrap(), "news: hello");
    }
    publishing.cancel().await;
}
