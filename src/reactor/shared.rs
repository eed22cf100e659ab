//! `Shared<T>`: an `Async<T>` with several owners, for sockets that can be cloned.
//!
//! What `Arc<Async<T>>` would be, without its allocation: the owners are counted in the source, which the socket has
//! anyway and which nobody else uses before the last of them is gone. So a connection costs its source and its task, and no
//! more. A socket that was never cloned does not pay for the count either: its only owner sees that it is alone.
//!
//! A clone is the same two numbers again, the source and the descriptor.
//!
//! **Rule.** Of all owners only the last one drops its `Async<T>`, and so deregisters and closes. Until then the descriptor
//! is open, as `registration.rs` asks.
#![allow(
    unsafe_code,
    reason = "several owners of one descriptor; the rule above makes one of them close it"
)]

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsRawFd, FromRawFd};
use std::process::abort;
use std::sync::atomic::fence;

use super::registered::Async;
use crate::primitive::Ordering;

/// As many owners as there may be: past this somebody forgets them in a loop, and the count must not wrap. The other half
/// of the numbers is for those who add one at the same time.
const MOST_OWNERS: u32 = u32::MAX / 2;

/// One owner of a socket. `T` has to be its descriptor and nothing else, as std's sockets are.
pub(crate) struct Shared<T: AsRawFd + FromRawFd> {
    /// Dropped by the last owner.
    socket: ManuallyDrop<Async<T>>,
}

impl<T: AsRawFd + FromRawFd> Shared<T> {
    /// The first owner.
    pub(crate) fn new(socket: Async<T>) -> Shared<T> {
        socket.source().owners().store(1, Ordering::Relaxed);
        let socket = ManuallyDrop::new(socket);
        Shared { socket }
    }

    /// The socket, or `self` again where there are other owners.
    pub(crate) fn try_unwrap(self) -> Result<Async<T>, Shared<T>> {
        if !self.is_alone() {
            return Err(self);
        }
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` was the only owner and is not dropped, so the `Async` is moved out and used once.
        Ok(unsafe { ManuallyDrop::take(&mut this.socket) })
    }

    /// Whether there is no other owner; only an owner could make one. Acquire: what the others did to the socket comes
    /// before what is done now.
    fn is_alone(&self) -> bool {
        self.socket.source().owners().load(Ordering::Acquire) == 1
    }
}

impl<T: AsRawFd + FromRawFd> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        // Relaxed: a new owner comes from one who is there, as with `Arc`.
        if self
            .socket
            .source()
            .owners()
            .fetch_add(1, Ordering::Relaxed)
            > MOST_OWNERS
        {
            abort();
        }
        // SAFETY: the descriptor is open and a `T`'s. That there are two owners now is made good by the rule above.
        let io = unsafe { T::from_raw_fd(self.socket.get_ref().as_raw_fd()) };
        let socket = ManuallyDrop::new(self.socket.with_same_source(io));
        Shared { socket }
    }
}

impl<T: AsRawFd + FromRawFd> Drop for Shared<T> {
    fn drop(&mut self) {
        // Looking first saves the atomic write where there never was another owner.
        if !self.is_alone() {
            if self
                .socket
                .source()
                .owners()
                .fetch_sub(1, Ordering::Release)
                != 1
            {
                return;
            }
            fence(Ordering::Acquire);
        }
        // SAFETY: by the count this is the last owner, who alone drops it; nobody uses it afterwards.
        unsafe { ManuallyDrop::drop(&mut self.socket) };
    }
}

impl<T: AsRawFd + FromRawFd> Deref for Shared<T> {
    type Target = Async<T>;

    fn deref(&self) -> &Async<T> {
        &self.socket
    }
}

#[cfg(all(test, not(parklet_loom)))]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    /// One end with an owner, and the other end, which says when the first has been closed.
    fn pair() -> (Shared<UnixStream>, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        (Shared::new(Async::new(ours).unwrap()), theirs)
    }

    fn is_closed(mut peer: &UnixStream) -> bool {
        matches!(peer.read(&mut [0]), Ok(0))
    }

    #[test]
    fn the_last_owner_closes_whoever_that_is() {
        for last in 0..3 {
            let (first, peer) = pair();
            let mut owners = vec![first.clone(), first.clone(), first];
            let stays = owners.swap_remove(last);
            drop(owners);
            assert!(!is_closed(&peer));
            drop(stays);
            assert!(is_closed(&peer));
        }
    }

    #[test]
    fn only_a_single_owner_gets_the_socket_out() {
        let (first, peer) = pair();
        let second = first.clone();
        let Err(first) = first.try_unwrap() else {
            panic!("there are two");
        };
        drop(second);
        let socket = first.try_unwrap().ok().expect("there is one left");
        assert!(!is_closed(&peer));
        drop(socket);
        assert!(is_closed(&peer));
    }

    #[test]
    fn owners_on_many_threads_close_once() {
        for _ in 0..200 {
            let (first, peer) = pair();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    let owner = first.clone();
                    scope.spawn(move || drop([owner.clone(), owner]));
                }
                drop(first);
            });
            assert!(is_closed(&peer));
        }
    }
}
