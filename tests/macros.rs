//! The attributes on functions they are for. What they say of others is in `macro_errors.rs`.

use std::future::ready;
use std::io;
use std::process::{ExitCode, Termination};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whatever parklet is called elsewhere.
mod renamed {
    pub(crate) mod deeper {
        pub(crate) use ::parklet::task;
    }
}

#[parklet::test]
async fn a_test_awaits_and_is_a_task() {
    let id = parklet::task::current().id();
    parklet::task::yield_now().await;
    assert_eq!(parklet::task::spawn(ready(7)).await, 7);
    assert_eq!(parklet::task::current().id(), id);
}

#[parklet::test]
async fn a_test_may_return_a_result() -> io::Result<()> {
    let listener = parklet::net::TcpListener::bind("127.0.0.1:0").await?;
    listener.local_addr()?;
    Ok(())
}

#[parklet::test]
#[should_panic(expected = "out of cheese")]
async fn a_test_may_have_to_panic() {
    ready(()).await;
    panic!("out of cheese");
}

#[should_panic]
#[parklet::test]
async fn the_order_of_attributes_does_not_matter() {
    panic!("out of cheese");
}

#[parklet::test]
#[ignore = "it would fail"]
async fn a_test_may_be_ignored() {
    panic!("an ignored test has been run");
}

#[parklet::test]
async fn what_is_not_send_may_be_held_across_an_await() {
    let local = Rc::new(1);
    parklet::task::yield_now().await;
    assert_eq!(*local, 1);
}

#[parklet::test(crate = "crate::renamed::deeper")]
async fn parklet_may_have_another_name() {
    renamed::deeper::task::yield_now().await;
}

#[parklet::test(crate = "::parklet")]
async fn a_comma_may_follow() {}

/// Functions from a macro, whose pieces come in invisible brackets.
macro_rules! tests {
    ($($visibility:vis $name:ident -> $output:ty $body:block)*) => {$(
        #[parklet::test]
        $visibility async fn $name() -> $output $body
    )*};
}

tests! {
    a_macro_may_write_a_test -> () { ready(()).await }
    pub(crate) a_macro_may_write_a_public_test -> Result<(), String> { ready(Ok(())).await }
}

mod entry {
    use super::*;

    pub(super) static RUNS: AtomicUsize = AtomicUsize::new(0);

    /// Its docs and its visibility stay.
    #[parklet::main]
    pub(super) async fn main() -> io::Result<usize>
    where
        usize: Copy,
    {
        let before = parklet::task::spawn(async { RUNS.fetch_add(1, Ordering::SeqCst) }).await;
        if before == 2 {
            return Err(io::Error::other("run too often"));
        }
        Ok(before)
    }
}

#[test]
fn an_entry_is_a_plain_function() {
    let entry: fn() -> io::Result<usize> = entry::main;
    assert_eq!(entry().unwrap(), 0);
    assert_eq!(entry().unwrap(), 1);
    assert_eq!(entry().unwrap_err().to_string(), "run too often");
}

mod opaque_entry {
    use super::*;

    #[parklet::main(crate = "parklet")]
    pub(super) async fn main() -> impl Termination {
        ready(ExitCode::from(7)).await
    }
}

#[test]
fn an_entry_may_return_what_a_main_may() {
    let code = opaque_entry::main().report();
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(7)));
}
