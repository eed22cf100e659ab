//! What all clients share, and a run from its first connection to its last.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use parklet::channel;
use parklet::io;
use parklet::net::ToSocketAddrs;
use parklet::task::{self, JoinHandle};

use crate::arguments::{Plan, Rate};
use crate::client::{Client, Seen, Sender, sleep_until};
use crate::latency::Latency;
use crate::lines;
use crate::numbers::{grouped, readable};
use crate::own_server::{self, OwnServer, Usage};
use crate::progress::Progress;

/// How many clients connect at once: enough to keep a server busy, and less than a short backlog.
const CONNECT_AT_ONCE: usize = 64;

/// How long the last messages may take, and the server to forget who has gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is looked whether that is over.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How often the bar moves.
const SHOW_AGAIN: Duration = Duration::from_millis(500);

/// With no rate set, how many messages of a group are under way at most: half of what a server keeps for slow members,
/// unless it was told otherwise, so that those who read lose none.
const UNDER_WAY: usize = 500;

/// So many problems are told; of the others only the number.
const TOLD: usize = 10;

/// A group, and how many messages were posted to it.
pub(crate) struct Group {
    pub(crate) name: String,
    /// What its messages begin with.
    pub(crate) head: Vec<u8>,
    pub(crate) posts: AtomicU64,
}

/// What all clients share.
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) address: SocketAddr,
    pub(crate) groups: Vec<Group>,
    pub(crate) latency: Latency,
    pub(crate) deliveries: AtomicU64,
    pub(crate) dropped: AtomicU64,
    /// When the posting began.
    start: OnceLock<Instant>,
    /// What is wrong: the first few, and how many.
    wrong: Mutex<(Vec<String>, usize)>,
}

/// What was counted so far.
#[derive(Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) posts: u64,
    pub(crate) deliveries: u64,
    pub(crate) dropped: u64,
}

impl Shared {
    fn new(plan: Plan, address: SocketAddr) -> Self {
        // Names of this run alone: a server may still know those of another.
        let run = std::process::id();
        let groups = (0..plan.groups).map(|number| {
            let name = format!("load-{run}-{number}");
            Group {
                head: lines::head(&name),
                name,
                posts: AtomicU64::new(0),
            }
        });
        Self {
            groups: groups.collect(),
            plan,
            address,
            latency: Latency::new(),
            deliveries: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            start: OnceLock::new(),
            wrong: Mutex::default(),
        }
    }

    /// When the posting began, or now if it has not.
    pub(crate) fn start(&self) -> Instant {
        self.start.get().copied().unwrap_or_else(Instant::now)
    }

    /// Nanoseconds since then.
    pub(crate) fn now(&self) -> u64 {
        self.start().elapsed().as_nanos() as u64
    }

    pub(crate) fn counts(&self) -> Counts {
        let posts = self
            .groups
            .iter()
            .map(|group| group.posts.load(Ordering::Relaxed));
        Counts {
            posts: posts.sum(),
            deliveries: self.deliveries.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    /// Notes that something is not as it should be.
    pub(crate) fn wrong(&self, what: String) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.1 += 1;
        if wrong.0.len() < TOLD {
            wrong.0.push(what);
        }
    }

    fn all_wrong(&self) -> Vec<String> {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines = wrong.0.clone();
        if wrong.1 > TOLD {
            lines.push(format!("and {} more", wrong.1 - TOLD));
        }
        lines
    }
}

/// Does what is planned, prints what was measured, and returns what was wrong.
///
/// # Errors
///
/// There was no load: the server could not be reached or took too few clients.
pub(crate) fn run(plan: Plan) -> io::Result<Vec<String>> {
    own_server::raise_descriptor_limit();
    let mut own = match plan.address {
        None => Some(OwnServer::start()?),
        Some(_) => None,
    };
    let address = own.as_ref().map(|server| server.address.clone());
    let address = address.or_else(|| plan.address.clone()).unwrap_or_default();
    // A task of the pool, so that its clients are, too.
    task::block_on(task::spawn(async move {
        let resolved = address.as_str().to_socket_addrs().await?.next();
        let address = resolved.ok_or_else(|| io::Error::other("no address"))?;
        let shared = Arc::new(Shared::new(plan, address));
        load(&shared, own.as_mut()).await?;
        Ok(shared.all_wrong())
    }))
}

async fn load(shared: &Arc<Shared>, mut own: Option<&mut OwnServer>) -> io::Result<()> {
    let mut usage = || own.as_mut().map(|own| own.usage()).transpose();
    let plan = &shared.plan;
    let mut progress = Progress::new();
    progress.say("connecting ...");
    let empty = usage()?;
    let begin = Instant::now();
    let clients = connect_all(shared).await?;
    let connected = begin.elapsed();
    let idle = usage()?;

    let members: Vec<(usize, Arc<Seen>)> = clients
        .iter()
        .map(|client| (client.group, client.seen.clone()))
        .collect();
    let _ = shared.start.set(Instant::now());
    let (cpu_before, (finish, finished)) = (own_server::cpu_time(), channel::bounded(1));
    let (readers, senders) = start_clients(shared, clients, &finished);
    let churn = (plan.churn > 0.0).then(|| task::spawn(come_and_go(shared.clone())));
    while shared.start().elapsed() < plan.duration {
        task::sleep(SHOW_AGAIN.min(plan.duration.saturating_sub(shared.start().elapsed()))).await;
        progress.show(shared, shared.start().elapsed(), plan.duration);
    }
    // The load is what was delivered in this time; what comes later is only checked.
    let elapsed = shared.start().elapsed();
    let (counts, busy) = (shared.counts(), usage()?);
    let cpu = own_server::cpu_time() - cpu_before;
    progress.say("waiting for the last messages ...");
    for (_, seen) in &members {
        // Who waits for its messages to come back looks at the time once more.
        seen.window.add_permits(1);
    }
    for sender in senders {
        if let Err(error) = sender.await {
            shared.wrong(format!("cannot post: {error}"));
        }
    }
    let cycles = match churn {
        Some(churn) => churn.await,
        None => 0,
    };
    drop(finish);
    wait_for_the_last(shared, &members).await;
    for reader in readers {
        reader.cancel().await;
    }
    progress.say("");

    report(shared, elapsed, counts, connected);
    if let (Some(empty), Some(idle), Some(busy)) = (empty, idle, busy) {
        report_server(shared, [empty, idle, busy], counts, cpu);
        let left = wait_until_all_are_gone(&mut usage, &empty).await?;
        check_server(shared, &left, &empty, cycles);
    }
    if plan.churn > 0.0 {
        println!(
            "{} clients came, posted, received and went",
            grouped(cycles)
        );
    }
    if let Some(file) = &plan.svg {
        let title = format!(
            "{} deliveries, {} clients in {} groups",
            grouped(shared.counts().deliveries),
            plan.clients,
            plan.groups
        );
        std::fs::write(file, shared.latency.svg(&title)).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot write {}: {error}", file.display()),
            )
        })?;
        println!("drawn in {}", file.display());
    }
    Ok(())
}

