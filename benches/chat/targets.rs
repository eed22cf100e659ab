//! The rows of the comparison, and what parklet is to reach in each: data alone.

use crate::arena::rows::Goal::{AtMost, BestPeer, Zero};
use crate::arena::rows::Unit::{
    Bytes, Count, Microseconds, Milliseconds, Nanoseconds, Percent, Thousands,
};
use crate::arena::rows::{Row, row};

/// The bench's name, as Cargo knows it.
pub(crate) const NAME: &str = "chat";

/// How long it takes if nothing else is asked for.
pub(crate) const TIME: &str = "three minutes";

/// A filter, for an example.
pub(crate) const EXAMPLE: &str = "fan_out";

/// Rounds unless told otherwise: odd, so that the median is one of them.
pub(crate) const ROUNDS: usize = 3;

/// In the order of the table.
#[rustfmt::skip] // It is a table itself: a row a line.
pub(crate) static ROWS: &[Row] = &[
    row("fan_out", "rate", Thousands, "posts to one group of 100 members, saturated: deliveries", &[BestPeer(2.0)]),
    row("fan_out", "cpu", Nanoseconds, "the same, the server's CPU for a delivery", &[BestPeer(0.5)]),
    row("groups", "rate", Thousands, "1,000 clients in 100 groups, saturated: deliveries", &[BestPeer(1.5)]),
    row("groups", "cpu", Nanoseconds, "the same, the server's CPU for a delivery", &[BestPeer(1.0)]),
    row("single", "cpu", Nanoseconds, "one group of 100 members, one post at a time: the server's CPU for a delivery", &[BestPeer(1.03)]),
    row("half_load", "p99", Milliseconds, "1,000 clients in 100 groups, 100,000 deliveries a second, one post at a time: 99 of 100 come within", &[BestPeer(1.0)]),
    row("ping_pong", "p99", Microseconds, "two clients answer each other: 99 of 100 round trips within", &[BestPeer(1.0)]),
    row("idle_client", "bytes", Bytes, "a client that has joined a group and is silent, memory", &[AtMost(2048.0)]),
    row("idle_group", "bytes", Bytes, "a group with one member and nothing posted, memory with the membership", &[AtMost(1024.0)]),
    row("crowd", "all", Milliseconds, "15,000 silent clients in 150 groups, one post to each group: all delivered after", &[AtMost(1000.0)]),
    row("connects", "all", Milliseconds, "1,000 clients connect at once, join and ask: all answered after", &[AtMost(100.0)]),
    row("slow_member", "loss", Percent, "deliveries a second that a member who never reads costs 100 others", &[AtMost(5.0)]),
    row("churn", "rate", Thousands, "connect, join, post, receive, go, 16 at a time: clients", &[BestPeer(1.0)]),
    row("churn", "cpu", Microseconds, "the same, the server's CPU for a client", &[BestPeer(1.0)]),
    row("churn", "left", Count, "the same, descriptors left open", &[Zero]),
];
