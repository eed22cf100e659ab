//! `Shared<T>`: an `Async<T>` with several owners, for sockets that can be cloned.
//!
//! What `Arc<Async<T>>` would be, without its allocation: all there is to a socket, its number and its owners, stands in the
//! source that it has anyway. An owner is a reference to that, and `T` is made of the number for as long as it is needed. So a
//! connection costs its source and its task, and no more. A socket that was never cloned does not pay for the count either:
//! its only owner sees that it is alone.
//!
//! **Rule.** Of all owners only the last one makes an `Async<T>` that is dropped, and so deregisters and closes. Until then
//! the descriptor is open, as `registration.rs` asks.
#![allow(
    unsafe_code,
    reason = "several owners of one descriptor; the rule above makes one of them close it"
)]

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd};
use std::process::abort;
use std::sync::atomic::fence;

use super::registered::Async;
use super::registration::Registration;
use crate::primitive::Ordering;

/// As many owners as there may be: past this somebody forgets them in a loop, and the count must not wrap. The other half
/// of the numbers is for those who add one at the same time.
const MOST_OWNERS: u32 = u32::MAX / 2;

/// One owner of a socket. `T` has to be its descriptor and nothing else, as std's sockets are.
pub(crate) struct Shared<T: FromRawFd> {
    /// Dropped by the last owner, with the descriptor.
    registration: ManuallyDrop<Registration>,
    /// What the descriptor is.
    socket: PhantomData<T>,
}

/// A socket, lent by one of its owners.
pub(crate) struct Lent<'a, T> {
    /// Not dropped: the owners see to that.
    socket: ManuallyDrop<Async<T>>,
    /// The owner.
    owner: PhantomData<&'a Registration>,
}

impl<T: FromRawFd + IntoRawFd> Shared<T> {
    /// The first owner.
    pub(crate) fn new(socket: Async<T>) -> Shared<T> {
        let (registration, io) = socket.into_parts();
        // From here on the number stands for it.
        let _number = io.into_raw_fd();
        registration.owners().store(1, Ordering::Relaxed);
        Shared::of(registration)
    }
}

impl<T: FromRawFd> Shared<T> {
    /// An owner.
    fn of(registration: Registration) -> Shared<T> {
        Shared {
            registration: ManuallyDrop::new(registration),
            socket: PhantomData,
        }
    }

    /// The socket, for a call.
    pub(crate) fn lend(&self) -> Lent<'_, T> {
        Lent {
            socket: ManuallyDrop::new(self.socket()),
            owner: PhantomData,
        }
    }

    /// The socket, or `self` again where there are other owners.
    pub(crate) fn try_unwrap(self) -> Result<Async<T>, Shared<T>> {
        if self.is_alone() {
            Ok(ManuallyDrop::new(self).socket())
        } else {
            Err(self)
        }
    }

    /// The `Async<T>` that the last owner may drop, and nobody else.
    fn socket(&self) -> Async<T> {
        // SAFETY: the number is an open descriptor's, which `new` took out of a `T`. It is closed once, by the rule above.
        let io = unsafe { T::from_raw_fd(self.registration.raw()) };
        Async::from_parts(self.registration.same(), io)
    }

    /// Whether there is no other owner; only an owner could make one. Acquire: what the others did to the socket comes
    /// before what is done now.
    fn is_alone(&self) -> bool {
        self.registration.owners().load(Ordering::Acquire) == 1
    }
}

impl<T: FromRawFd> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        // Relaxed: a new owner comes from one who is there, as with `Arc`.
        if self.registration.owners().fetch_add(1, Ordering::Relaxed) > MOST_OWNERS {
            abort();
        }
        Shared::of(self.registration.same())
    }
}

impl<T: FromRawFd> Drop for Shared<T> {
    fn drop(&mut self) {
        // Looking first saves the atomic write where there never was another owner.
        if !self.is_alone() {
            if self.registration.owners().fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            fence(Ordering::Acquire);
        }
        drop(self.socket());
    }
}

impl<T: FromRawFd> AsFd for Shared<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.registration.as_fd()
    }
}

impl<T: FromRawFd + fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lend().get_ref().fmt(f)
    }
}

impl<T> Deref for Lent<'_, T> {
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
    fn a_stream_is_one_reference() {
        assert_eq!(size_of::<Shared<UnixStream>>(), 8);
        assert_eq!(size_of::<Option<Shared<UnixStream>>>(), 8);
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
        let socket = first.try_unwrap().expect("there is one left");
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
