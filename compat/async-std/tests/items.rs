//! Every item that async-std's users name, under its path and the feature it wants.

#![allow(
    unused_imports,
    reason = "that there is something to import is the test"
)]

#[cfg(feature = "alloc")]
mod alloc {
    use async_std::future::Future;
    use async_std::stream::{
        Chain, Cloned, Copied, Empty, Filter, FromFn, FromIter, Fuse, Inspect, Map, Once, Repeat,
        RepeatWith, Scan, Skip, SkipWhile, StepBy, Stream, StreamExt, Take, TakeWhile, Zip, empty,
        from_fn, from_iter, once, repeat, repeat_with,
    };
    use async_std::task::{Context, Poll, Waker, ready};
}

#[cfg(feature = "std")]
mod std {
    use async_std::channel::{
        Receiver, Recv, RecvError, Send, SendError, Sender, TryRecvError, TrySendError,
        WeakReceiver, WeakSender, bounded, unbounded,
    };
    use async_std::future::{pending, poll_fn, ready};
    use async_std::io::prelude::{
        BufRead as _, BufReadExt as _, Read as _, ReadExt as _, Seek as _, SeekExt as _,
        Write as _, WriteExt as _,
    };
    use async_std::io::{
        BufRead, BufReadExt, BufReader, BufWriter, Bytes, Chain, Cursor, Empty, Error, ErrorKind,
        IntoInnerError, IoSlice, IoSliceMut, Lines, Read, ReadExt, Repeat, Result, Seek, SeekExt,
        SeekFrom, Sink, Split, Take, Write, WriteExt, copy, empty, repeat, sink,
    };
    use async_std::os::unix::io::{AsRawFd, FromRawFd, IntoRawFd, RawFd};
    use async_std::prelude::{Future, FutureExt, Stream, StreamExt};
    use async_std::sync::{
        Arc, Mutex, MutexGuard, MutexGuardArc, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
        RwLockWriteGuard, Weak,
    };
    use async_std::task::yield_now;
}

#[cfg(feature = "default")]
mod default {
    use async_std::fs::{
        DirBuilder, DirEntry, File, FileType, Metadata, OpenOptions, Permissions, ReadDir,
        canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_dir,
        read_link, read_to_string, remove_dir, remove_dir_all, remove_file, rename,
        set_permissions, symlink_metadata, write,
    };
    use async_std::future::{TimeoutError, timeout};
    use async_std::io::{Stderr, Stdin, Stdout, stderr, stdin, stdout, timeout as io_timeout};
    use async_std::net::{
        AddrParseError, Incoming, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4,
        SocketAddrV6, TcpListener, TcpStream, ToSocketAddrs, UdpSocket,
    };
    use async_std::os::unix::fs::{DirBuilderExt, DirEntryExt, OpenOptionsExt, symlink};
    use async_std::os::unix::net::{
        Incoming as UnixIncoming, SocketAddr as UnixSocketAddr, UnixDatagram, UnixListener,
        UnixStream,
    };
    use async_std::path::{
        Ancestors, Component, Components, Display, Iter, MAIN_SEPARATOR, Path, PathBuf, Prefix,
        PrefixComponent, StripPrefixError, is_separator,
    };
    use async_std::task::{
        AccessError, Builder, JoinHandle, LocalKey, Task, TaskId, block_on, current, sleep, spawn,
        spawn_blocking, try_current,
    };
    use async_std::{prelude::task_local as in_the_prelude, task_local};
}

#[cfg(all(feature = "default", feature = "unstable"))]
mod unstable {
    use async_std::future::IntoFuture;
    use async_std::os::unix::process::CommandExt;
    use async_std::pin::Pin;
    use async_std::prelude::{DoubleEndedStream as _, ExactSizeStream as _};
    use async_std::process::{
        Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio, abort,
        exit, id,
    };
    use async_std::stream::{
        Delay, DoubleEndedStream, ExactSizeStream, Extend, FlatMap, Flatten, FromStream,
        FusedStream, Interval, IntoStream, Merge, Pending, Product, Successors, Sum, Throttle,
        Timeout, TimeoutError, extend, interval, pending, successors,
    };
    use async_std::sync::{Barrier, BarrierWaitResult, Condvar};
    use async_std::task::spawn_local;
    use async_std::{eprint, eprintln, print, println, write, writeln};
}

#[cfg(feature = "attributes")]
mod attributes {
    use async_std::{main, test};
}

#[cfg(feature = "io_safety")]
mod io_safety {
    use async_std::os::unix::io::{AsFd, BorrowedFd, OwnedFd};
}
