//! Plain sockets, and messages that tell what they should be.

use std::io::{Read, Write};
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::arena::server::ServerProcess;

/// Bytes in a message.
pub(crate) const LENGTH: usize = 64;

/// A message: its number, and then a byte that belongs to it.
pub(crate) fn message(number: u64) -> [u8; LENGTH] {
    let mut message = [number as u8; LENGTH];
    message[..8].copy_from_slice(&number.to_le_bytes());
    message
}

/// Lets this process and the servers it starts have as many descriptors as they may: 1,024 is the usual soft limit.
pub(crate) fn raise_descriptor_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).expect("up to the hard limit is allowed");
}

/// So many connections, each of which has had a reply: so no queue of connections overflows, and each has its task.
pub(crate) fn connect(server: &ServerProcess, connections: usize) -> Vec<TcpStream> {
    (0..connections)
        .map(|number| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.set_nodelay(true).unwrap();
            let message = message(number as u64);
            stream.write_all(&message).unwrap();
            let mut reply = [0; LENGTH];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(reply, message);
            stream
        })
        .collect()
}
