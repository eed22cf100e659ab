//! (skeleton) `Async<T>`: try, WouldBlock, wait.
#![allow(
    dead_code,
    unused_variables,
    clippy::todo,
    missing_docs,
    missing_debug_implementations,
    reason = "skeleton"
)]
use std::io;
use std::os::fd::AsFd;
use std::task::{Context, Poll};

pub struct Async<T>(T);
impl<T: AsFd> Async<T> {
    /// Sets non-blocking, registers.
    pub fn new(io: T) -> io::Result<Async<T>> {
        todo!()
    }
    /// The same for a descriptor that is non-blocking already (accept4, socket(NONBLOCK)).
    pub(crate) fn new_nonblocking(io: T) -> io::Result<Async<T>> {
        todo!()
    }
    pub fn into_inner(self) -> io::Result<T> {
        todo!()
    }
    pub async fn readable(&self) -> io::Result<()> {
        todo!()
    }
    pub async fn writable(&self) -> io::Result<()> {
        todo!()
    }
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        todo!()
    }
    pub async fn read_with<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        todo!()
    }
    pub async fn write_with<R>(&self, op: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        todo!()
    }
    /// Tries `op`, and on `WouldBlock` stores the waker until the source is readable. Charges the budget.
    pub fn poll_read_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        todo!()
    }
    pub fn poll_write_with<R>(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        todo!()
    }
    /// Like `poll_read_with`, for a stream whose closed bit is sticky: after a read shorter than `wanted` the
    /// readiness is cleared without another system call (DECISIONS 12: TcpStream only).
    pub(crate) fn poll_read_short(
        &self,
        cx: &mut Context<'_>,
        wanted: usize,
        op: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        todo!()
    }
}
impl<T> Async<T> {
    pub fn get_ref(&self) -> &T {
        &self.0
    }
}
