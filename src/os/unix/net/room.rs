//! Waiting for room in a queue that is somebody else's.
//!
//! Two calls meet such a queue: a connect that of the listener, and a `send_to` that of the receiver. epoll looks at one's
//! own socket only. After a connect it reports nothing. After a `send_to` that failed it reports at once that one's own
//! buffer has room again, which it always had: whoever believes that spins. So there is no event to wait for, and the call
//! is made again after a pause.

use crate::budget;
use crate::reactor::Timer;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

/// The first pause: a receiver that lives empties its queue in less.
const FIRST_PAUSE: Duration = Duration::from_millis(1);

/// The longest pause: what one waits too long at most, and a receiver that does not live costs twenty calls a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// Makes `attempt` until it does not say `WouldBlock`.
pub(super) async fn until_room<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    poll_fn(|cx| budget::charge(cx)).await;
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Timer::after(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
