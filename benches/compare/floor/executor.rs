//! The least that polls futures which wake one another, all on one thread: a queue of numbers.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use async_channel::bounded;

use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("ping_pong/new", new_pairs),
    Workload::new("ping_pong/steady", steady_pairs),
];

thread_local! {
    /// The numbers of the futures that are to be polled.
    static READY: RefCell<VecDeque<usize>> = const { RefCell::new(VecDeque::new()) };
}

/// Wakes the future of that number.
struct Number(usize);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        READY.with_borrow_mut(|ready| ready.push_back(self.0));
    }
}

/// Polls the futures until nobody wakes one any more.
fn run_all(mut futures: Vec<Pin<Box<dyn Future<Output = ()> + '_>>>) {
    let wakers: Vec<Waker> = (0..futures.len())
        .map(|number| Arc::new(Number(number)).into())
        .collect();
    wakers.iter().for_each(Waker::wake_by_ref);
    while let Some(number) = READY.with_borrow_mut(VecDeque::pop_front) {
        let _ = futures[number]
            .as_mut()
            .poll(&mut Context::from_waker(&wakers[number]));
    }
}

fn new_pairs(run: Run) {
    ping_pong(run, 1);
}

fn steady_pairs(run: Run) {
    ping_pong(run, 100);
}

/// As the workload of that name, but that all pairs are handed over at once.
fn ping_pong(run: Run, trips: u64) {
    for _ in run.batches(1_000 * trips) {
        let sum = Cell::new(0);
        let mut futures: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
        for _ in 0..1_000 {
            let (balls, receiver) = bounded(1);
            let (sender, back) = bounded(1);
            let sum = &sum;
            futures.push(Box::pin(async move {
                for _ in 0..trips {
                    let ball: u64 = receiver.recv().await.unwrap();
                    sender.send(ball + 1).await.unwrap();
                }
            }));
            futures.push(Box::pin(async move {
                let mut ball = 0;
                for _ in 0..trips {
                    balls.send(ball).await.unwrap();
                    ball = back.recv().await.unwrap();
                }
                sum.set(sum.get() + ball);
            }));
        }
        run_all(futures);
        assert_eq!(sum.get(), 1_000 * trips);
    }
}
