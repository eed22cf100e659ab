//! The runtime's own files: one that is copied, by the kernel or through a task, and one that is read in small pieces.

use std::fs;
use std::path::PathBuf;

use tempfile::{TempDir, tempdir};

use super::runtime;
use super::runtime::{ReadExt, WriteExt};
use crate::arena::run::{Run, Workload};

pub(crate) const WORKLOADS: &[Workload] = &[
    Workload::new("fs/copy", copy),
    Workload::new("fs/copy_through", copy_through),
    Workload::new("fs/small_reads", small_reads),
    Workload::new("fs/small_files", small_files),
];

const MIB: usize = 1 << 20;

/// How many MiB the copied file has: the quick form has no time for all.
fn copied_size(run: Run) -> usize {
    run.pick(1, 16, 256)
}

/// Bytes that a copy in the wrong order would not repeat: the prime is no divisor of a buffer's length.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

/// A directory that goes with the run, a file of so many bytes in it, and the name of a second one.
fn files(length: usize) -> (TempDir, PathBuf, PathBuf) {
    let directory = tempdir().unwrap();
    let (from, to) = (directory.path().join("from"), directory.path().join("to"));
    fs::write(&from, pattern(length)).unwrap();
    (directory, from, to)
}

/// `fs::copy`, where the kernel moves the bytes; each one the same file again.
fn copy(run: Run) {
    let mebibytes = copied_size(run);
    let (directory, from, to) = files(mebibytes * MIB);
    let copied = to.clone();
    runtime::block_on(async move {
        runtime::spawn(async move {
            for _ in run.batches(mebibytes as u64) {
                let copied = runtime::fs::copy(from.clone(), to.clone()).await;
                assert_eq!(copied.unwrap(), (mebibytes * MIB) as u64);
            }
        })
        .await;
    });
    assert!(fs::read(copied).unwrap() == pattern(mebibytes * MIB));
    drop(directory);
}

/// `io::copy` from one file into another, through the runtime's buffers.
fn copy_through(run: Run) {
    let mebibytes = copied_size(run);
    let (directory, from, to) = files(mebibytes * MIB);
    let copied = to.clone();
    runtime::block_on(async move {
        runtime::spawn(async move {
            for _ in run.batches(mebibytes as u64) {
                let mut reader = runtime::fs::File::open(from.clone()).await.unwrap();
                let mut writer = runtime::fs::File::create(to.clone()).await.unwrap();
                let copied = runtime::copy(&mut reader, &mut writer).await.unwrap();
                writer.flush().await.unwrap();
                assert_eq!(copied, (mebibytes * MIB) as u64);
            }
        })
        .await;
    });
    assert!(fs::read(copied).unwrap() == pattern(mebibytes * MIB));
    drop(directory);
}

/// How long a small read is.
const SMALL: usize = 64;

/// The file from its begin to its end, 64 bytes at a time.
fn small_reads(run: Run) {
    let reads = run.pick(100, 10_000, 10_000);
    let (directory, path, _) = files(reads * SMALL);
    let expected: u64 = pattern(reads * SMALL).into_iter().map(u64::from).sum();
    runtime::block_on(async move {
        runtime::spawn(async move {
            for _ in run.batches(reads as u64) {
                let mut file = runtime::fs::File::open(path.clone()).await.unwrap();
                let (mut buffer, mut sum) = ([0; SMALL], 0);
                for _ in 0..reads {
                    file.read_exact(&mut buffer).await.unwrap();
                    sum += buffer.iter().map(|&byte| u64::from(byte)).sum::<u64>();
                }
                assert_eq!(sum, expected);
            }
        })
        .await;
    });
    drop(directory);
}

/// `fs::read` of the same small file again and again.
fn small_files(run: Run) {
    let reads = run.pick(10, 1_000, 10_000);
    let (directory, path, _) = files(SMALL);
    runtime::block_on(async move {
        runtime::spawn(async move {
            let expected = pattern(SMALL);
            for _ in run.batches(reads) {
                for _ in 0..reads {
                    let content = runtime::fs::read(path.clone()).await.unwrap();
                    assert_eq!(content, expected);
                }
            }
        })
        .await;
    });
    drop(directory);
}
