//! A future that is polled on a budget of its own.

use crate::budget;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project! {
    /// The second of two futures in one task, as in [`join`](super::join) and [`or`](super::or).
    ///
    /// What a task may do per poll is limited. If the first future does that much every time it is polled, as a loop
    /// over a busy channel does, nothing would be left for the second, and it would stand still for ever. So the
    /// second has a budget of its own. (tokio's `join!` polls them in turn for the same reason.)
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited or polled"]
    pub struct OwnBudget<F> {
        // The second future.
        #[pin]
        future: F,
    }
}

impl<F> OwnBudget<F> {
    pub(super) fn new(future: F) -> OwnBudget<F> {
        OwnBudget { future }
    }
}

impl<F: Future> Future for OwnBudget<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _budget = budget::refill();
        self.project().future.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use crate::budget;
    use crate::channel;
    use crate::future::{join, or, timeout, try_join};
    use crate::io;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;

    /// Never ready, and takes all the budget there is in every poll.
    async fn greedy<T>() -> T {
        let (sender, receiver) = channel::bounded(1);
        loop {
            sender.send(()).await.unwrap();
            receiver.recv().await.unwrap();
        }
    }

    /// Polls a future as the executor would.
    fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
        let _budget = budget::refill();
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_greedy_future_pends_with_the_budget_spent() {
        let (sender, receiver) = channel::bounded(1);
        sender.try_send(()).unwrap();
        let _budget = budget::refill();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(pin!(greedy::<()>()).poll(cx).is_pending());
        assert!(pin!(receiver.recv()).poll(cx).is_pending());
        assert_eq!(receiver.try_recv(), Ok(()));
    }

    #[test]
    fn a_greedy_future_does_not_starve_the_one_beside_it() {
        let (sender, receiver) = channel::bounded(3);
        for message in ["join", "try_join", "or"] {
            sender.try_send(message).unwrap();
        }
        let next = || async { Ok::<_, ()>(receiver.recv().await.unwrap()) };
        let fail = || async { Err::<(), _>(next().await) };

        assert!(poll_once(join(greedy::<()>(), next())).is_pending());
        assert_eq!(receiver.len(), 2);
        let failed = try_join(greedy::<Result<(), _>>(), fail());
        assert_eq!(poll_once(failed), Poll::Ready(Err(Ok("try_join"))));
        assert_eq!(poll_once(or(greedy(), next())), Poll::Ready(Ok("or")));
    }

    #[test]
    fn a_greedy_future_does_not_outlast_its_timeout() {
        assert!(matches!(
            poll_once(timeout(Duration::ZERO, greedy::<()>())),
            Poll::Ready(Err(_))
        ));
        assert!(matches!(
            poll_once(io::timeout(Duration::ZERO, greedy::<io::Result<()>>())),
            Poll::Ready(Err(_))
        ));
    }
}
