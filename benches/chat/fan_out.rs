//! As many messages as the server can take.
//!
//! To each group as many are posted as are in two batches, and the next batch when every member has got the older of
//! them. So there is always something to do, and nobody falls so far behind that anything is dropped.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::clients::{Clients, join_all};
use crate::arena::run::Run;
use crate::arena::server::ServerProcess;

/// Clients that keep their groups under load.
struct Load {
    clients: Clients,
    /// Messages of a batch.
    batch: u64,
    /// Of each group: how many messages everybody is to get before there are more, and how many members still have to.
    waited_for: Vec<(u64, usize)>,
    members: usize,
}

impl Load {
    fn start(server: &ServerProcess, groups: Range<usize>, members: usize, batch: u64) -> Load {
        let period = 4 * batch as usize;
        let mut clients = Clients::connect(server.address, groups, members, period);
        let groups = clients.groups.len();
        for group in 0..groups {
            clients.post(group, batch);
            clients.post(group, batch);
        }
        Load {
            clients,
            batch,
            waited_for: vec![(batch, members); groups],
            members,
        }
    }

    /// Goes on for so long, and returns how many messages were delivered.
    fn go_on(&mut self, time: Duration) -> u64 {
        let (begin, before) = (Instant::now(), self.clients.deliveries());
        while begin.elapsed() < time {
            self.turn();
        }
        self.clients.deliveries() - before
    }

    fn turn(&mut self) {
        let waited_for = &mut self.waited_for;
        let mut ready = Vec::new();
        self.clients.read(None, |group, before, now| {
            let (wanted, missing) = &mut waited_for[group];
            if before < *wanted && now >= *wanted {
                *missing -= 1;
                if *missing == 0 {
                    ready.push(group);
                }
            }
        });
        for group in ready {
            self.clients.post(group, self.batch);
            let wanted = self.waited_for[group].0 + self.batch;
            // Some may have got all of the next batch already, but not everybody.
            let missing = self.clients.members_below(group, wanted);
            self.waited_for[group] = (wanted, missing);
            if missing == 0 {
                // Everybody has: it can be forgotten.
                self.clients.post(group, self.batch);
                self.waited_for[group] = (wanted + self.batch, self.members);
            }
        }
    }

    /// Waits until all that was posted has been delivered.
    fn finish(&mut self) {
        let groups = self.clients.groups.len();
        let is_behind = |clients: &Clients, group: usize| {
            clients.members_below(group, clients.groups[group].posted) > 0
        };
        while (0..groups).any(|group| is_behind(&self.clients, group)) {
            self.clients.read(None, |_, _, _| {});
        }
    }
}

/// Reports deliveries in a second, and what one costs the server.
fn saturate(run: Run, groups: usize, members: usize, batch: u64) {
    let mut server = ServerProcess::start(run, "chat");
    let mut load = Load::start(&server, 0..groups, members, batch);
    let time = Duration::from_millis(run.pick(5, 400, 3_000));
    load.go_on(time / 4);
    let (before, begin) = (server.usage().cpu, Instant::now());
    let deliveries = load.go_on(time) as f64;
    let time = begin.elapsed();
    let cpu = server.usage().cpu - before;
    run.report("rate", deliveries / time.as_secs_f64());
    run.report("cpu", cpu.as_nanos() as f64 / deliveries);
    load.finish();
}

/// One group of 100.
pub(crate) fn one_group(run: Run) {
    saturate(run, 1, 100, 100);
}

/// 100 groups of 10.
pub(crate) fn many_groups(run: Run) {
    saturate(run, run.pick(10, 100, 100), 10, 100);
}

/// One group of 100, and so few posts that each message is sent alone.
pub(crate) fn one_by_one(run: Run) {
    saturate(run, 1, 100, 1);
}

/// Reports by how much a group delivers less to its members if one more of them never reads.
pub(crate) fn slow_member(run: Run) {
    let server = ServerProcess::start(run, "chat");
    // Both groups on one server, in turn, and each begins as often: so it hits both when the machine is slow.
    let mut without = Load::start(&server, 0..1, 100, 100);
    let never_reads = join_all(server.address, [1]);
    let mut with = Load::start(&server, 1..2, 100, 100);
    let slice = Duration::from_millis(run.pick(2, 20, 50));
    let turns = run.pick(1, 24, 60);
    let mut rates = [Vec::new(), Vec::new()];
    for turn in 0..=turns {
        let both = [&mut without, &mut with];
        for place in [turn % 2, 1 - turn % 2] {
            let begin = Instant::now();
            let deliveries = both[place].go_on(slice) as f64;
            // The first turn only fills what there is between the server and the one that never reads.
            if turn > 0 {
                rates[place].push(deliveries / begin.elapsed().as_secs_f64());
            }
        }
    }
    let [without, with] = rates.map(|mut rates| {
        rates.sort_by(f64::total_cmp);
        rates[rates.len() / 2]
    });
    run.report("loss", (100.0 * (1.0 - with / without)).max(0.0));
    drop(never_reads);
}
