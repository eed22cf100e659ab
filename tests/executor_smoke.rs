//! temporary
use parklet::task;
#[test]
fn ready() {
    assert_eq!(task::block_on(async { 1 }), 1);
}
#[test]
fn yields() {
    task::block_on(async {
        for _ in 0..100 {
            task::yield_now().await
        }
    });
}
#[test]
fn spawns() {
    task::block_on(async {
        let mut v = vec![];
        for i in 0..10000u64 {
            v.push(task::spawn(async move { i }))
        }
        let mut s = 0;
        for h in v {
            s += h.await
        }
        assert_eq!(s, 49995000)
    });
}
#[test]
fn nested() {
    fn deep(n: u32) -> u32 {
        if n == 0 {
            0
        } else {
            task::block_on(async move { task::spawn(async move { deep(n - 1) + 1 }).await })
        }
    }
    assert_eq!(deep(50), 50);
}
#[test]
fn sleeps() {
    task::block_on(task::sleep(std::time::Duration::from_millis(20)));
    task::block_on(async { task::spawn(task::sleep(std::time::Duration::from_millis(20))).await });
}
#[test]
fn blocked() {
    task::block_on(async {
        let (s, r) = std::sync::mpsc::channel();
        task::spawn(async move { s.send(1).unwrap() });
        assert_eq!(r.recv().unwrap(), 1);
        task::spawn(async {
            let (s, r) = std::sync::mpsc::channel();
            task::spawn(async move { s.send(1).unwrap() });
            r.recv().unwrap()
        })
        .await;
    })
}
