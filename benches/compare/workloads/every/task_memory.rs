//! What a task takes that waits to be woken.

use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use super::runtime;
use crate::arena::clock::memory;
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[Workload::new("memory/task", parked)];

/// Bytes of state that a task keeps while it waits.
const STATE: usize = 64;

/// Who waits, to be woken at the end.
static WAKERS: Mutex<Vec<Waker>> = Mutex::new(Vec::new());

/// What the tasks' states add up to, once they are woken.
static SUM: AtomicU64 = AtomicU64::new(0);

/// Waits for one wake-up.
struct Parked {
    waits: bool,
}

impl Future for Parked {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.waits {
            return Poll::Ready(());
        }
        self.waits = true;
        WAKERS.lock().unwrap().push(context.waker().clone());
        Poll::Pending
    }
}

fn parked(run: Run) {
    let tasks = run.pick(1_000, 20_000, 100_000);
    // What is taken once, with the first tasks, is not theirs.
    let first = 1_000;
    // The list is not theirs either: all of it is written to before.
    WAKERS
        .lock()
        .unwrap()
        .resize(first + tasks, Waker::noop().clone());
    WAKERS.lock().unwrap().clear();
    runtime::block_on(async {
        spawn_until(first).await;
        let before = memory();
        spawn_until(first + tasks).await;
        run.report("bytes", (memory() - before) as f64 / tasks as f64);
        let wakers = std::mem::take(&mut *WAKERS.lock().unwrap());
        wakers.into_iter().for_each(Waker::wake);
        while SUM.load(Ordering::Acquire) < ((first + tasks) * STATE) as u64 {
            runtime::yield_now().await;
        }
    });
}

/// Spawns until so many wait; a hundred at a time, so that a queue's length does not count.
async fn spawn_until(tasks: usize) {
    let waiting = || WAKERS.lock().unwrap().len();
    let mut spawned = waiting();
    while spawned < tasks {
        for _ in 0..100 {
            let state = [1_u8; STATE];
            runtime::detach(async move {
                Parked { waits: false }.await;
                let sum: u64 = state.iter().map(|&byte| u64::from(byte)).sum();
                SUM.fetch_add(sum, Ordering::AcqRel);
            });
        }
        spawned += 100;
        while waiting() < spawned {
            runtime::yield_now().await;
        }
    }
}
