//! From names to addresses.
//!
//! A name is looked up by the system's resolver, which blocks: that happens on the blocking pool, never on a worker. A
//! literal address needs no lookup and is ready at once, without a thread.

use crate::io::{Explain, explained};
use crate::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use crate::task::{self, SpawnBlocking};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{fmt, io, option, slice, vec};

/// What can be turned into socket addresses: an address, a host with a port, a `"HOST:PORT"`, several addresses.
///
/// async-std's trait, which is std's made async. Note that `"HOST:PORT"` may have several addresses, and that `connect`
/// and `bind` try them in turn.
///
/// # Errors
///
/// The future of [`to_socket_addrs`](ToSocketAddrs::to_socket_addrs) fails with
/// `could not resolve address "HOST:PORT": CAUSE`; kind and `source()` are the cause's. Without a port, or with a bad
/// one, the kind is `InvalidInput`.
///
/// # Cancel safety
///
/// That future is cancel safe; a lookup under way ends by itself on its thread, and holds up nothing.
///
/// # Examples
///
/// ```
/// use parklet::net::ToSocketAddrs;
///
/// parklet::task::block_on(async {
///     let mut addresses = "127.0.0.1:8080".to_socket_addrs().await?;
///     assert_eq!(addresses.next(), Some(([127, 0, 0, 1], 8080).into()));
///
///     let error = "127.0.0.1".to_socket_addrs().await.unwrap_err();
///     assert_eq!(error.to_string(), "could not resolve address \"127.0.0.1\": no port (expected HOST:PORT)");
///     # std::io::Result::Ok(())
/// })?;
/// # std::io::Result::Ok(())
/// ```
pub trait ToSocketAddrs {
    /// The addresses found, in the resolver's order.
    type Iter: Iterator<Item = SocketAddr>;

    /// Starts the lookup, if one is needed; the future gives the addresses.
    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter>;
}

/// The future of [`ToSocketAddrs::to_socket_addrs`]; `Unpin`, and `Send` if the addresses are.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ToSocketAddrsFuture<I> {
    /// How far the lookup is.
    lookup: Lookup<I>,
}

/// Where the addresses come from.
enum Lookup<I> {
    /// They are known, or cannot be.
    Ready(io::Result<I>),
    /// The blocking pool is asking the system's resolver.
    Resolving(SpawnBlocking<io::Result<I>>),
    /// They have been given out.
    Done,
}

impl<I> ToSocketAddrsFuture<I> {
    /// Nothing to look up.
    fn ready(result: io::Result<I>) -> ToSocketAddrsFuture<I> {
        ToSocketAddrsFuture {
            lookup: Lookup::Ready(result),
        }
    }
}

// What is stored is moved out, never pinned.
impl<I> Unpin for ToSocketAddrsFuture<I> {}

impl<I: Iterator<Item = SocketAddr>> Future for ToSocketAddrsFuture<I> {
    type Output = io::Result<I>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<I>> {
        let this = self.get_mut();
        match std::mem::replace(&mut this.lookup, Lookup::Done) {
            Lookup::Ready(result) => Poll::Ready(result),
            Lookup::Resolving(mut job) => {
                let result = Pin::new(&mut job).poll(cx);
                if result.is_pending() {
                    this.lookup = Lookup::Resolving(job);
                }
                result
            }
            Lookup::Done => panic!("`ToSocketAddrsFuture` polled after it was ready"),
        }
    }
}

impl<I> fmt::Debug for ToSocketAddrsFuture<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.lookup {
            Lookup::Ready(_) => "ToSocketAddrsFuture(ready)",
            Lookup::Resolving(_) => "ToSocketAddrsFuture(resolving)",
            Lookup::Done => "ToSocketAddrsFuture(done)",
        })
    }
}

impl ToSocketAddrs for str {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
        if let Ok(address) = self.parse() {
            return ToSocketAddrsFuture::ready(Ok(vec![address].into_iter()));
        }
        match split_port(self) {
            Ok((host, port)) => resolve(host, port),
            Err(problem) => {
                let problem = io::Error::new(io::ErrorKind::InvalidInput, problem);
                let attempt = format_args!("could not resolve address {self:?}");
                ToSocketAddrsFuture::ready(Err(explained(problem, attempt)))
            }
        }
    }
}

impl ToSocketAddrs for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => ToSocketAddrsFuture::ready(Ok(vec![SocketAddr::new(ip, port)].into_iter())),
            Err(_) => resolve(host, port),
        }
    }
}

impl ToSocketAddrs for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
        (self.0.as_str(), self.1).to_socket_addrs()
    }
}

impl ToSocketAddrs for String {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
        self.as_str().to_socket_addrs()
    }
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = std::iter::Copied<slice::Iter<'a, SocketAddr>>;

    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
        ToSocketAddrsFuture::ready(Ok(self.iter().copied()))
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;

    fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
        (**self).to_socket_addrs()
    }
}

/// Implements the trait for what `SocketAddr` has a `From` of.
macro_rules! impl_for_one_address {
    ($($address:ty),* $(,)?) => {$(
        impl ToSocketAddrs for $address {
            type Iter = option::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> ToSocketAddrsFuture<Self::Iter> {
                ToSocketAddrsFuture::ready(Ok(Some(SocketAddr::from(*self)).into_iter()))
            }
        }
    )*};
}

impl_for_one_address!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16),
);

/// `HOST:PORT` in two; the error says what is wrong with it.
fn split_port(address: &str) -> Result<(&str, u16), &'static str> {
    let (host, port) = address
        .rsplit_once(':')
        .ok_or("no port (expected HOST:PORT)")?;
    match port.parse() {
        Ok(port) => Ok((host, port)),
        Err(_) => Err("bad port (expected HOST:PORT, PORT from 0 to 65535)"),
    }
}

/// Asks the system's resolver, on the blocking pool.
fn resolve(host: &str, port: u16) -> ToSocketAddrsFuture<vec::IntoIter<SocketAddr>> {
    let host = host.to_owned();
    let job = task::spawn_blocking(move || {
        let addresses = std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port));
        addresses.explain(|| {
            let address = format!("{host}:{port}");
            format!("could not resolve address {address:?}")
        })
    });
    ToSocketAddrsFuture {
        lookup: Lookup::Resolving(job),
    }
}

/// Tries each address in turn; the first success, or the last error, which names its address. `deed` is what is tried,
/// such as `connect to`.
pub(crate) async fn try_each<A, T, F>(
    addresses: A,
    deed: &str,
    attempt: impl FnMut(SocketAddr) -> F,
) -> io::Result<T>
where
    A: ToSocketAddrs,
    F: Future<Output = io::Result<T>>,
{
    try_each_of(addresses.to_socket_addrs().await?, deed, attempt).await
}

/// The same with addresses that have been looked up.
pub(crate) async fn try_each_of<T, F>(
    addresses: impl IntoIterator<Item = SocketAddr>,
    deed: &str,
    mut attempt: impl FnMut(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut failure = None;
    for address in addresses {
        match attempt(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = Some((address, error)),
        }
    }
    Err(match failure {
        Some((address, error)) => explained(error, format_args!("cannot {deed} {address}")),
        None => io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("cannot {deed} any address: none was given"),
        ),
    })
}
