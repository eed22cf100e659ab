//! async-std-resolver: DNS over UDP, against a name server of a page.

use async_std::net::UdpSocket;
use async_std::task;
use async_std_resolver::config::{NameServerConfig, Protocol, ResolverConfig, ResolverOpts};
use async_std_resolver::resolver;
use std::net::{IpAddr, SocketAddr};

/// Answers every question for an IPv4 address that begins with `known` with 192.0.2.7, and all others with "no such name".
async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    task::spawn(async move {
        let mut room = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut room).await {
            socket
                .send_to(&answer(&room[..length]), from)
                .await
                .unwrap();
        }
    });
    address
}

/// The answer to a question with one name.
fn answer(question: &[u8]) -> Vec<u8> {
    const HEADER: usize = 12;
    let name = question[HEADER..]
        .iter()
        .position(|&byte| byte == 0)
        .unwrap()
        + 1;
    // The name is followed by two bytes each for type and class.
    let asked = &question[HEADER..HEADER + name + 4];
    let is_known = asked.starts_with(b"\x05known") && asked[name..] == [0, 1, 0, 1];
    let (code, count) = if is_known { (0x80, 1) } else { (0x83, 0) };
    let mut answer = [
        &question[..2],
        &[0x81, code, 0, 1, 0, count, 0, 0, 0, 0],
        asked,
    ]
    .concat();
    if is_known {
        // The name asked for, an IPv4 address, for a minute, in four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
    }
    answer
}

#[async_std::test]
async fn a_name_becomes_an_address_or_an_error() {
    let server = NameServerConfig::new(name_server().await, Protocol::Udp);
    let mut config = ResolverConfig::new();
    config.add_name_server(server);
    let resolver = resolver(config, ResolverOpts::default()).await;

    let found = resolver.ipv4_lookup("known.example.").await.unwrap();
    let addresses: Vec<IpAddr> = found.iter().map(|record| record.0.into()).collect();
    assert_eq!(addresses, [IpAddr::from([192, 0, 2, 7])]);
    assert!(resolver.ipv4_lookup("nobody.example.").await.is_err());

    let asking = (0..20).map(|number| {
        let resolver = resolver.clone();
        task::spawn(async move {
            resolver
                .ipv4_lookup(format!("known.{number}.example."))
                .await
        })
    });
    for lookup in asking.collect::<Vec<_>>() {
        assert!(lookup.await.is_ok());
    }
}
