//! Signals as input. Each test runs in a process of its own, since a signal is the whole process's.

mod common;

use common::{CountWakes, in_own_process, poll_once, watchdog};
use parklet::signal::{Signal, Signals, ctrl_c};
use parklet::stream::StreamExt;
use parklet::task;
use std::fs;
use std::io::ErrorKind;
use std::pin::pin;
use std::task::Poll;
use std::thread;

/// Sends one to this process; its handler has run when this returns.
fn raise(signal: Signal) {
    signal_hook::low_level::raise(signal.as_raw()).unwrap();
}

#[test]
fn a_signal_wakes_who_waits_for_it_and_no_other() {
    in_own_process(&[], || {
        task::block_on(async {
            let mut signals = Signals::new([Signal::USR1]).unwrap();
            let mut others = Signals::new([Signal::USR2]).unwrap();
            let mut next = pin!(signals.next());
            let (_, waker) = CountWakes::new();
            assert!(poll_once(next.as_mut(), &waker).is_pending());
            raise(Signal::USR1);
            assert_eq!(next.await, Some(Signal::USR1));
            let mut none = pin!(others.next());
            assert!(poll_once(none.as_mut(), &waker).is_pending());
        });
    });
}

#[test]
fn a_signal_from_outside_wakes_a_process_that_sleeps() {
    in_own_process(&[], || {
        let mut signals = Signals::new([Signal::TERM]).unwrap();
        let sender = thread::spawn(|| {
            let own = rustix::process::getpid();
            rustix::process::kill_process(own, rustix::process::Signal::TERM).unwrap();
        });
        assert_eq!(task::block_on(signals.next()), Some(Signal::TERM));
        sender.join().unwrap();
    });
}

#[test]
fn signals_of_one_kind_that_nobody_has_looked_at_are_one_and_no_kind_waits_for_ever() {
    in_own_process(&[], || {
        task::block_on(async {
            let kinds = [Signal::USR1, Signal::USR2, Signal::USR1];
            let mut signals = Signals::new(kinds).unwrap();
            assert_eq!(format!("{signals:?}"), "{Signal(SIGUSR1), Signal(SIGUSR2)}");
            // More of them than the pipe has room for bytes.
            for _ in 0..10_000 {
                raise(Signal::USR1);
            }
            raise(Signal::USR2);
            assert_eq!(signals.next().await, Some(Signal::USR1));
            raise(Signal::USR1);
            assert_eq!(signals.next().await, Some(Signal::USR2));
            assert_eq!(signals.next().await, Some(Signal::USR1));

            let mut next = pin!(signals.next());
            let (_, waker) = CountWakes::new();
            assert!(poll_once(next.as_mut(), &waker).is_pending());
            raise(Signal::USR2);
            assert_eq!(next.await, Some(Signal::USR2));
        });
    });
}

#[test]
fn everybody_who_waits_sees_a_signal() {
    in_own_process(&[], || {
        task::block_on(async {
            let mut signals = Signals::new([Signal::HUP]).unwrap();
            let mut others = Signals::new([Signal::HUP]).unwrap();
            raise(Signal::HUP);
            assert_eq!(signals.next().await, Some(Signal::HUP));
            assert_eq!(others.next().await, Some(Signal::HUP));
        });
    });
}

#[test]
fn ctrl_c_is_waited_for_and_given_up_without_a_trace() {
    in_own_process(&[], || {
        task::block_on(async {
            let (_, waker) = CountWakes::new();
            let mut first = Box::pin(ctrl_c());
            assert!(poll_once(first.as_mut(), &waker).is_pending());
            raise(Signal::INT);
            first.await.unwrap();

            let open = || fs::read_dir("/proc/self/fd").unwrap().count();
            let before = open();
            let mut dropped = Box::pin(ctrl_c());
            assert!(poll_once(dropped.as_mut(), &waker).is_pending());
            assert!(open() > before);
            drop(dropped);
            assert_eq!(open(), before);

            // Nobody waits for this one, and it does nothing.
            raise(Signal::INT);
            let mut next = pin!(ctrl_c());
            assert!(poll_once(next.as_mut(), &waker).is_pending());
            raise(Signal::INT);
            next.await.unwrap();
        });
    });
}

#[test]
fn what_cannot_be_waited_for_is_refused_by_name() {
    in_own_process(&[], || {
        let _watchdog = watchdog();
        let open = || fs::read_dir("/proc/self/fd").unwrap().count();
        // The reactor's own descriptors are opened once.
        drop(Signals::new([Signal::USR1]).unwrap());
        let before = open();
        let error = Signals::new([Signal::USR1, Signal::from_raw(9)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "cannot wait for SIGKILL: a process never sees it"
        );
        let error = Signals::new([Signal::from_raw(99)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            "cannot wait for signal 99: Invalid argument (os error 22)"
        );
        assert_eq!(open(), before);

        let mut none = Signals::new([]).unwrap();
        let (count, waker) = CountWakes::new();
        for _ in 0..2 {
            let mut next = pin!(none.next());
            assert!(matches!(poll_once(next.as_mut(), &waker), Poll::Pending));
        }
        assert_eq!(count.count(), 0);
    });
}
