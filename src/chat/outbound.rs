//! The sending half of a connection, shared by all who have something to tell its client: the connection itself and
//! one task for each group the client joined.
//!
//! The lock is an async one, since it is held while the socket is waited for. What it guards is a whole line: only
//! who holds it writes, so lines never mix.

use std::future::poll_fn;

use super::accept::ChatStream;
use super::protocol::{Frame, FromServer, frame};
use crate::io::{self, IoSlice, WriteExt};
use crate::sync::Mutex;

/// Where lines for one client go.
pub(crate) struct Outbound<S: ChatStream> {
    /// The socket's sending half. Whoever writes takes it out and puts it back after the last byte; so a write that
    /// failed, panicked or was dropped midway leaves `None`, and nothing is ever written behind half a line.
    writer: Mutex<Option<S::Writer>>,
}

impl<S: ChatStream> Outbound<S> {
    pub(crate) fn new(writer: S::Writer) -> Self {
        Self {
            writer: Mutex::new(Some(writer)),
        }
    }

    /// Sends one packet to this client alone.
    pub(crate) async fn send(&self, packet: &FromServer) -> io::Result<()> {
        self.send_frames(&[frame(packet)]).await
    }

    /// Sends frames, in this order and with nothing between them, in as few system calls as the socket allows.
    pub(crate) async fn send_frames(&self, frames: &[Frame]) -> io::Result<()> {
        let mut place = self.writer.lock().await;
        let mut writer = place.take().ok_or(io::ErrorKind::NotConnected)?;
        match frames {
            [frame] => writer.write_all(frame).await?,
            frames => write_all_vectored(&mut writer, frames).await?,
        }
        writer.flush().await?;
        *place = Some(writer);
        Ok(())
    }

    /// Tells the client that nothing more will come, and makes sure of it: who sends later gets an error.
    pub(crate) async fn close(&self) -> io::Result<()> {
        match self.writer.lock().await.take() {
            Some(mut writer) => poll_fn(|cx| S::poll_shutdown_write(&mut writer, cx)).await,
            None => Ok(()),
        }
    }
}

/// `write_all` for many slices.
async fn write_all_vectored<W: io::Write + Unpin>(
    writer: &mut W,
    frames: &[Frame],
) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    let mut unsent = &mut slices[..];
    while !unsent.is_empty() {
        match writer.write_vectored(unsent).await {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => IoSlice::advance_slices(&mut unsent, sent),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
