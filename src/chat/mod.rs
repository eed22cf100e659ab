//! The demo: a chat server and its client, in the words of *Programming Rust*, chapter 20.
//!
//! ```text
//!  client ── lines ──► Inbound ──► connection ── join ──► GroupTable ──► Group: a ring of 1000 frames
//!    ▲                              (one task)   post ──►                  │ wakes its members
//!    └──────────────── Outbound ◄────────────────────── Membership ◄───────┘
//! ```
//!
//! Each file is one of these words: [`protocol`] is what goes over the wire, `connection` serves one client,
//! `inbound` and `outbound` are the halves that read from it and write to it, `group`, `group_table` and `membership`
//! are who hears whom, [`server`] accepts, `metrics` counts and `stop` ends, and [`client`] is the terminal side.
//!
//! A chat of one process, server and client over a loopback socket:
//!
//! ```
//! use parklet::chat::{FromClient, FromServer, receive_as_json, send_as_json, server};
//! use parklet::io::BufReader;
//! use parklet::net::{TcpListener, TcpStream};
//! use parklet::stream::StreamExt;
//! use parklet::task;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! task::block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     task::spawn(server::run(listener, std::future::pending::<()>())).detach();
//!
//!     let mut socket = TcpStream::connect(address).await?;
//!     let mut replies = receive_as_json::<_, FromServer>(BufReader::new(socket.clone()));
//!     for line in ["{\"Join\":{\"group_name\":\"g\"}}", "{\"Post\":{\"group_name\":\"g\",\"message\":\"hi\"}}"] {
//!         let request: FromClient = serde_json::from_str(line)?;
//!         send_as_json(&mut socket, &request).await?;
//!     }
//!     let reply = serde_json::to_string(&replies.next().await.unwrap()?)?;
//!     assert_eq!(reply, "{\"Message\":{\"group_name\":\"g\",\"message\":\"hi\"}}");
//!     # Ok(())
//! })
//! # }
//! ```

mod accept;
pub mod client;
mod connection;
mod group;
mod group_table;
mod inbound;
mod membership;
mod metrics;
mod outbound;
pub mod protocol;
pub mod server;
mod stop;

pub use protocol::{
    ChatError, ChatResult, FromClient, FromServer, JsonLines, receive_as_json, send_as_json,
};
