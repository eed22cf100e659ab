//! Who takes part: everybody in everything.

use std::net::SocketAddr;
use std::sync::mpsc;

use parklet::chat::server;
use parklet::net::TcpListener;
use parklet::task;

use crate::WORKLOADS;
use crate::arena::contender::{Contender, Role};
use crate::arena::server::Server;
use crate::peers::{book, by_hand, plain_tokio};

/// The server that is judged.
const PARKLET: Contender = Contender {
    name: "parklet",
    role: Role::Judged,
    workers: 2,
    common: &[WORKLOADS],
    special: &[],
    servers: &[Server::new("chat", serve)],
};

/// In the order of the table.
pub(crate) static CONTENDERS: [Contender; 5] = [
    PARKLET,
    Contender {
        name: "parklet-1",
        role: Role::Control,
        workers: 1,
        ..PARKLET
    },
    Contender {
        name: "async-std",
        role: Role::Peer,
        servers: &[Server::new("chat", book::serve)],
        ..PARKLET
    },
    Contender {
        name: "tokio",
        role: Role::Peer,
        servers: &[Server::new("chat", plain_tokio::serve)],
        ..PARKLET
    },
    Contender {
        name: "floor",
        role: Role::Floor,
        servers: &[Server::new("chat", by_hand::serve)],
        ..PARKLET
    },
];

/// parklet's server as `server::run` runs it.
fn serve(announce: mpsc::Sender<SocketAddr>) {
    task::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        announce.send(listener.local_addr().unwrap()).unwrap();
        // A task of the workers, so that whoever accepts a client also serves it.
        let server = server::Builder::new().log(|_| {});
        task::spawn(server.run(listener, std::future::pending::<()>())).await;
    });
}
