//! One request over HTTP, by hand: connect, write, read to the end. The responder is a task of the same program.
//!
//! ```text
//! $ cargo run --example cheapo_request
//! HTTP/1.0 200 OK
//! Content-Type: text/html
//! Content-Length: 33
//!
//! <p>You asked for /rust.html.</p>
//! ```
//!
//! Each `await` below is a place where this task may have to wait for the other side; meanwhile its thread runs whatever
//! else there is to run, here the responder.

mod responder;

use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use parklet::io::{self, ReadExt, WriteExt};
use parklet::net::TcpStream;
use parklet::task;

fn main() -> io::Result<()> {
    let reply = task::block_on(async {
        let server = responder::start(Duration::ZERO).await?;
        cheapo_request(server, "/rust.html").await
    })?;
    print!("{reply}");
    Ok(())
}

/// Asks `server` for the page at `path` and returns all that it answers.
async fn cheapo_request(server: SocketAddr, path: &str) -> io::Result<String> {
    let mut socket = TcpStream::connect(server).await?;

    let request = format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    socket.shutdown(Shutdown::Write)?;

    let mut reply = String::new();
    socket.read_to_string(&mut reply).await?;
    Ok(reply)
}
