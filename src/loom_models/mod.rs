//! Models for loom, one file a protocol. Run them with
//! `RUSTFLAGS="--cfg parklet_loom" cargo test --release --lib loom_models`.
//!
//! Each file names the *broken variants* of the rules that it checks, a line each. With `PARKLET_LOOM_BROKEN=NAME` in the
//! environment that rule is broken in the code (`is_broken` in `primitive.rs`), and a model has to fail.

mod blocking_pool;
mod broadcast;
mod channel;
mod deadlines;
mod idle;
mod last_resort;
mod once_cell;
pub(crate) mod parker;
mod recycle;
mod rw_lock;
mod semaphore;
mod slot;
mod source;
mod task_state;
mod wait_queue;

/// Checks a model of three threads: all orders with up to two forced switches, where nearly all bugs of this kind are
/// (Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007); all orders whatever would take hours.
fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}
