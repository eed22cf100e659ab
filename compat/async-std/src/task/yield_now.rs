//! Stepping back.

/// Lets the other tasks run first.
pub async fn yield_now() {
    parklet::task::yield_now().await;
}
