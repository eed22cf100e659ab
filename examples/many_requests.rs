//! The same list of requests made three times: one after the other, all together on this thread, all together on the
//! workers.
//!
//! ```text
//! $ cargo run --example many_requests
//! one after the other: 10 replies in 1004 ms
//! with spawn_local:    10 replies in 101 ms
//! with spawn:          10 replies in 101 ms
//! ```
//!
//! The server takes 100 ms over each reply. Waiting for one while another is awaited is what makes the difference, not
//! the number of threads: `spawn_local` has only one. A task of `spawn` may run on any worker, so everything in it has to
//! be `Send`; a task of either outlives the place where it was spawned, so it takes its path with it.

mod responder;

use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use parklet::io::{self, ReadExt, WriteExt};
use parklet::net::TcpStream;
use parklet::task;

/// How long the server takes over a reply.
const DELAY: Duration = Duration::from_millis(100);

fn main() -> io::Result<()> {
    task::block_on(async {
        let server = responder::start(DELAY).await?;
        let paths: Vec<String> = (0..10).map(|page| format!("/pages/{page}.html")).collect();

        let start = Instant::now();
        let mut replies = Vec::new();
        for path in &paths {
            replies.push(request(server, path.clone()).await?);
        }
        report("one after the other:", &replies, start);

        let start = Instant::now();
        let mut handles = Vec::new();
        for path in &paths {
            handles.push(task::spawn_local(request(server, path.clone())));
        }
        let mut replies = Vec::new();
        for handle in handles {
            replies.push(handle.await?);
        }
        report("with spawn_local:", &replies, start);

        let start = Instant::now();
        let mut handles = Vec::new();
        for path in &paths {
            handles.push(task::spawn(request(server, path.clone())));
        }
        let mut replies = Vec::new();
        for handle in handles {
            replies.push(handle.await?);
        }
        report("with spawn:", &replies, start);
        Ok(())
    })
}

/// Says how long `replies` took; they are counted only if each is what was asked for.
fn report(how: &str, replies: &[String], start: Instant) {
    let time = start.elapsed().as_millis();
    let good = replies.iter().enumerate();
    let good = good.filter(|(page, reply)| reply.contains(&format!("/pages/{page}.html")));
    println!("{how:<20} {} replies in {time} ms", good.count());
}

/// Asks `server` for the page at `path` and returns all that it answers.
async fn request(server: SocketAddr, path: String) -> io::Result<String> {
    let mut socket = TcpStream::connect(server).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n\r\n");
    socket.write_all(request.as_bytes()).await?;
    socket.shutdown(Shutdown::Write)?;

    let mut reply = String::new();
    socket.read_to_string(&mut reply).await?;
    Ok(reply)
}
