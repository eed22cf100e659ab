//! The worker threads are set up in code: their number and their name.

mod common;

use common::in_own_process;
use parklet::io::ErrorKind;
use parklet::runtime::{Builder, metrics};
use parklet::task::{self, block_on};
use std::thread;

/// The name of the thread on which a task runs: a worker, or one that came to help.
fn name_of_a_worker() -> String {
    let name = block_on(task::spawn(async {
        thread::current().name().map(str::to_owned)
    }));
    name.expect("all threads of the pool have names")
}

fn has_the_usual_name() -> bool {
    let name = name_of_a_worker();
    let number = name.strip_prefix("parklet-");
    number.is_some_and(|number| number.parse::<usize>().is_ok())
}

#[test]
fn a_builder_sets_the_number_and_the_name_of_the_workers() {
    in_own_process(&[("PARKLET_THREADS", "7")], || {
        let builder = Builder::new().worker_threads(3).thread_name("bee");
        builder.build_global().unwrap();
        assert_eq!(metrics().workers, 3);
        assert_eq!(name_of_a_worker(), "bee");
    });
}

#[test]
fn what_is_not_set_is_as_without_a_builder() {
    in_own_process(&[("PARKLET_THREADS", "1")], || {
        Builder::new().build_global().unwrap();
        assert!(has_the_usual_name());
    });
}

#[test]
fn workers_that_run_cannot_be_set_up_again() {
    in_own_process(&[], || {
        Builder::new().thread_name("first").build_global().unwrap();
        let again = Builder::new().thread_name("second").build_global();
        let error = again.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert!(
            error.to_string().contains("before the first task"),
            "{error}"
        );
        assert_eq!(name_of_a_worker(), "first");
    });
}

#[test]
fn a_setting_that_cannot_be_is_refused_and_starts_nothing() {
    in_own_process(&[], || {
        for count in [0, 1025, usize::MAX] {
            let error = Builder::new()
                .worker_threads(count)
                .build_global()
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(&count.to_string()), "{error}");
        }
        let error = Builder::new()
            .thread_name("a\0b")
            .build_global()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        Builder::new().worker_threads(1).build_global().unwrap();
        assert!(has_the_usual_name());
    });
}
