//! Models of `executor/blocking_pool.rs` and `executor/blocking.rs`: no job is left without a thread.
//!
//! The idle time is zero, so every thread that finds nothing to do is about to leave, and a call meets it at any step
//! of that. Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: blocking_pool_goes_idle_in_two_steps  a_job_that_meets_a_thread_going_idle_is_run
//! broken: blocking_pool_leaves_when_called      a_job_that_meets_a_thread_going_idle_is_run
//! broken: blocking_pool_delivers_too_early      calls_one_after_the_other_share_a_thread
//! ```

use super::wait_queue::block_on;
use crate::executor::blocking_pool::BlockingPool;
use loom::thread;
use std::sync::Arc;
use std::time::Duration;

fn pool(max_threads: usize) -> Arc<BlockingPool> {
    let start = |_, body: Box<dyn FnOnce() + Send>| {
        thread::spawn(body);
        Ok(())
    };
    BlockingPool::new(max_threads, Duration::ZERO, Box::new(start))
}

#[test]
fn a_job_that_meets_a_thread_going_idle_is_run() {
    loom::model(|| {
        let pool = pool(1);
        for value in 0..2 {
            assert_eq!(block_on(pool.spawn(move || value)), value);
        }
    });
}

#[test]
fn jobs_of_two_threads_are_run() {
    super::bounded(|| {
        let pool = pool(1);
        let other = thread::spawn({
            let pool = Arc::clone(&pool);
            move || assert_eq!(block_on(pool.spawn(|| 1)), 1)
        });
        assert_eq!(block_on(pool.spawn(|| 2)), 2);
        other.join().unwrap();
    });
}

#[test]
fn calls_one_after_the_other_share_a_thread() {
    loom::model(|| {
        let pool = pool(2);
        for value in 0..2 {
            let job = pool.spawn(move || value);
            assert!(pool.threads() <= 1);
            assert_eq!(block_on(job), value);
        }
    });
}

#[test]
fn a_job_is_run_or_taken_back() {
    loom::model(|| {
        let pool = pool(1);
        let first = pool.spawn(|| 1);
        let second = pool.spawn(|| 2);
        assert!(matches!(block_on(second.cancel()), None | Some(2)));
        assert_eq!(block_on(first), 1);
    });
}
