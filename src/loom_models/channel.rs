//! Models of `channel/`: a message, and room for one, always reach somebody who waits.
//!
//! Each rule has a variant that breaks it; with it the model beside its name has to fail:
//!
//! ```text
//! broken: channel_room_is_kept_quiet           messages_come_out_in_order
//! broken: channel_dropped_recv_keeps_its_turn  a_dropped_recv_passes_its_turn_on
//! broken: channel_dropped_send_keeps_its_turn  a_dropped_send_passes_its_turn_on
//! broken: channel_stream_takes_a_turn          a_stream_that_is_left_alone_takes_no_turn
//! broken: channel_closes_quietly               the_last_sender_wakes_who_waits
//! ```

use super::wait_queue::{block_on, poll};
use crate::channel::{self, RecvError};
use futures_core::Stream;
use loom::thread;
use std::pin::Pin;
use std::task::{Context, Waker};

#[test]
fn messages_come_out_in_order() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded(1);
        let sending = thread::spawn(move || {
            for message in 0..2 {
                block_on(sender.send(message)).unwrap();
            }
        });
        for message in 0..2 {
            assert_eq!(block_on(receiver.recv()), Ok(message));
        }
        assert_eq!(block_on(receiver.recv()), Err(RecvError));
        sending.join().unwrap();
    });
}

#[test]
fn a_dropped_recv_passes_its_turn_on() {
    super::bounded(|| {
        let (sender, receiver) = channel::bounded(1);
        let mut dropped = receiver.recv();
        assert!(poll(&mut dropped).is_pending());

        let sending = thread::spawn(move || {
            sender.try_send(1).unwrap();
            sender
        });
        let receiving = thread::spawn({
            let receiver = receiver.clone();
            move || block_on(receiver.recv())
        });
        drop(dropped);
        assert_eq!(receiving.join().unwrap(), Ok(1));
        drop(sending.join().unwrap());
    });
}

#[test]
fn a_dropped_send_passes_its_turn_on() {
    super::bounded(|| {
        let (sender, receiver) = channel::bounded(1);
        sender.try_send(1).unwrap();
        let mut dropped = sender.send(2);
        assert!(poll(&mut dropped).is_pending());

        let receiving = thread::spawn(move || {
            assert_eq!(receiver.try_recv(), Ok(1));
            receiver
        });
        let sending = thread::spawn({
            let sender = sender.clone();
            move || block_on(sender.send(3))
        });
        drop(dropped);
        assert_eq!(sending.join().unwrap(), Ok(()));
        assert_eq!(receiving.join().unwrap().try_recv(), Ok(3));
    });
}

#[test]
fn a_stream_that_is_left_alone_takes_no_turn() {
    loom::model(|| {
        let (sender, receiver) = channel::unbounded();
        let mut left_alone = receiver.clone();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut left_alone).poll_next(&mut cx).is_pending());

        let sending = thread::spawn(move || {
            sender.try_send(1).unwrap();
            sender
        });
        assert_eq!(block_on(receiver.recv()), Ok(1));
        drop(sending.join().unwrap());
    });
}

#[test]
fn the_last_sender_wakes_who_waits() {
    loom::model(|| {
        let (sender, receiver) = channel::bounded::<u32>(1);
        let other = sender.clone();
        let dropping = thread::spawn(move || drop(other));
        let receiving = thread::spawn(move || block_on(receiver.recv()));
        drop(sender);
        assert_eq!(receiving.join().unwrap(), Err(RecvError));
        dropping.join().unwrap();
    });
}