/// All clients, each in its group.
async fn connect_all(shared: &Arc<Shared>) -> io::Result<Vec<Client>> {
    let total = shared.plan.clients;
    let mut clients = Vec::with_capacity(total);
    let mut under_way: VecDeque<JoinHandle<io::Result<Client>>> = VecDeque::new();
    for number in 0..total {
        if under_way.len() == CONNECT_AT_ONCE
            && let Some(client) = under_way.pop_front()
        {
            clients.push(client.await?);
        }
        let (shared, group) = (shared.clone(), number % shared.plan.groups);
        under_way.push_back(task::spawn(async move {
            let client = Client::connect(&shared, number as u64, group).await;
            client.map_err(|error| {
                let text = format!("client {number} of {total} cannot connect: {error}");
                io::Error::new(error.kind(), text)
            })
        }));
    }
    for client in under_way {
        clients.push(client.await?);
    }
    Ok(clients)
}

type Readers = Vec<JoinHandle<()>>;
type Senders = Vec<JoinHandle<io::Result<()>>>;

/// Lets all clients read, the slow ones when `finished` is closed, and those who are not slow post.
fn start_clients(
    shared: &Arc<Shared>,
    clients: Vec<Client>,
    finished: &channel::Receiver<Infallible>,
) -> (Readers, Senders) {
    let plan = &shared.plan;
    // The first of a group are its senders, as many as its window has room for.
    let in_group = |group: usize| (plan.clients - 1 - group) / plan.groups + 1;
    let is_sender = |client: &Client| {
        let place = client.number as usize / plan.groups;
        !client.is_slow && (plan.rate != Rate::Max || place < UNDER_WAY)
    };
    let total = clients.iter().filter(|client| is_sender(client)).count();
    let (mut readers, mut senders) = (Vec::new(), Vec::new());
    for client in clients {
        if is_sender(&client) {
            let window = (UNDER_WAY / in_group(client.group)).max(1);
            client.seen.window.add_permits(window);
            let sender = Sender {
                number: client.number,
                group: client.group,
                stream: client.stream.clone(),
                seen: client.seen.clone(),
                place: senders.len(),
                senders: total,
            };
            senders.push(task::spawn(sender.post_all(shared.clone())));
        }
        let (shared, finished) = (shared.clone(), finished.clone());
        readers.push(task::spawn(async move {
            if client.is_slow {
                let _ = finished.recv().await;
            }
            client.read_all(shared).await;
        }));
    }
    (readers, senders)
}

/// Clients that come, join, post, receive and go, as many in a second as planned. Returns how many did.
async fn come_and_go(shared: Arc<Shared>) -> u64 {
    let plan = &shared.plan;
    let mut under_way = Vec::new();
    for number in 0.. {
        let due = Duration::try_from_secs_f64(number as f64 / plan.churn).unwrap_or(Duration::MAX);
        if due >= plan.duration {
            break;
        }
        sleep_until(&shared, due).await;
        let shared = shared.clone();
        under_way.push(task::spawn(async move {
            let (group, number) = (number % shared.plan.groups, shared.plan.clients + number);
            let visit = Client::come_and_go(&shared, number as u64, group);
            let result = io::timeout(PATIENCE, visit).await;
            if let Err(error) = &result {
                shared.wrong(format!("client {number}, who comes and goes: {error}"));
            }
            u64::from(result.is_ok())
        }));
    }
    let mut cycles = 0;
    for client in under_way {
        cycles += client.await;
    }
    cycles
}

