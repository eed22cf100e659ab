//! A plain port to tokio: a task per connection, a task per membership, one broadcast channel a group.
//!
//! What a good user would see to: a message is serialised once, for all members; a membership writes all that waits for it
//! into a buffer before it flushes; `TCP_NODELAY` is set; who goes leaves its groups at once, and the last one takes the
//! group along.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex as SyncMutex, mpsc};

use parklet::chat::{FromClient, FromServer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::task::JoinHandle;

use super::WORKERS;

/// A line as it goes over the wire.
type Line = Arc<[u8]>;

/// Groups by name, while they have members.
type Groups = SyncMutex<HashMap<String, Sender<Line>>>;

/// A client's socket, for whoever has something to send.
type Outbound = Mutex<BufWriter<OwnedWriteHalf>>;

pub(crate) fn serve(announce: mpsc::Sender<SocketAddr>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        announce.send(listener.local_addr().unwrap()).unwrap();
        // A task of the workers, so that whoever accepts a client also serves it.
        tokio::spawn(accept_all(listener)).await.unwrap();
    });
}

async fn accept_all(listener: TcpListener) {
    let groups = Arc::new(Groups::default());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let groups = groups.clone();
        tokio::spawn(async move {
            let mut memberships = Memberships {
                tasks: HashMap::new(),
                groups,
            };
            // An error is that the client went without a word, as the bench's do.
            let _ = serve_client(stream, &mut memberships).await;
            memberships.leave_all().await;
        });
    }
}

/// One client's groups, each with the task that passes on what is posted.
struct Memberships {
    tasks: HashMap<String, JoinHandle<()>>,
    groups: Arc<Groups>,
}

impl Memberships {
    fn join(&mut self, group_name: String, outbound: &Arc<Outbound>) {
        if self.tasks.contains_key(&group_name) {
            return;
        }
        let posts = {
            let mut groups = self.groups.lock().unwrap();
            match groups.get(&group_name) {
                Some(group) => group.subscribe(),
                None => {
                    let (group, posts) = broadcast::channel(1000);
                    groups.insert(group_name.clone(), group);
                    posts
                }
            }
        };
        let task = tokio::spawn(pass_on(group_name.clone(), posts, outbound.clone()));
        self.tasks.insert(group_name, task);
    }

    async fn leave_all(self) {
        for (group_name, task) in self.tasks {
            task.abort();
            // Its receiver has gone when it has.
            let _ = task.await;
            let mut groups = self.groups.lock().unwrap();
            if groups
                .get(&group_name)
                .is_some_and(|group| group.receiver_count() == 0)
            {
                groups.remove(&group_name);
            }
        }
    }
}

async fn serve_client(stream: TcpStream, memberships: &mut Memberships) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let outbound = Arc::new(Outbound::new(BufWriter::new(writer)));
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            FromClient::Join { group_name } => memberships.join(group_name, &outbound),
            FromClient::Post {
                group_name,
                message,
            } => {
                let group = memberships.groups.lock().unwrap().get(&group_name).cloned();
                if let Some(group) = group {
                    let message = FromServer::Message {
                        group_name,
                        message,
                    };
                    // An error means that nobody is in the group any more.
                    let _ = group.send(line_of(&message));
                } else {
                    let error = format!("Group '{group_name}' does not exist");
                    let mut outbound = outbound.lock().await;
                    outbound
                        .write_all(&line_of(&FromServer::Error(error)))
                        .await?;
                    outbound.flush().await?;
                }
            }
        }
    }
    Ok(())
}

/// One membership: what is posted goes to the client, until it is gone.
async fn pass_on(group_name: String, mut posts: Receiver<Line>, outbound: Arc<Outbound>) {
    loop {
        let mut next = posts.recv().await;
        let mut outbound = outbound.lock().await;
        loop {
            let line = match next {
                Ok(line) => line,
                Err(RecvError::Lagged(lost)) => {
                    let text = format!("Dropped {lost} messages from {group_name}.");
                    line_of(&FromServer::Error(text))
                }
                Err(RecvError::Closed) => return,
            };
            if outbound.write_all(&line).await.is_err() {
                return;
            }
            next = match posts.try_recv() {
                Ok(line) => Ok(line),
                Err(TryRecvError::Lagged(lost)) => Err(RecvError::Lagged(lost)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
                Err(TryRecvError::Empty) => break,
            };
        }
        if outbound.flush().await.is_err() {
            return;
        }
    }
}

fn line_of(reply: &FromServer) -> Line {
    let mut line = serde_json::to_vec(reply).unwrap();
    line.push(b'\n');
    line.into()
}
