//! Models for loom, one file a protocol. Run them with
//! `RUSTFLAGS="--cfg parklet_loom" cargo test --release --lib loom_models`.

mod wait_queue;
