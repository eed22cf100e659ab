//! The operations whose cost is counted, each to be repeated: by the tests beside this file, and by the bench `instructions`.
//!
//! What an operation needs is made once for all repetitions, so that the difference between two numbers of repetitions is
//! the cost of the operation alone. Each one's sum is checked, so that nothing is counted that was not done.

#![allow(dead_code, reason = "no program counts all of them")]

use parklet::future::timeout;
use parklet::io::{ReadExt, WriteExt};
use parklet::net::{TcpListener, TcpStream};
use parklet::reactor::Timer;
use parklet::sync::{Mutex, broadcast};
use parklet::{channel, task};
use std::future::{Future, poll_fn, ready};
use std::hint::black_box;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

/// So many tasks wait in a queue at once where many do. The numbers of repetitions are multiples of it.
pub(crate) const MANY: u32 = 100;

/// Never over while a test lasts.
const HOUR: Duration = Duration::from_secs(3600);

/// Spawns a task and awaits it.
pub(crate) async fn spawn_and_join(times: u32) {
    for number in 0..times {
        assert_eq!(task::spawn(async move { black_box(number) }).await, number);
    }
}

/// Spawns [`MANY`] tasks, then awaits them one after the other.
pub(crate) async fn spawn_many_and_join(times: u32) {
    for _ in 0..times / MANY {
        let handles = [1; MANY as usize].map(|one| task::spawn(async move { black_box(one) }));
        let mut sum = 0;
        for handle in handles {
            sum += handle.await;
        }
        assert_eq!(sum, MANY);
    }
}

/// Spawns [`MANY`] tasks and lets go of them, then yields until they have ended.
pub(crate) async fn spawn_and_detach(times: u32) {
    let ended = Arc::new(AtomicU32::new(0));
    for batch in 1..=times / MANY {
        for _ in 0..MANY {
            let ended = Arc::clone(&ended);
            task::spawn(async move { ended.fetch_add(1, Ordering::Relaxed) }).detach();
        }
        while ended.load(Ordering::Relaxed) < batch * MANY {
            task::yield_now().await;
        }
    }
}

/// Spawns [`MANY`] tasks from a thread that is none of the runtime's, and waits for the last of them as threads do.
pub(crate) fn spawn_from_outside(times: u32) {
    let ended = Arc::new(AtomicU32::new(0));
    for batch in 1..=times / MANY {
        for _ in 0..MANY {
            let (ended, caller) = (Arc::clone(&ended), thread::current());
            task::spawn(async move {
                if ended.fetch_add(1, Ordering::AcqRel) + 1 == batch * MANY {
                    caller.unpark();
                }
            })
            .detach();
        }
        while ended.load(Ordering::Acquire) < batch * MANY {
            thread::park();
        }
    }
}

/// Yields.
pub(crate) async fn yield_now(times: u32) {
    for _ in 0..times {
        task::yield_now().await;
    }
}

/// Two tasks that wake each other in turn: a wake, the poll that answers it, and the return to idleness.
pub(crate) async fn wake_and_poll(times: u32) {
    let game = Arc::new(Game {
        turn: AtomicU32::new(0),
        last: times,
        wakers: Default::default(),
    });
    let other = task::spawn(play(Arc::clone(&game), 1));
    play(game, 0).await;
    other.await;
}

/// Two tasks that have turns.
struct Game {
    /// The number of the turn; even ones are the first player's.
    turn: AtomicU32,
    /// How many there are.
    last: u32,
    /// Their wakers.
    wakers: [OnceLock<Waker>; 2],
}

