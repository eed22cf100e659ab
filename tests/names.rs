//! From names to addresses, off the workers.

mod own_process;

use futures_lite::future::poll_once;
use own_process::{again, finish};
use parklet::io::ErrorKind;
use parklet::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, TcpListener, TcpStream,
    ToSocketAddrs, ToSocketAddrsFuture,
};
use parklet::task::block_on;
use std::error::Error as _;
use std::fs;
use std::vec;

/// What a lookup gives at its first poll, as a list.
async fn at_once(addresses: impl ToSocketAddrs) -> Vec<SocketAddr> {
    let found = poll_once(addresses.to_socket_addrs()).await;
    found.expect("no lookup is needed").unwrap().collect()
}

/// A name that the resolver refuses without asking anybody: a label may have 63 letters.
fn impossible_name() -> String {
    format!("{}.invalid:80", "a".repeat(70))
}

#[test]
fn addresses_need_no_lookup_and_no_thread() {
    if let Some(mut test) = again("addresses_need_no_lookup_and_no_thread") {
        finish(test.spawn().unwrap());
        return;
    }
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    block_on(async {
        let v4: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let v6: SocketAddr = "[::1]:80".parse().unwrap();
        let (ip4, ip6) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);

        assert_eq!(at_once("127.0.0.1:80").await, [v4]);
        assert_eq!(at_once("[::1]:80").await, [v6]);
        assert_eq!(at_once(String::from("127.0.0.1:80")).await, [v4]);
        assert_eq!(at_once(&&String::from("[::1]:80")).await, [v6]);
        assert_eq!(at_once(("127.0.0.1", 80)).await, [v4]);
        assert_eq!(at_once(("::1", 80)).await, [v6]);
        assert_eq!(at_once((String::from("::1"), 80)).await, [v6]);
        assert_eq!(at_once((IpAddr::V4(ip4), 80)).await, [v4]);
        assert_eq!(at_once((ip4, 80)).await, [v4]);
        assert_eq!(at_once((ip6, 80)).await, [v6]);
        assert_eq!(at_once(v4).await, [v4]);
        assert_eq!(at_once(SocketAddrV4::new(ip4, 80)).await, [v4]);
        assert_eq!(at_once(SocketAddrV6::new(ip6, 80, 0, 0)).await, [v6]);
        assert_eq!(at_once(&[v4, v6][..]).await, [v4, v6]);
        assert_eq!(at_once(&[][..]).await, []);
    });
    assert_eq!(threads(), before);
}

#[test]
fn a_name_is_looked_up_on_a_thread_of_the_blocking_pool() {
    if let Some(mut test) = again("a_name_is_looked_up_on_a_thread_of_the_blocking_pool") {
        finish(test.spawn().unwrap());
        return;
    }
    let pool_threads = || {
        let threads = fs::read_dir("/proc/self/task").unwrap();
        let names = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")));
        names
            .filter(|name| name.as_ref().is_ok_and(|name| name.contains("block")))
            .count()
    };
    assert_eq!(pool_threads(), 0);
    block_on(async { "localhost:80".to_socket_addrs().await.unwrap() });
    assert_eq!(pool_threads(), 1);
}

#[test]
fn names_are_found() {
    block_on(async {
        for lookup in [
            "localhost:80".to_socket_addrs(),
            ("localhost", 80).to_socket_addrs(),
            (String::from("localhost"), 80).to_socket_addrs(),
        ] {
            let found: Vec<_> = lookup.await.unwrap().collect();
            assert!(!found.is_empty());
            for address in found {
                assert!(address.ip().is_loopback());
                assert_eq!(address.port(), 80);
            }
        }
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = TcpStream::connect(("localhost", port)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap().port(), port);
    });
}

#[test]
fn a_name_that_is_not_found_is_named_with_its_cause() {
    block_on(async {
        let name = impossible_name();
        let error = name.to_socket_addrs().await.unwrap_err();
        let start = format!("could not resolve address \"{name}\": ");
        let cause = error.source().expect("the resolver's error is kept");
        assert_eq!(error.to_string(), format!("{start}{cause}"));

        // `connect` and `bind` hand it on as it is.
        let error = TcpStream::connect(&name).await.unwrap_err();
        assert!(error.to_string().starts_with(&start), "{error}");
        let error = TcpListener::bind(&name).await.unwrap_err();
        assert!(error.to_string().starts_with(&start), "{error}");
    });
}

#[test]
fn a_name_cannot_command_the_terminal_that_its_error_is_shown_on() {
    block_on(async {
        for address in ["\x1b[2Jname:80", "\x1b[2Jname"] {
            let error = address.to_socket_addrs().await.unwrap_err().to_string();
            let start = r#"could not resolve address "\u{1b}[2Jname"#;
            assert!(error.starts_with(start), "{error:?}");
            assert!(!error.contains(char::is_control), "{error:?}");
        }
    });
}

#[test]
fn a_missing_or_bad_port_is_said_at_once() {
    block_on(async {
        for (address, problem) in [
            ("localhost", "no port (expected HOST:PORT)"),
            ("", "no port (expected HOST:PORT)"),
            (
                "localhost:",
                "bad port (expected HOST:PORT, PORT from 0 to 65535)",
            ),
            (
                "localhost:http",
                "bad port (expected HOST:PORT, PORT from 0 to 65535)",
            ),
            (
                "localhost:65536",
                "bad port (expected HOST:PORT, PORT from 0 to 65535)",
            ),
        ] {
            let lookup = poll_once(address.to_socket_addrs()).await;
            let error = lookup.expect("nothing is looked up").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            let message = format!("could not resolve address {address:?}: {problem}");
            assert_eq!(error.to_string(), message);
        }
    });
}

#[test]
fn a_lookup_that_is_dropped_midway_harms_nobody() {
    block_on(async {
        for _ in 0..10 {
            drop("localhost:80".to_socket_addrs());
            drop(poll_once("localhost:80".to_socket_addrs()).await);
        }
        assert!("localhost:80".to_socket_addrs().await.is_ok());
    });
}

#[test]
fn the_future_of_a_lookup_is_send_and_unpin() {
    fn check<T: Send + Sync + Unpin>() {}
    check::<ToSocketAddrsFuture<vec::IntoIter<SocketAddr>>>();
}
