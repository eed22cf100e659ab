//! One call of std's on a path, on the blocking pool: one hop there and back, however much the call does.

use crate::io::{Explain, Result};
use crate::task;
use std::path::Path;

/// Makes the call on a thread of the pool. An error says `cannot DEED "PATH": CAUSE`.
pub(super) async fn on_path<T, C>(deed: &'static str, path: &Path, call: C) -> Result<T>
where
    T: Send + 'static,
    C: FnOnce(&Path) -> Result<T> + Send + 'static,
{
    let path = path.to_owned();
    task::spawn_blocking(move || call(&path).explain(|| format!("cannot {deed} {path:?}"))).await
}
/// The same with two paths. An error says `cannot DEED "FROM" to "TO": CAUSE`.
pub(crate) async fn on_paths<T, C>(deed: &'static str, from: &Path, to: &Path, call: C) -> Result<T>
where
    T: Send + 'static,
    C: FnOnce(&Path, &Path) -> Result<T> + Send + 'static,
{
    let (from, to) = (from.to_owned(), to.to_owned());
    task::spawn_blocking(move || {
        call(&from, &to).explain(|| format!("cannot {deed} {from:?} to {to:?}"))
    })
    .await
}
