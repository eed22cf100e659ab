//! Crates that run their work on async-std: async_executors, backoff, opentelemetry_sdk.

use async_executors::{AsyncStd, JoinHandle, SpawnHandle, SpawnHandleExt};
use async_std::task;
use futures_util::future::BoxFuture;
use opentelemetry::trace::{Span, Tracer, TracerProvider as _};
use opentelemetry_sdk::export::trace::{ExportResult, SpanData, SpanExporter};
use opentelemetry_sdk::{runtime, trace::TracerProvider};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Knows nothing of async-std.
async fn sum_of_squares(spawner: impl SpawnHandle<u32>) -> u32 {
    let squares: Vec<JoinHandle<u32>> = (1..=10)
        .map(|n| spawner.spawn_handle(async move { n * n }).unwrap())
        .collect();
    let mut sum = 0;
    for square in squares {
        sum += square.await;
    }
    sum
}

#[test]
fn who_is_generic_over_executors_gets_ours() {
    assert_eq!(AsyncStd::block_on(sum_of_squares(AsyncStd)), 385);
}

#[async_std::test]
async fn what_fails_is_tried_again_after_a_while() {
    let tries = Mutex::new(0);
    let begin = Instant::now();
    let policy = backoff::ExponentialBackoff {
        initial_interval: Duration::from_millis(10),
        randomization_factor: 0.0,
        ..Default::default()
    };
    let result: Result<u32, &str> = backoff::future::retry(policy, || async {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        if *tries < 3 {
            Err(backoff::Error::transient("not yet"))
        } else {
            Ok(*tries)
        }
    })
    .await;
    assert_eq!(result, Ok(3));
    assert!(begin.elapsed() >= Duration::from_millis(20));
}

/// Keeps the names of the spans it is sent.
#[derive(Clone, Debug, Default)]
struct Names(Arc<Mutex<Vec<String>>>);

impl SpanExporter for Names {
    fn export(&mut self, batch: Vec<SpanData>) -> BoxFuture<'static, ExportResult> {
        let names = Arc::clone(&self.0);
        Box::pin(async move {
            task::sleep(Duration::from_millis(1)).await;
            names
                .lock()
                .unwrap()
                .extend(batch.into_iter().map(|span| span.name.into_owned()));
            Ok(())
        })
    }
}

#[async_std::test]
async fn spans_are_sent_in_batches_by_a_task() {
    let names = Names::default();
    let provider = TracerProvider::builder()
        .with_batch_exporter(names.clone(), runtime::AsyncStd)
        .build();
    let tracer = provider.tracer("test");
    for number in 0..100 {
        tracer.start(format!("span {number}")).end();
    }
    // It waits for the task, and so blocks the thread.
    task::spawn_blocking(move || provider.force_flush()).await;
    let sent = names.0.lock().unwrap();
    assert_eq!((sent.len(), sent[99].as_str()), (100, "span 99"));
}
