//! (skeleton) the public `Timer`.
#![allow(
    dead_code,
    unused_variables,
    clippy::todo,
    missing_docs,
    reason = "skeleton"
)]
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Timer {}
impl Timer {
    pub fn after(duration: Duration) -> Timer {
        todo!()
    }
    pub fn at(instant: Instant) -> Timer {
        todo!()
    }
    pub fn never() -> Timer {
        todo!()
    }
    pub fn interval(period: Duration) -> Timer {
        todo!()
    }
    pub fn interval_at(start: Instant, period: Duration) -> Timer {
        todo!()
    }
    pub fn set_after(&mut self, duration: Duration) {
        todo!()
    }
    pub fn set_at(&mut self, instant: Instant) {
        todo!()
    }
}
impl Future for Timer {
    type Output = Instant;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Instant> {
        todo!()
    }
}
impl futures_core::Stream for Timer {
    type Item = Instant;
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        todo!()
    }
}
