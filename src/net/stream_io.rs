//! Reading and writing on a stream socket, for TCP and unix alike.

/// So many pieces std hands to the kernel in one call, and no more (`IOV_MAX`). What is in those beyond was not wanted of that
/// call, so a call that left them out was not short.
const MOST_PIECES: usize = 1024;

/// How many bytes a call with these pieces wants to move.
pub(crate) fn wanted(pieces: impl Iterator<Item = usize>) -> usize {
    pieces.take(MOST_PIECES).sum()
}

/// Implements `Read` and `Write` for a stream socket and for references to it, over the `Shared` in its field `socket`.
///
/// A macro because futures-io's traits must be implemented for four types, two names and a reference to each, that
/// share every line but one: `$poll`, which is `Async::poll_short` where a short call means that the socket is empty, or
/// full. A read of no bytes is answered here, as in std: after a short read it would wait for an event.
macro_rules! impl_stream_io {
    ($stream:ty, $poll:path) => {
        impl $crate::io::Read for &$stream {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                if buf.is_empty() {
                    return std::task::Poll::Ready(Ok(0));
                }
                $poll(
                    &self.socket.lend(),
                    cx,
                    $crate::reactor::Direction::Read,
                    buf.len(),
                    |mut socket| std::io::Read::read(&mut socket, buf),
                )
            }

            fn poll_read_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let wanted = $crate::net::wanted(bufs.iter().map(|buf| buf.len()));
                if wanted == 0 {
                    return std::task::Poll::Ready(Ok(0));
                }
                $poll(
                    &self.socket.lend(),
                    cx,
                    $crate::reactor::Direction::Read,
                    wanted,
                    |mut socket| std::io::Read::read_vectored(&mut socket, bufs),
                )
            }
        }

        impl $crate::io::Write for &$stream {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $poll(
                    &self.socket.lend(),
                    cx,
                    $crate::reactor::Direction::Write,
                    buf.len(),
                    |mut socket| std::io::Write::write(&mut socket, buf),
                )
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let wanted = $crate::net::wanted(bufs.iter().map(|buf| buf.len()));
                $poll(
                    &self.socket.lend(),
                    cx,
                    $crate::reactor::Direction::Write,
                    wanted,
                    |mut socket| std::io::Write::write_vectored(&mut socket, bufs),
                )
            }

            /// Nothing to do: a socket has no buffer on this side of the kernel.
            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(Ok(()))
            }

            /// Only flushes, since clones may go on writing: the peer sees the end after `shutdown`, or when the last
            /// clone is dropped.
            fn poll_close(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                $crate::io::Write::poll_flush(self, cx)
            }
        }

        impl $crate::io::Read for $stream {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $crate::io::Read::poll_read(std::pin::Pin::new(&mut &*self), cx, buf)
            }

            fn poll_read_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $crate::io::Read::poll_read_vectored(std::pin::Pin::new(&mut &*self), cx, bufs)
            }
        }

        impl $crate::io::Write for $stream {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $crate::io::Write::poll_write(std::pin::Pin::new(&mut &*self), cx, buf)
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                $crate::io::Write::poll_write_vectored(std::pin::Pin::new(&mut &*self), cx, bufs)
            }

            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                $crate::io::Write::poll_flush(std::pin::Pin::new(&mut &*self), cx)
            }

            fn poll_close(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                $crate::io::Write::poll_close(std::pin::Pin::new(&mut &*self), cx)
            }
        }
    };
}
pub(crate) use impl_stream_io;
