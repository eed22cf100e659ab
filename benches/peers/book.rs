//! The book's server: a task per connection, a task per membership; each sends what it has to its client's socket, which
//! they share behind an async mutex.
//!
//! It was written for async-std; its broadcast channel is tokio's, which needs no tokio runtime. Unlike the book's it sets
//! `TCP_NODELAY`: without that a lone message can wait for 40 ms.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::sync::{Arc, Mutex as SyncMutex};

use async_std::io::BufReader;
use async_std::net::{TcpListener, TcpStream};
use async_std::prelude::*;
use async_std::sync::Mutex;
use async_std::{io, task};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use parklet::chat::FromClient;

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
                // An error is that the client went without a word, as the bench's do.
                let _ = serve_client(stream, &groups).await;
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
