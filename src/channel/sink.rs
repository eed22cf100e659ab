//! A sender as a `Sink`: the end of a chain of streams.

use super::error::SendError;
use super::sender::Sender;
use futures_sink::Sink;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A sender is a sink, and `Unpin`: `stream.forward(sender)` of the futures crate ends in it.
///
/// The sink is ready when the channel has room. That promises no place: while several senders are told of the same room,
/// each may use it, and a [`bounded`](super::bounded) channel holds up to one message more for each other sink.
/// [`send`](Sender::send) never goes beyond the capacity, and its waiters have their turn in order; sinks that wait are all
/// woken by one room, since nobody can see whether a sink will be used again.
///
/// Flushing has nothing to do, and closing the sink only flushes: the channel is closed when its last sender is dropped, as
/// `forward` does with the one it owns, or by [`close`](Sender::close).
///
/// # Errors
///
/// [`SendError`] if the channel is closed, with the message if there was one.
///
/// # Cancel safety
///
/// Readiness is no possession, so nothing is lost when it is not used. What `start_send` took is in the channel.
///
/// # Examples
///
/// ```
/// use futures_sink::Sink;
/// use parklet::channel;
/// use std::future::poll_fn;
/// use std::pin::Pin;
///
/// # parklet::task::block_on(async {
/// let (mut sender, receiver) = channel::bounded(1);
/// let mut sink = Pin::new(&mut sender);
/// poll_fn(|cx| sink.as_mut().poll_ready(cx)).await?;
/// sink.start_send("hello")?;
/// assert_eq!(receiver.recv().await, Ok("hello"));
/// # Ok::<_, channel::SendError<Option<&str>>>(())
/// # }).unwrap();
/// ```
impl<T> Sink<T> for Sender<T> {
    type Error = SendError<Option<T>>;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<Option<T>>>> {
        let Sender { channel, ticket } = &mut *self;
        let room = channel.with(|channel, wakes| channel.poll_room(ticket, cx, wakes));
        room.map_err(|_closed| SendError(None))
    }

    fn start_send(self: Pin<&mut Self>, message: T) -> Result<(), SendError<Option<T>>> {
        self.channel.with(|channel, wakes| {
            if channel.is_closed() {
                return Err(SendError(Some(message)));
            }
            channel.push(message, wakes);
            Ok(())
        })
    }

    fn poll_flush(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<Option<T>>>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<Option<T>>>> {
        self.poll_flush(cx)
    }
}
