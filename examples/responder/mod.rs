//! The other side of the request examples: a responder for HTTP/1.0 in this very process, so that they need no network.

use std::net::SocketAddr;
use std::time::Duration;

use parklet::io::{self, BufReader, prelude::*};
use parklet::net::{TcpListener, TcpStream};
use parklet::stream::StreamExt;
use parklet::task;

/// The longest line of a request that is taken.
const MAX_LINE_LENGTH: usize = 8 * 1024;

/// Starts a responder that thinks about each request for as long as `delay`, and returns where it listens.
pub(crate) async fn start(delay: Duration) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    task::spawn(async move {
        let mut incoming = listener.incoming();
        while let Some(Ok(client)) = incoming.next().await {
            task::spawn(async move {
                if let Err(error) = respond(client, delay).await {
                    eprintln!("responder: {error}");
                }
            })
            .detach();
        }
    })
    .detach();
    Ok(address)
}

/// Answers one request with a page that names the path, and closes the connection.
async fn respond(mut client: TcpStream, delay: Duration) -> io::Result<()> {
    let mut lines = BufReader::new(client.clone()).lines_bounded(MAX_LINE_LENGTH);
    let mut request = None;
    while let Some(line) = lines.next().await.transpose()? {
        if line.is_empty() {
            break;
        }
        request.get_or_insert(line);
    }
    let request = request.unwrap_or_default();
    task::sleep(delay).await;

    let mut words = request.split(' ');
    let (status, page) = match (words.next(), words.next()) {
        (Some("GET"), Some(path)) => ("200 OK", format!("<p>You asked for {path}.</p>\n")),
        _ => (
            "400 Bad Request",
            "<p>You asked for nothing.</p>\n".to_string(),
        ),
    };
    let head = format!(
        "HTTP/1.0 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n",
        page.len()
    );
    client.write_all((head + &page).as_bytes()).await
}
