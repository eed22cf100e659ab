//! Channels: parklet's, which have the surface of async-channel 1.x and 2.x and types that are `Unpin`.

pub use parklet::channel::{
    Closed, Receiver, Recv, RecvError, Send, SendError, Sender, TryRecvError, TrySendError,
    WeakReceiver, WeakSender, bounded, unbounded,
};
