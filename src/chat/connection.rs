//! One connection, from its client's first line to its last.
//!
//! [`serve`] reads requests until the client has no more, breaks the rules, or the server stops; then it parts from the
//! client:
//!
//! | why | the client is told | its memberships |
//! |---|---|---|
//! | it sent the end of its requests (or left) | what was posted before, then the end | end when that is written |
//! | the server stops | the same | the same |
//! | a line is too long | an error that names the limit, then the end | end with the connection |
//! | the socket fails | nothing | end at once |

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::accept::ChatStream;
use super::group::Leave;
use super::group_table::GroupTable;
use super::outbound::Outbound;
use super::protocol::{ChatError, ChatResult, FromClient, FromServer, receive_as_json_bounded};
use crate::channel;
use crate::future;
use crate::io::{self, BufRead, BufReadExt, BufReader};
use crate::stream::{Stream, StreamExt};
use crate::task::{self, JoinHandle};

/// How much is read from a client at once. Requests are short, and most clients are silent: a larger buffer would save
/// those few who flood a system call now and then, and cost as much for each of the many.
const INBOUND_BUFFER: usize = 1024;

/// How many requests of one client are done before others get their turn. They may all lie in one buffer, and no read
/// that waits comes between them.
const REQUESTS_PER_TURN: usize = 64;

/// How long parting from a client may take. It bounds what a client can keep busy that does not read what it is sent, or
/// does not stop sending.
const FAREWELL: Duration = Duration::from_secs(2);

/// How much a client may send after it was told the end; then the connection is closed all the same.
const MAX_DRAINED_BYTES: usize = 16 * 1024 * 1024;

/// Tells a connection that the server stops: nothing is ever sent, but `recv` returns once the other end is dropped.
pub(crate) type Stop = channel::Receiver<Infallible>;

/// Serves one client until it leaves or `stop` says so, and closes the connection.
///
/// # Errors
///
/// What ended the connection other than the client's will: the socket failed, or a line was too long. Bad lines and
/// requests that cannot be done are between the client and us.
pub(crate) async fn serve<S: ChatStream>(
    socket: S,
    groups: Arc<GroupTable>,
    max_line_length: usize,
    stop: Stop,
) -> ChatResult<()> {
    let (reader, writer) = socket.split();
    let mut inbound = BufReader::with_capacity(INBOUND_BUFFER, reader);
    let outbound = Arc::new(Outbound::<S>::new(writer));
    let mut memberships = Memberships::new(groups, outbound.clone());

    let requests = receive_as_json_bounded(&mut inbound, max_line_length);
    let stopped = async {
        let _ = stop.recv().await;
        Ok(())
    };
    let end = future::or(stopped, answer(requests, &mut memberships)).await;

    let part = async {
        match &end {
            Ok(()) => memberships.leave().await,
            Err(error @ ChatError::LineTooLong { .. }) => {
                outbound.send(&FromServer::Error(error.to_string())).await?;
            }
            Err(_) => return io::Result::Ok(()),
        }
        outbound.close().await
    };
    // To close while the client's bytes lie unread would throw away what it has not read either: so these are taken,
    // until it has seen the end and closes, too.
    let goodbye = future::join(part, drain(&mut inbound));
    // A client that has no ear for this loses nothing but this.
    let _ = future::timeout(FAREWELL, goodbye).await;
    end
}

/// Does what the requests ask, to the last one.
async fn answer<S: ChatStream>(
    mut requests: impl Stream<Item = ChatResult<FromClient>> + Unpin,
    memberships: &mut Memberships<S>,
) -> ChatResult<()> {
    let mut turn = 0;
    while let Some(request) = requests.next().await {
        let done = match request {
            Ok(FromClient::Join { group_name }) => {
                memberships.join(group_name);
                Ok(())
            }
            Ok(FromClient::Post {
                group_name,
                message,
            }) => memberships.groups.post(&group_name, message),
            Err(error @ ChatError::BadLine { .. }) => Err(error.to_string()),
            Err(error) => return Err(error),
        };
        if let Err(text) = done {
            memberships.outbound.send(&FromServer::Error(text)).await?;
        }
        turn += 1;
        if turn == REQUESTS_PER_TURN {
            turn = 0;
            task::yield_now().await;
        }
    }
    Ok(())
}

/// Reads what comes and throws it away.
async fn drain<R: BufRead + Unpin>(inbound: &mut R) {
    let mut drained = 0;
    while drained < MAX_DRAINED_BYTES {
        let length = match inbound.fill_buf().await {
            Ok([]) | Err(_) => return,
            Ok(bytes) => bytes.len(),
        };
        inbound.consume(length);
        drained += length;
    }
}

/// The groups one client has joined. Dropping it ends the memberships there and then.
struct Memberships<S: ChatStream> {
    groups: Arc<GroupTable>,
    outbound: Arc<Outbound<S>>,
    /// One task for each group, by the group's name.
    tasks: HashMap<String, Membership>,
    /// Dropped to make the tasks leave.
    leaving: Option<channel::Sender<Infallible>>,
    /// What the tasks listen to.
    leave: Leave,
}

impl<S: ChatStream> Memberships<S> {
    fn new(groups: Arc<GroupTable>, outbound: Arc<Outbound<S>>) -> Self {
        let (leaving, leave) = channel::bounded(1);
        Self {
            groups,
            outbound,
            tasks: HashMap::new(),
            leaving: Some(leaving),
            leave,
        }
    }

    /// Joins a group. Who is a member already stays one, and gets every message once.
    fn join(&mut self, group_name: String) {
        if let Entry::Vacant(entry) = self.tasks.entry(group_name) {
            let mut member = self.groups.join(entry.key());
            let outbound = self.outbound.clone();
            let leave = self.leave.clone();
            let task = task::spawn(async move {
                // Where this fails the reading side of the connection fails, too, and says so.
                let _ = member.forward(&outbound, leave).await;
            });
            entry.insert(Membership(task));
        }
    }

    /// Leaves all groups, after what was posted so far has been written.
    async fn leave(&mut self) {
        self.leaving = None;
        for Membership(task) in self.tasks.values_mut() {
            task.await;
        }
    }
}

/// One membership.
struct Membership(JoinHandle<()>);

impl Drop for Membership {
    fn drop(&mut self) {
        self.0.abort();
    }
}
