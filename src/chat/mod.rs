//! The demo: a chat server and its client, in the words of *Programming Rust*, chapter 20.
//!
//! ```text
//!  client ── lines ──► Inbound ──► Talk ── join ──► GroupTable ──► Group: a ring of 1000 lines
//!    ▲                               │     post ──►                  │ wakes its members
//!    │                               └─ direct ──► ClientTable       │
//!    └──────────────── Outbound ◄────────────── Membership ◄─────────┘
//! ```
//!
//! Each file is one of these words. [`protocol`] is what goes over the wire, and [`extended`] what clients are told that
//! ask for more. `connection` serves one client in one task: `inbound` and `outbound` are the halves that read from it
//! and write to it, `talk` does what it asks. `group`, `group_table` and `membership` are who hears whom, `client_table`
//! who is there; `limits` says how much of everything. `users` is whom the server knows, and `login` how they prove it.
//! [`server`] accepts, `metrics` counts and `stop` ends. On the other side, [`client`] is what a pipe needs, and
//! [`session`] what a client with a name remembers.
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
mod alarm;
pub mod client;
mod client_table;
mod connection;
mod errand;
pub mod extended;
mod group;
mod group_table;
pub mod history;
mod inbound;
mod limits;
mod listing;
mod login;
mod login_throttle;
mod membership;
mod metrics;
mod names;
mod outbound;
mod private;
pub mod protocol;
mod refusal;
mod secret;
pub mod server;
pub mod session;
mod stop;
mod talk;
mod throttle;
mod users;

pub use limits::{LagPolicy, Limits};
pub use names::clean as clean_name;
pub use protocol::{
    ChatError, ChatResult, FromClient, FromServer, JsonLines, receive_as_json, send_as_json,
};
pub use secret::Secret;
pub use users::{Access, Users};