/// Has every other turn, and wakes the other player after it.
async fn play(game: Arc<Game>, player: usize) {
    poll_fn(|cx| {
        game.wakers[player].get_or_init(|| cx.waker().clone());
        let mut turn = game.turn.load(Ordering::Acquire);
        if turn < game.last && turn % 2 == player as u32 {
            turn += 1;
            game.turn.store(turn, Ordering::Release);
            if let Some(other) = game.wakers[1 - player].get() {
                other.wake_by_ref();
            }
        }
        if turn < game.last {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// Wakes a task that has been woken already.
pub(crate) async fn wake_once_more(times: u32) {
    poll_fn(|cx| {
        for _ in 0..times {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(())
    })
    .await;
}

/// A `block_on` whose future is ready at once.
pub(crate) fn block_on_ready(times: u32) {
    for number in 0..times {
        assert_eq!(task::block_on(ready(black_box(number))), number);
    }
}

/// A `block_on` whose future yields once.
pub(crate) fn block_on_yield(times: u32) {
    for _ in 0..times {
        task::block_on(task::yield_now());
    }
}

/// A call on the blocking pool, awaited.
pub(crate) async fn spawn_blocking(times: u32) {
    for number in 0..times {
        assert_eq!(
            task::spawn_blocking(move || black_box(number)).await,
            number
        );
    }
}

/// Locks and unlocks a mutex that nobody else wants.
pub(crate) async fn lock_free(times: u32) {
    let mutex = Mutex::new(0);
    for _ in 0..times {
        *mutex.lock().await += 1;
    }
    assert_eq!(*mutex.lock().await, times);
}

/// Locks and unlocks a mutex that another task holds; each holder yields.
pub(crate) async fn lock_contended(times: u32) {
    async fn count(mutex: Arc<Mutex<u32>>, times: u32) {
        for _ in 0..times {
            let mut sum = mutex.lock().await;
            task::yield_now().await;
            *sum += 1;
        }
    }
    let mutex = Arc::new(Mutex::new(0));
    let other = task::spawn(count(Arc::clone(&mutex), times / 2));
    count(Arc::clone(&mutex), times / 2).await;
    other.await;
    assert_eq!(*mutex.lock().await, times);
}

/// Sends a message and receives it, neither of which has to wait.
pub(crate) async fn channel_ready(times: u32) {
    let (sender, receiver) = channel::bounded(1);
    for number in 0..times {
        sender.send(number).await.unwrap();
        assert_eq!(receiver.recv().await, Ok(number));
    }
}

/// Sends a message to a task that waits for it, there and back: half of what is counted for the pair.
pub(crate) async fn channel_waiting(times: u32) {
    let (there, here) = (channel::bounded(1), channel::bounded(1));
    let other = task::spawn(async move {
        while let Ok(number) = there.1.recv().await {
            here.0.send(number).await.unwrap();
        }
    });
    for number in 0..times / 2 {
        there.0.send(number).await.unwrap();
        assert_eq!(here.1.recv().await, Ok(number));
    }
    drop(there.0);
    other.await;
}

/// Broadcasts a value and receives it, neither of which has to wait.
pub(crate) async fn broadcast_ready(times: u32) {
    let (sender, mut receiver) = broadcast::channel(16);
    for number in 0..times {
        assert_eq!(sender.send(number), Ok(1));
        assert_eq!(receiver.recv().await, Ok(number));
    }
}

/// Broadcasts a value to ten tasks, each of which waits for it.
pub(crate) async fn broadcast_waiting(times: u32) {
    const RECEIVERS: u32 = 10;
    let (sender, _) = broadcast::channel(16);
    let delivered = Arc::new(AtomicU32::new(0));
    let tasks = [(); RECEIVERS as usize].map(|()| {
        let (mut receiver, delivered) = (sender.subscribe(), Arc::clone(&delivered));
        task::spawn(async move {
            while receiver.recv().await.is_ok() {
                delivered.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    for number in 1..=times {
        assert_eq!(sender.send(number), Ok(RECEIVERS as usize));
        while delivered.load(Ordering::Relaxed) < number * RECEIVERS {
            task::yield_now().await;
        }
    }
    drop(sender);
    for task in tasks {
        task.await;
    }
}

/// A time limit around a future that is ready at once.
pub(crate) async fn timeout_ready(times: u32) {
    for number in 0..times {
        let limited = timeout(HOUR, ready(black_box(number)));
        assert_eq!(limited.await, Ok(number));
    }
}

/// A time limit around a future that yields once.
pub(crate) async fn timeout_pending(times: u32) {
    for _ in 0..times {
        assert_eq!(timeout(HOUR, task::yield_now()).await, Ok(()));
    }
}

/// Sets a timer and drops it long before it is due.
pub(crate) async fn timer_cancelled(times: u32) {
    for _ in 0..times {
        let mut timer = pin!(Timer::after(HOUR));
        poll_fn(|cx| {
            assert!(timer.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }
}

/// Sets a timer and waits for it.
pub(crate) async fn timer_fired(times: u32) {
    for _ in 0..times {
        task::sleep(Duration::from_micros(1)).await;
    }
}

/// One byte to another task and back, over TCP.
pub(crate) async fn tcp_echo(times: u32) {
    let (mut here, there) = connected().await;
    let echo = task::spawn(serve_echo(there));
    let mut byte = [0];
    for number in 0..times {
        let sent = [number as u8];
        here.write_all(&sent).await.unwrap();
        here.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, sent);
    }
    drop(here);
    echo.await;
}

/// Sends back what comes, to the end of the stream.
pub(crate) async fn serve_echo(mut stream: TcpStream) {
    let mut buffer = [0; 64];
    loop {
        let length = stream.read(&mut buffer).await.unwrap();
        if length == 0 {
            return;
        }
        stream.write_all(&buffer[..length]).await.unwrap();
    }
}

/// Two ends of one connection.
pub(crate) async fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (there, _) = listener.accept().await.unwrap();
    (here, there)
}

/// Accepts a connection and closes it; it was made by a call of std's.
pub(crate) async fn accept_and_close(times: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..times {
        let client = connect_by_std(address);
        let (stream, from) = listener.accept().await.unwrap();
        assert_eq!(from, client.local_addr().unwrap());
        drop(stream);
    }
}

/// Returns as soon as the kernel has put the connection into the listener's queue.
fn connect_by_std(address: SocketAddr) -> std::net::TcpStream {
    std::net::TcpStream::connect(address).unwrap()
}
