//! One connection that carries much: the server writes, and the client counts.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// Bytes of one write of the server.
const CHUNK: usize = 64 * 1024;

/// What the server writes, again and again.
pub(crate) fn chunk() -> Vec<u8> {
    (0..CHUNK).map(|index| (index % 251) as u8).collect()
}

/// Asks for so many chunks, and checks what comes.
fn fetch(stream: &mut TcpStream, chunks: u64) {
    stream.write_all(&chunks.to_le_bytes()).unwrap();
    let expected = chunk();
    let mut received = vec![0; CHUNK];
    for _ in 0..chunks {
        stream.read_exact(&mut received).unwrap();
        assert!(received == expected, "other bytes than were sent");
    }
}

/// Reports what a gibibyte costs the server.
pub(super) fn receive(run: Run) {
    let mut server = ServerProcess::start(run, "stream");
    let mut stream = TcpStream::connect(server.address).unwrap();
    fetch(&mut stream, 64);
    let chunks = run.pick(64, 2_048, 16_384);
    let before = server.usage().cpu;
    fetch(&mut stream, chunks);
    let cpu = server.usage().cpu - before;
    let gibibytes = (chunks as usize * CHUNK) as f64 / (1 << 30) as f64;
    run.report("cpu", cpu.as_nanos() as f64 / gibibytes);
}
