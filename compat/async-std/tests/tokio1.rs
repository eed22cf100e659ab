//! With the feature `tokio1`, what is tokio's works inside of async-std's tasks.

use async_std::task;
use futures_util::future::join;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;

/// A timer, and a connection from one of tokio's sockets to another.
async fn use_tokio() -> bool {
    tokio::time::sleep(Duration::from_millis(1)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (accepted, connected) = join(listener.accept(), TcpStream::connect(address)).await;
    accepted.is_ok() && connected.is_ok()
}

#[test]
fn tokios_sockets_and_timers_work_in_every_kind_of_task() {
    assert!(task::block_on(use_tokio()));
    assert!(task::block_on(task::spawn(use_tokio())));
    assert!(task::block_on(async {
        task::spawn(tokio::spawn(use_tokio())).await.unwrap()
    }));
    #[cfg(feature = "unstable")]
    assert!(task::block_on(async {
        task::spawn_local(use_tokio()).await
    }));
}

#[test]
fn a_thread_outside_of_tasks_is_not_inside_of_tokio() {
    task::block_on(async { assert!(Handle::try_current().is_ok()) });
    assert!(Handle::try_current().is_err());
}
