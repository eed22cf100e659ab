//! How often logins may fail, by address and by name, before the next one has to wait.
//!
//! Strangers choose the names, and with IPv6 nearly the addresses too, so neither is kept. There is a table of fixed size
//! instead, in each of whose rows they have a place, which they share with others (a count-min sketch). A place holds a point
//! in time: when all that failed there will have been made up for. The earliest of its points says how bad something is at
//! most, so it suffers for others only if it meets some of them in every row. Nothing is ever removed: neither a closed
//! connection nor a flood of other names makes a failure forgotten.
//!
//! Who can fail with somebody's name can use up what that name has. So an address from which a name was proved before is not
//! held up by failures with the name, but by its own alone.

use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::limits::Limits;

/// How many places a row has. With a thousand addresses that have to wait, one in 80,000 others is mistaken for one of them;
/// and 1600 failures in a second are forgotten again, more than can be verified. The tables together take 1.5 MB, once
/// somebody has tried to log in.
const PLACES: usize = 16 * 1024;

/// How many rows there are.
const ROWS: usize = 4;

/// How many times as many failures a name has as an address: or everybody could keep out anybody by name, from one place.
const NAME_FACTOR: u32 = 10;

/// For how long an address where a name was proved is known for that: longer than people are away.
const KNOWN: Duration = Duration::from_secs(60 * 24 * 3600);

/// The failed attempts of one server.
pub(crate) struct LoginThrottle {
    /// What points in time are counted from.
    start: Instant,
    by_address: Mutex<Sketch>,
    by_name: Mutex<Sketch>,
    /// Until when an address is known for a name. To be mistaken for one that is only means that failures with the name
    /// do not count, and those of the address still do.
    known: Mutex<Sketch>,
}

/// An attempt that counts as failed, unless it is [forgiven](LoginThrottle::forgive).
#[must_use]
pub(crate) struct Attempt {
    network: Option<IpAddr>,
    name: String,
}

impl LoginThrottle {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            by_address: Mutex::default(),
            by_name: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// Counts an attempt from this network at this name.
    ///
    /// # Errors
    ///
    /// It is not allowed, and does not count; one may be, after this time.
    pub(crate) fn attempt(
        &self,
        network: Option<IpAddr>,
        name: String,
        limits: &Limits,
    ) -> Result<Attempt, Duration> {
        self.attempt_at(self.start.elapsed(), network, name, limits)
    }

    fn attempt_at(
        &self,
        now: Duration,
        network: Option<IpAddr>,
        name: String,
        limits: &Limits,
    ) -> Result<Attempt, Duration> {
        let is_known =
            network.is_some() && lock(&self.known).earliest(&(network, &name)) > nanos(now);
        // Both locks at once, in this order: an attempt counts here and there, or not at all.
        let mut by_address = lock(&self.by_address);
        let mut by_name = lock(&self.by_name);
        let address_wait = match network {
            Some(network) => by_address.wait(&network, now, Rate::of_address(limits)),
            None => Duration::ZERO,
        };
        let name_wait = by_name.wait(&name, now, Rate::of_name(limits));
        let wait = address_wait.max(if is_known { Duration::ZERO } else { name_wait });
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Some(network) = network {
            by_address.charge(&network, now, Rate::of_address(limits));
        }
        by_name.charge(&name, now, Rate::of_name(limits));
        Ok(Attempt { network, name })
    }

    /// It did not fail, and does not count.
    pub(crate) fn forgive(&self, attempt: &Attempt, limits: &Limits) {
        self.forgive_at(self.start.elapsed(), attempt, limits);
    }

    fn forgive_at(&self, now: Duration, attempt: &Attempt, limits: &Limits) {
        if let Some(network) = attempt.network {
            lock(&self.by_address).refund(&network, Rate::of_address(limits));
        }
        lock(&self.by_name).refund(&attempt.name, Rate::of_name(limits));
        if attempt.network.is_some() {
            let until = nanos(now + KNOWN);
            for place in lock(&self.known).places(&(attempt.network, &attempt.name)) {
                *place = until.max(*place);
            }
        }
    }
}

/// So many at once, and one more each time that this time has passed.
#[derive(Clone, Copy)]
struct Rate {
    burst: u32,
    interval: Duration,
}

impl Rate {
    fn of_address(limits: &Limits) -> Self {
        // None at all would be no logins either.
        Self {
            burst: limits.failed_logins.max(1),
            interval: Duration::from_secs(60) / limits.failed_logins_per_minute.max(1),
        }
    }

    fn of_name(limits: &Limits) -> Self {
        let of_address = Self::of_address(limits);
        Self {
            burst: of_address.burst.saturating_mul(NAME_FACTOR),
            interval: of_address.interval / NAME_FACTOR,
        }
    }
}

/// A table of points in time, in nanoseconds since the server started.
#[derive(Default)]
struct Sketch {
    /// Says where something has its places: otherwise in each row, and in each server, so that nobody can choose what
    /// shares them.
    hashers: [RandomState; ROWS],
    /// Without memory until it is needed.
    rows: [Vec<u64>; ROWS],
}

impl Sketch {
    /// How long `what` has to wait.
    fn wait<T: Hash>(&mut self, what: &T, now: Duration, rate: Rate) -> Duration {
        let least = self.earliest(what).saturating_sub(nanos(now));
        let most = nanos(rate.interval).saturating_mul(u64::from(rate.burst) - 1);
        Duration::from_nanos(least.saturating_sub(most))
    }

