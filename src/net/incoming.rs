//! The connections of a listener as a stream, for TCP and unix alike.

/// Makes the types `Incoming` and `IntoIncoming` for a listener that has `poll_connection`.
///
/// A macro because either has to be a type of its own under std's name, in two modules.
macro_rules! impl_incoming {
    ($listener:ident, $stream:ty) => {
        #[doc = concat!("The connections of a listener; [`", stringify!($listener), "::incoming`] makes it.")]
        #[derive(Debug)]
        #[must_use = "streams do nothing unless polled"]
        pub struct Incoming<'a> {
            /// Where they come from.
            listener: &'a $listener,
            /// This stream's place before it.
            turn: $crate::net::Turn,
        }

        #[doc = concat!(
            "The connections of a listener that it owns; [`", stringify!($listener), "::into_incoming`] makes it."
        )]
        #[derive(Debug)]
        #[must_use = "streams do nothing unless polled"]
        pub struct IntoIncoming {
            /// Where they come from.
            listener: $listener,
            /// This stream's place before it.
            turn: $crate::net::Turn,
        }

        $crate::net::impl_incoming!(@stream Incoming<'_>, $stream);
        $crate::net::impl_incoming!(@stream IntoIncoming, $stream);
    };
    (@stream $incoming:ty, $stream:ty) => {
        impl futures_core::Stream for $incoming {
            type Item = std::io::Result<$stream>;

            fn poll_next(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<Self::Item>> {
                let this = self.get_mut();
                this.listener.poll_connection(cx, &mut this.turn).map(Some)
            }
        }
    };
}
pub(crate) use impl_incoming;
