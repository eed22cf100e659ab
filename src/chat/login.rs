//! Proving an account: slow on purpose, so done off the workers, few at a time, and not as often as somebody likes.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::extended::ErrorCode;
use super::limits::Limits;
use super::login_throttle::{Attempt, LoginThrottle};
use super::metrics::Metrics;
use super::refusal::Refusal;
use super::secret::Secret;
use super::users::Users;
use crate::sync::Semaphore;
use crate::task;

/// A proof that is being looked at. Its result is the account's name.
pub(crate) type Login = Pin<Box<dyn Future<Output = Result<String, Refusal>> + Send>>;

/// The proofs of one server.
pub(crate) struct Logins {
    pub(crate) users: Arc<dyn Users>,
    throttle: LoginThrottle,
    limits: Limits,
    metrics: Arc<Metrics>,
    /// Who may be verified now: as many as half the cores, since it is all computing, and others want to be served. The
    /// rest wait in line, at no more cost than their connections have.
    at_once: Arc<Semaphore>,
}

impl Logins {
    pub(crate) fn new(users: Arc<dyn Users>, limits: &Limits, metrics: Arc<Metrics>) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            users,
            throttle: LoginThrottle::new(),
            limits: limits.clone(),
            metrics,
            at_once: Arc::new(Semaphore::new(cores.div_ceil(2))),
        }
    }

    /// Begins to verify that the client from `network` may have the account `name`.
    ///
    /// # Errors
    ///
    /// Too many have failed.
    pub(crate) fn begin(
        self: &Arc<Self>,
        network: Option<IpAddr>,
        name: String,
        token: Secret,
    ) -> Result<Login, Refusal> {
        let attempt = self.attempt(network, self.users.canonical(&name))?;
        let logins = self.clone();
        Ok(Box::pin(async move {
            let turn = logins.at_once.clone().acquire_arc().await;
            let users = logins.users.clone();
            let verified = task::spawn_blocking(move || {
                // Here, since a client that has gone does not end what it has begun.
                let _turn = turn;
                users.verify(&name, &token)
            });
            match verified.await {
                Some(name) => {
                    logins.forgive(&attempt);
                    Ok(name)
                }
                None => {
                    logins.has_failed();
                    Err(bad_login())
                }
            }
        }))
    }

    /// Counts an attempt to guess what opens `what`, until it is [forgiven](Self::forgive).
    ///
    /// # Errors
    ///
    /// Too many have failed.
    pub(crate) fn attempt(
        &self,
        network: Option<IpAddr>,
        what: String,
    ) -> Result<Attempt, Refusal> {
        let attempt = self.throttle.attempt(network, what, &self.limits);
        attempt.map_err(|wait| {
            self.has_failed();
            throttled(wait)
        })
    }

    /// Counts a guess that was wrong.
    pub(crate) fn has_failed(&self) {
        self.metrics.login_failed();
    }

    pub(crate) fn forgive(&self, attempt: &Attempt) {
        self.throttle.forgive(attempt, &self.limits);
    }
}

/// The same for a name that nobody has and for a wrong password.
fn bad_login() -> Refusal {
    let text = "there is no such account, or its password is another one";
    Refusal::new(ErrorCode::BadLogin, text)
}

fn throttled(wait: Duration) -> Refusal {
    // Rounded up: what is too early is too early.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let text = format!("too many logins have failed; the next one may be tried in {seconds} s");
    Refusal::new(ErrorCode::LoginThrottled, text).about(seconds.to_string())
}
