//! `Async<T>` over real descriptors.

use std::os::unix::net::UnixStream;

use futures_lite::future::{block_on, zip};
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use parklet::reactor::Async;

#[test]
fn bytes_go_both_ways() {
    let (left, right) = UnixStream::pair().unwrap();
    let (left, right) = (Async::new(left).unwrap(), Async::new(right).unwrap());
    block_on(zip(
        async {
            let mut answer = [0; 4];
            (&left).read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"ping");
            (&left).write_all(b"pong").await.unwrap();
        },
        async {
            (&right).write_all(b"ping").await.unwrap();
            let mut answer = [0; 4];
            (&right).read_exact(&mut answer).await.unwrap();
            assert_eq!(&answer, b"pong");
        },
    ));
}
