//! Messages to a group of a hundred, through a whole chat server: the server's CPU time.
//!
//! parklet's side is `chat::server`. async-std's is `on_async_std`: the server of *Programming Rust*, chapter 20, which
//! was written for async-std, in its shape and with its parts, among them tokio's broadcast channel (which needs no
//! tokio runtime). Both speak the same protocol to the same plain blocking clients, and both set `TCP_NODELAY`, which
//! the book's does not: without it a lone message can wait for 40 ms.
//!
//! `single`: a message is posted when all members have the one before. `burst_of_50`: fifty are posted at a time, so
//! that a server has several to send to one member; the figure is for all fifty.

#[macro_use]
mod side_by_side;
mod server_process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use parklet::chat::{FromClient, FromServer};
use server_process::ServerProcess;
use side_by_side::{SideBySide, Work};

/// parklet's own server.
mod on_parklet {
    use super::{SocketAddr, mpsc};
    use parklet::chat::server;
    use parklet::net::TcpListener;
    use parklet::task;

    pub(crate) fn serve(announce: mpsc::Sender<SocketAddr>) {
        task::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            announce.send(listener.local_addr().unwrap()).unwrap();
            server::run(listener, std::future::pending::<()>()).await;
        });
    }
}

/// The book's server: a task per connection, a task per membership; each sends what it has to its client's socket,
/// which they share behind an async mutex.
mod on_async_std {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex as SyncMutex};

    use async_std::io::BufReader;
    use async_std::net::{TcpListener, TcpStream};
    use async_std::prelude::*;
    use async_std::sync::Mutex;
    use async_std::{io, task};
    use serde::Serialize;
    use tokio::sync::broadcast;
    use tokio::sync::broadcast::error::RecvError;

    use super::{FromClient, SocketAddr, mpsc};

    /// `FromServer`, but borrowing, as the book's shares its strings: nothing is copied to be sent.
    #[derive(Serialize)]
    enum Reply<'a> {
        Message {
            group_name: &'a str,
            message: &'a str,
        },
        Error(String),
    }

    /// A client's socket, for whoever has something to send.
    struct Outbound(Mutex<TcpStream>);

    impl Outbound {
        async fn send(&self, reply: &Reply<'_>) -> io::Result<()> {
            let mut line = serde_json::to_string(reply)?;
            line.push('\n');
            let mut stream = self.0.lock().await;
            stream.write_all(line.as_bytes()).await?;
            stream.flush().await
        }
    }

    /// What is posted goes to all who have subscribed.
    struct Group {
        name: String,
        posts: broadcast::Sender<Arc<str>>,
    }

    /// Groups by name: made by the first who joins.
    type GroupTable = SyncMutex<HashMap<String, Arc<Group>>>;

    pub(crate) fn serve(announce: mpsc::Sender<SocketAddr>) {
        task::block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            announce.send(listener.local_addr().unwrap()).unwrap();
            let groups = Arc::new(GroupTable::default());
            let mut incoming = listener.incoming();
            while let Some(stream) = incoming.next().await {
                let groups = Arc::clone(&groups);
                let stream = stream.unwrap();
                task::spawn(async move {
                    if let Err(error) = serve_client(stream, &groups).await {
                        eprintln!("connection ended: {error}");
                    }
                });
            }
        });
    }

    async fn serve_client(stream: TcpStream, groups: &GroupTable) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let outbound = Arc::new(Outbound(Mutex::new(stream.clone())));
        let mut lines = BufReader::new(stream).lines();
        while let Some(line) = lines.next().await {
            match serde_json::from_str(&line?)? {
                FromClient::Join { group_name } => {
                    let group = find_or_make(groups, group_name);
                    let posts = group.posts.subscribe();
                    task::spawn(send_posts(group, posts, Arc::clone(&outbound)));
                }
                FromClient::Post {
                    group_name,
                    message,
                } => {
                    let group = groups.lock().unwrap().get(&group_name).cloned();
                    if let Some(group) = group {
                        // An error means that nobody is in the group any more.
                        let _ = group.posts.send(message.into());
                    } else {
                        let error = format!("Group '{group_name}' does not exist");
                        outbound.send(&Reply::Error(error)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    fn find_or_make(groups: &GroupTable, name: String) -> Arc<Group> {
        let make = || {
            Arc::new(Group {
                name: name.clone(),
                posts: broadcast::channel(1000).0,
            })
        };
        Arc::clone(
            groups
                .lock()
                .unwrap()
                .entry(name.clone())
                .or_insert_with(make),
        )
    }

    /// One membership: what is posted goes to the client, until it is gone.
    async fn send_posts(
        group: Arc<Group>,
        mut posts: broadcast::Receiver<Arc<str>>,
        outbound: Arc<Outbound>,
    ) {
        loop {
            let post = posts.recv().await;
            let reply = match &post {
                Ok(message) => Reply::Message {
                    group_name: &group.name,
                    message,
                },
                Err(RecvError::Lagged(lost)) => {
                    Reply::Error(format!("Dropped {lost} messages from {}.", group.name))
                }
                Err(RecvError::Closed) => return,
            };
            if outbound.send(&reply).await.is_err() {
                return;
            }
        }
    }
}

/// Members of the group.
const MEMBERS: usize = 100;

/// Between a post and the reading of what members got. A send to a client that waits in `read` also pays for the
/// client's wake-up, which costs as much again; how many of the hundred do would depend on the order in which the server
/// serves them, and that is not what this measures.
const NAP: Duration = Duration::from_millis(1);

/// The group's name.
const GROUP: &str = "benches";

/// Clients of one server: the group's members, and one who posts.
struct Clients {
    server: ServerProcess,
    members: Vec<TcpStream>,
    poster: TcpStream,
}

impl Clients {
    fn connect(server: &str) -> Clients {
        let server = ServerProcess::start(server);
        let join = line(&FromClient::Join {
            group_name: GROUP.to_owned(),
        });
        // The refusal of this one says that the join before it has been done.
        let post_nowhere = line(&FromClient::Post {
            group_name: "nowhere".to_owned(),
            message: String::new(),
        });
        let refusal = FromServer::Error("Group 'nowhere' does not exist".to_owned());
        let connect = || {
            let stream = TcpStream::connect(server.address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream
        };
        let join_group = |_| {
            let mut stream = connect();
            stream.write_all(&join).unwrap();
            stream.write_all(&post_nowhere).unwrap();
            let mut reply = String::new();
            BufReader::new(&stream).read_line(&mut reply).unwrap();
            assert_eq!(serde_json::from_str::<FromServer>(&reply).unwrap(), refusal);
            stream
        };
        let members = (0..MEMBERS).map(join_group).collect();
        let poster = connect();
        Clients {
            server,
            members,
            poster,
        }
    }

    /// Posts so many bursts, each when every member has the one before, and returns the server's CPU time meanwhile.
    fn post(&mut self, bursts: u64, messages: u64) -> Duration {
        let before = self.server.cpu_time();
        for burst in 0..bursts {
            let group_name = || GROUP.to_owned();
            let texts =
                || (0..messages).map(|number| format!("message {number:02} of burst {burst:06}"));
            let posts = texts().map(|message| FromClient::Post {
                group_name: group_name(),
                message,
            });
            let expected = texts().map(|message| FromServer::Message {
                group_name: group_name(),
                message,
            });
            let posts: Vec<u8> = posts.flat_map(|post| line(&post)).collect();
            let expected: Vec<u8> = expected.flat_map(|message| line(&message)).collect();
            self.poster.write_all(&posts).unwrap();
            thread::sleep(NAP);
            let mut received = vec![0; expected.len()];
            for member in &mut self.members {
                member.read_exact(&mut received).unwrap();
                assert!(
                    received == expected,
                    "{}",
                    String::from_utf8_lossy(&received)
                );
            }
        }
        self.server.cpu_time() - before
    }
}

fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap();
    line.push(b'\n');
    line
}

/// Starts server and clients when they are first wanted: with a filter on the command line, maybe never.
fn fan_out(messages: u64, server: &'static str) -> Work<'static> {
    let mut clients = None;
    Box::new(move |bursts| {
        clients
            .get_or_insert_with(|| Clients::connect(server))
            .post(bursts, messages)
    })
}

fn main() {
    server_process::run_if_child(&[
        ("parklet", on_parklet::serve),
        ("async-std", on_async_std::serve),
    ]);
    server_process::raise_descriptor_limit();
    let mut bench = SideBySide::new();
    for (id, messages) in [
        ("chat_fan_out/single_server_cpu/100_members", 1),
        ("chat_fan_out/burst_of_50_server_cpu/100_members", 50),
    ] {
        bench.compare(
            id,
            fan_out(messages, "parklet"),
            fan_out(messages, "async-std"),
        );
    }
    bench.finish();
}