    fn earliest<T: Hash>(&mut self, what: &T) -> u64 {
        self.places(what)
            .into_iter()
            .min()
            .map_or(0, |place| *place)
    }

    fn charge<T: Hash>(&mut self, what: &T, now: Duration, rate: Rate) {
        for place in self.places(what) {
            *place = nanos(now).max(*place).saturating_add(nanos(rate.interval));
        }
    }

    fn refund<T: Hash>(&mut self, what: &T, rate: Rate) {
        for place in self.places(what) {
            *place = place.saturating_sub(nanos(rate.interval));
        }
    }

    fn places<T: Hash>(&mut self, what: &T) -> [&mut u64; ROWS] {
        let mut hashers = self.hashers.iter();
        self.rows.each_mut().map(|row| {
            row.resize(PLACES, 0);
            let hash = hashers.next().map_or(0, |hasher| hasher.hash_one(what));
            &mut row[hash as usize % PLACES]
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn lock(sketch: &Mutex<Sketch>) -> std::sync::MutexGuard<'_, Sketch> {
    // No change above leaves anything half done that matters, so a panic leaves it as it should be.
    sketch.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    fn limits() -> Limits {
        Limits {
            failed_logins: 5,
            failed_logins_per_minute: 6,
            ..Limits::default()
        }
    }

    fn address(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(number.to_be_bytes()))
    }

    #[test]
    fn an_address_has_a_burst_and_then_the_rate_whatever_the_names() {
        let (throttle, limits) = (LoginThrottle::new(), limits());
        let at = |now, number: u32| {
            throttle
                .attempt_at(now, address(1), number.to_string(), &limits)
                .map(drop)
        };
        assert!((0..5).all(|number| at(NOW, number).is_ok()));
        // It is told how long, and a refused attempt costs nothing.
        for number in 0..50_000 {
            assert_eq!(at(NOW, number), Err(Duration::from_secs(10)));
        }
        let later = |seconds| NOW + Duration::from_secs(seconds);
        assert_eq!(at(later(4), 9), Err(Duration::from_secs(6)));
        assert_eq!(at(later(10), 9), Ok(()));
        assert_eq!(at(later(10), 9), Err(Duration::from_secs(10)));
        // However long nothing failed, no more than a burst fails at once.
        assert_eq!(
            (0..9)
                .filter(|number| at(later(9999), *number).is_ok())
                .count(),
            5
        );
    }

    #[test]
    fn a_name_has_ten_times_as_much_wherever_it_is_tried_from() {
        let (throttle, limits) = (LoginThrottle::new(), limits());
        let at = |number: u32, name: &str| {
            throttle
                .attempt_at(NOW, address(number), name.to_string(), &limits)
                .map(drop)
        };
        assert_eq!(
            (0..99).filter(|number| at(*number, "anna").is_ok()).count(),
            50
        );
        assert_eq!(at(100, "anna"), Err(Duration::from_secs(1)));
        assert_eq!(at(100, "ben"), Ok(()));
    }

    #[test]
    fn who_floods_a_name_keeps_out_nobody_who_has_proved_it_where_it_is() {
        let (throttle, limits) = (LoginThrottle::new(), limits());
        let at = |number: u32, name: &str| {
            throttle.attempt_at(NOW, address(number), name.to_string(), &limits)
        };
        let attempt = at(0, "anna");
        throttle.forgive_at(
            NOW,
            &attempt.unwrap_or_else(|_| panic!("it counts")),
            &limits,
        );
        for number in 1..100 {
            while at(number, "anna").is_ok() {}
        }
        // She mistypes as often as others may, and no more often.
        assert!(at(200, "anna").is_err());
        assert_eq!((0..9).filter(|_| at(0, "anna").is_ok()).count(), 5);
        for number in 1..100 {
            while at(number, "ben").is_ok() {}
        }
        // It is her name that is known there, and no other.
        assert!(at(0, "ben").is_err());
    }

    #[test]
    fn what_did_not_fail_does_not_count() {
        let (throttle, limits) = (LoginThrottle::new(), limits());
        for _ in 0..100 {
            let attempt = throttle.attempt_at(NOW, address(1), "anna".to_string(), &limits);
            let Ok(attempt) = attempt else {
                panic!("it counts")
            };
            throttle.forgive(&attempt, &limits);
        }
    }

    #[test]
    fn a_flood_makes_no_failure_forgotten_hardly_touches_others_and_takes_no_memory() {
        let (throttle, limits) = (LoginThrottle::new(), limits());
        let at = |number: u32, name: &str| {
            throttle
                .attempt_at(NOW, address(number), name.to_string(), &limits)
                .map(drop)
        };
        for number in 0..50_000 {
            let _ = at(number % 1000, &number.to_string());
        }
        assert!((0..1000).all(|number| at(number, "anna").is_err()));
        let others = 1000..2000;
        let mistaken = others.filter(|number| at(*number, &format!("n{number}")).is_err());
        assert!(mistaken.count() <= 3);
        for sketch in [&throttle.by_address, &throttle.by_name] {
            assert!(lock(sketch).rows.iter().all(|row| row.capacity() == PLACES));
        }
    }
}