/// Waits until every member has accounted for every message of its group; who does not in time is told.
async fn wait_for_the_last(shared: &Shared, members: &[(usize, Arc<Seen>)]) {
    let total = |group: usize| shared.groups[group].posts.load(Ordering::Relaxed);
    let is_missing = |(group, seen): &&(usize, Arc<Seen>)| {
        !seen.has_ended.load(Ordering::Acquire)
            && seen.total.load(Ordering::Acquire) < total(*group)
    };
    let until = Instant::now() + PATIENCE;
    // Where something is wrong already, the last message may never come.
    let is_wrong = || !shared.all_wrong().is_empty();
    while members.iter().any(|member| is_missing(&member)) && !is_wrong() && Instant::now() < until
    {
        task::sleep(LOOK_AGAIN).await;
    }
    for (number, (group, seen)) in members.iter().enumerate() {
        let (found, posts) = (seen.total.load(Ordering::Acquire), total(*group));
        if found != posts && !seen.has_ended.load(Ordering::Acquire) {
            shared.wrong(format!(
                "client {number} got or was told of {found} messages, of {posts}"
            ));
        }
    }
}

/// Waits until the server has as many descriptors as in the beginning, and no groups.
async fn wait_until_all_are_gone(
    usage: &mut impl FnMut() -> io::Result<Option<Usage>>,
    empty: &Usage,
) -> io::Result<Usage> {
    let until = Instant::now() + PATIENCE;
    loop {
        let now = usage()?.expect("it is our own");
        let is_over = now.descriptors <= empty.descriptors && now.groups == 0;
        if is_over || Instant::now() >= until {
            return Ok(now);
        }
        task::sleep(LOOK_AGAIN).await;
    }
}

fn report(shared: &Shared, elapsed: Duration, counts: Counts, connected: Duration) {
    let plan = &shared.plan;
    let seconds = elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    println!(
        "{} clients in {} groups for {seconds:.1} s: {} posts, {} deliveries ({} a second)",
        grouped(plan.clients as u64),
        grouped(plan.groups as u64),
        grouped(counts.posts),
        grouped(counts.deliveries),
        grouped((counts.deliveries as f64 / seconds) as u64),
    );
    let all = shared.counts();
    println!(
        "with those that came later, and all clients: {} posts, {} deliveries, {} dropped",
        grouped(all.posts),
        grouped(all.deliveries),
        grouped(all.dropped),
    );
    let within = |part| readable(shared.latency.percentile(part));
    println!(
        "latency of a delivery: half within {}, 90 % {}, 99 % {}, 99.9 % {}, all {}",
        within(0.5),
        within(0.9),
        within(0.99),
        within(0.999),
        within(1.0)
    );
    println!(
        "all connected and in their groups after {}",
        readable(connected)
    );
}

fn report_server(shared: &Shared, [empty, idle, busy]: [Usage; 3], counts: Counts, load: Duration) {
    let cpu = busy.cpu - idle.cpu;
    let each = cpu.as_nanos() as f64 / counts.deliveries.max(1) as f64;
    println!(
        "CPU of the server {}, {} for a delivery; of the load {}",
        readable(cpu),
        readable(Duration::from_nanos(each as u64)),
        readable(load)
    );
    println!(
        "memory of the server: {} KiB without clients, {} bytes more for each that is idle, {} KiB at the end",
        grouped(empty.memory / 1024),
        grouped(idle.memory.saturating_sub(empty.memory) / shared.plan.clients as u64),
        grouped(busy.memory / 1024)
    );
}

/// Whether the server has counted what the clients have, and forgotten them.
fn check_server(shared: &Shared, left: &Usage, empty: &Usage, cycles: u64) {
    let counts = shared.counts();
    let check = |what: &str, server: u64, load: u64, is_right: bool| {
        if !is_right {
            shared.wrong(format!(
                "the server counts {server} {what}, the load {load}"
            ));
        }
    };
    let Usage {
        posts,
        deliveries,
        dropped,
        ..
    } = *left;
    // Who goes may leave behind what was sent to it.
    let agrees = |server: u64, load: u64| server == load || cycles > 0 && server > load;
    check("posts", posts, counts.posts, posts == counts.posts);
    check(
        "deliveries",
        deliveries,
        counts.deliveries,
        agrees(deliveries, counts.deliveries),
    );
    check(
        "dropped messages",
        dropped,
        counts.dropped,
        agrees(dropped, counts.dropped),
    );
    if left.groups > 0 || left.descriptors > empty.descriptors {
        shared.wrong(format!(
            "all have gone, and the server still has {} groups and {} more descriptors than before",
            left.groups,
            left.descriptors.saturating_sub(empty.descriptors)
        ));
    }
    println!(
        "memory of the server when all have gone: {} KiB",
        grouped(left.memory / 1024)
    );
}
