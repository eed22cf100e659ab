//! `#[async_std::main]` and `#[async_std::test]` lead to this crate, whatever else stands on the function.

use async_std::task;
use std::io;

#[async_std::test]
async fn a_test_is_a_task() {
    assert!(task::try_current().is_some());
}

#[async_std::test]
async fn a_test_may_return_a_result() -> io::Result<()> {
    task::spawn(async { Ok(()) }).await
}

#[async_std::test]
#[should_panic(expected = "this is what the test waits for")]
async fn other_attributes_pass_through() {
    panic!("this is what the test waits for");
}

#[async_std::test]
#[ignore = "passing it over is the test"]
async fn an_ignored_test_does_not_run() {
    panic!("it runs");
}

mod a_program {
    #[async_std::main]
    #[allow(clippy::unused_async, reason = "what is tested is the macro")]
    async fn main() -> std::io::Result<()> {
        async_std::task::yield_now().await;
        Err(std::io::ErrorKind::Other.into())
    }

    #[test]
    fn main_gives_its_result() {
        assert!(main().is_err());
    }
}
