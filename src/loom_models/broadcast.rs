//! Models of `sync/broadcast/`: whoever is there when a value is sent gets it, and then it is gone.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: broadcast_send_wakes_one               a_send_wakes_everyone_who_waits
//! broken: broadcast_subscriber_is_counted_late   a_subscriber_that_meets_a_send_gets_it_or_not
//! broken: broadcast_gone_receiver_is_waited_for  a_receiver_that_meets_a_send_leaves_nothing_behind
//! broken: broadcast_publishes_the_tail_late      who_has_heard_of_a_value_finds_it
//! broken: broadcast_last_sender_goes_quietly     the_last_sender_ends_the_stream
//! ```

use super::wait_queue::block_on;
use crate::sync::broadcast;
use crate::sync::broadcast::error::{RecvError, TryRecvError};
use loom::thread;
use std::sync::Arc;

#[test]
fn a_recv_that_meets_a_send_is_woken() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(2);
        let sending = thread::spawn(move || {
            for value in 0..2 {
                sender.send(value).unwrap();
            }
            sender
        });
        assert_eq!(block_on(receiver.recv()), Ok(0));
        assert_eq!(block_on(receiver.recv()), Ok(1));
        assert_eq!(sending.join().unwrap().len(), 0);
    });
}

#[test]
fn a_send_wakes_everyone_who_waits() {
    super::bounded(|| {
        let (sender, mut receiver) = broadcast::channel(1);
        let mut other = receiver.clone();
        let receiving = thread::spawn(move || block_on(other.recv()));
        let sending = thread::spawn(move || {
            sender.send(1).unwrap();
            sender
        });
        assert_eq!(block_on(receiver.recv()), Ok(1));
        assert_eq!(receiving.join().unwrap(), Ok(1));
        drop(sending.join().unwrap());
    });
}

#[test]
fn a_subscriber_that_meets_a_send_gets_it_or_not() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(2);
        let sending = thread::spawn({
            let sender = sender.clone();
            move || sender.send(Arc::new(1))
        });
        let mut late = sender.subscribe();
        let readers = sending.join().unwrap().unwrap();
        let got = receiver.try_recv();
        let value = got.as_deref().copied();
        assert_eq!(value, Ok(1));
        // As many as the send said have to read it; then the ring has let it go.
        if readers == 2 {
            assert_eq!(late.try_recv(), got);
        }
        assert_eq!(late.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(Arc::strong_count(&got.unwrap()), 1);
    });
}

#[test]
fn a_receiver_that_meets_a_send_leaves_nothing_behind() {
    loom::model(|| {
        let (sender, receiver) = broadcast::channel(2);
        let mut other = receiver.clone();
        let value = Arc::new(1);
        let sending = thread::spawn({
            let (sender, value) = (sender.clone(), Arc::clone(&value));
            move || drop(sender.send(value))
        });
        drop(receiver);
        sending.join().unwrap();
        assert_eq!(sender.len(), 1);
        assert_eq!(other.try_recv().as_deref(), Ok(&1));
        assert_eq!(sender.len(), 0);
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

#[test]
fn who_has_heard_of_a_value_finds_it() {
    loom::model(|| {
        let (sender, mut first) = broadcast::channel(2);
        let mut second = first.clone();
        let sending = thread::spawn(move || {
            sender.send(1).unwrap();
            sender
        });
        assert_eq!(block_on(first.recv()), Ok(1));
        assert_eq!(second.len(), 1);
        assert_eq!(second.try_recv(), Ok(1));
        drop(sending.join().unwrap());
    });
}

#[test]
fn the_last_sender_ends_the_stream() {
    loom::model(|| {
        let (sender, mut receiver) = broadcast::channel(2);
        let other = sender.clone();
        let sending = thread::spawn(move || {
            other.send(1).unwrap();
        });
        drop(sender);
        assert_eq!(block_on(receiver.recv()), Ok(1));
        assert_eq!(block_on(receiver.recv()), Err(RecvError::Closed));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        sending.join().unwrap();
    });
}
