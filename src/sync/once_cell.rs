//! A cell that is filled once, by the first task that needs the value.

#![allow(
    unsafe_code,
    reason = "std's OnceLock blocks the thread while another one fills it; tasks have to wait instead"
)]

use super::once_state::{Filling, OnceState};
use std::cell::UnsafeCell;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;

/// A value that is made once, by a future, when it is first needed.
///
/// The first task that asks makes it; those who ask meanwhile wait, and all get a reference to the same value. If making
/// it fails, panics or is dropped midway, the next one in line makes it with its own initializer.
///
/// An initializer that asks its own cell waits for itself, for ever. Where nothing can be awaited,
/// [`block_on`](crate::task::block_on) waits, and [`try_set`](OnceCell::try_set) need not.
///
/// In async-lock's names and meaning, but first come, first served. Once it is full, looking at it is one load.
///
/// # Examples
///
/// ```
/// use parklet::sync::OnceCell;
///
/// static GREETING: OnceCell<String> = OnceCell::new();
///
/// async fn greeting() -> &'static str {
///     GREETING.get_or_init(async || "hello".to_owned()).await
/// }
///
/// # parklet::task::block_on(async {
/// assert_eq!(greeting().await, "hello");
/// assert_eq!(GREETING.get().map(String::as_str), Some("hello"));
/// # });
/// ```
pub struct OnceCell<T> {
    /// Whether it is full, who fills it, who waits.
    state: OnceState,
    /// `Some` when it is full. Written by who has the [`Filling`], and read by all from then on.
    value: UnsafeCell<Option<T>>,
}

// SAFETY: through `&OnceCell` one thread puts the value in, so it has to be `Send`, and when it is full all threads may
// read it, so it has to be `Sync` (rules 1 and 2 of `once_state.rs`).
unsafe impl<T: Send + Sync> Sync for OnceCell<T> {}

impl<T> OnceCell<T> {
    /// An empty cell; also in a `static`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// let cell = OnceCell::<u32>::new();
    /// assert_eq!(cell.get(), None);
    /// ```
    pub const fn new() -> OnceCell<T> {
        OnceCell {
            state: OnceState::new(false),
            value: UnsafeCell::new(None),
        }
    }

    /// Whether there is a value.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// assert!(!OnceCell::<u32>::new().is_initialized());
    /// assert!(OnceCell::from(1).is_initialized());
    /// ```
    pub fn is_initialized(&self) -> bool {
        self.state.is_full()
    }

    /// The value, if there is one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// assert_eq!(OnceCell::from(1).get(), Some(&1));
    /// ```
    pub fn get(&self) -> Option<&T> {
        if !self.state.is_full() {
            return None;
        }
        // SAFETY: it is full, so by rule 2 of `once_state.rs` it is only read as long as the cell is borrowed.
        unsafe { &*self.value.get() }.as_ref()
    }

    /// The value to change, if there is one: `&mut self` says that nobody else is there.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// let mut cell = OnceCell::from(1);
    /// *cell.get_mut().unwrap() = 2;
    /// assert_eq!(cell.get(), Some(&2));
    /// ```
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut().as_mut()
    }

    /// Takes the value out, so that the cell is empty again.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// let mut cell = OnceCell::from(1);
    /// assert_eq!(cell.take(), Some(1));
    /// assert_eq!(cell.get(), None);
    /// ```
    pub fn take(&mut self) -> Option<T> {
        self.state.empty();
        self.value.get_mut().take()
    }

    /// The value, if there is one, since nobody else has the cell any more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// assert_eq!(OnceCell::from(1).into_inner(), Some(1));
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// The value; makes it if there is none, or waits for who makes it already.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. Dropped while it makes the value it drops the initializer with what that has done so far, and the
    /// next one in line makes the value. A future that is kept but no longer polled stops everybody behind it: drop it.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::OnceCell;
    ///
    /// # parklet::task::block_on(async {
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get_or_init(async || 1).await, &1);
    /// assert_eq!(cell.get_or_init(async || 2).await, &1);
    /// # });
    /// ```
    pub async fn get_or_init<F: Future<Output = T>>(&self, init: impl FnOnce() -> F) -> &T {
        let init = || async { Ok(init().await) };
        match self.get_or_try_init(init).await {
            Ok(value) => value,
            Err::<_, Infallible>(never) => match never {},
        }
    }

    /// The value; tries to make it if there is none, or waits for who tries already.
    ///
    /// # Errors
    ///
    /// The initializer's, if it was this call that tried. The cell is empty still, and the next one in line tries with
    /// its own initializer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`get_or_init`](OnceCell::get_or_init) is.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::OnceCell;
    ///
    /// # parklet::task::block_on(async {
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(async || Err("not now")).await, Err("not now"));
    /// assert_eq!(cell.get_or_try_init(async || Ok::<_, ()>(1)).await, Ok(&1));
    /// # });
    /// ```
    pub async fn get_or_try_init<E, F: Future<Output = Result<T, E>>>(
        &self,
        init: impl FnOnce() -> F,
    ) -> Result<&T, E> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        if let Some(filling) = self.state.begin().await {
            // An error, a panic or being dropped here drops `filling`, which gives up.
            let value = init().await?;
            self.fill(filling, value);
        }
        Ok(self.filled())
    }

    /// Puts the value in, if there is none; waits for who is making one.
    ///
    /// # Errors
    ///
    /// The value, if the cell has one already.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, but the value is gone with the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::OnceCell;
    ///
    /// # parklet::task::block_on(async {
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.set(1).await, Ok(&1));
    /// assert_eq!(cell.set(2).await, Err(2));
    /// # });
    /// ```
    pub async fn set(&self, value: T) -> Result<&T, T> {
        match self.state.begin().await {
            Some(filling) => {
                self.fill(filling, value);
                Ok(self.filled())
            }
            None => Err(value),
        }
    }

    /// Puts the value in, if there is none and nobody is making one, without waiting.
    ///
    /// # Errors
    ///
    /// The value, if the cell has one already, or will have one soon.
    ///
    /// # Examples
    ///
    /// ```
    /// # use parklet::sync::OnceCell;
    /// let cell = OnceCell::new();
    /// assert_eq!(cell.try_set(1), Ok(()));
    /// assert_eq!(cell.try_set(2), Err(2));
    /// ```
    pub fn try_set(&self, value: T) -> Result<(), T> {
        match self.state.try_begin() {
            Some(filling) => {
                self.fill(filling, value);
                Ok(())
            }
            None => Err(value),
        }
    }

    /// Waits until somebody has put a value in.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::sync::{Arc, OnceCell};
    /// use parklet::task;
    ///
    /// # task::block_on(async {
    /// let cell = Arc::new(OnceCell::new());
    /// let waits = task::spawn({
    ///     let cell = Arc::clone(&cell);
    ///     async move { *cell.wait().await }
    /// });
    /// cell.set(7).await.unwrap();
    /// assert_eq!(waits.await, 7);
    /// # });
    /// ```
    pub async fn wait(&self) -> &T {
        self.state.watch().await;
        self.filled()
    }

    /// Puts the value in. The `Filling` is this cell's.
    fn fill(&self, filling: Filling<'_>, value: T) {
        // SAFETY: rule 1 of `once_state.rs` gives the value to who has the `Filling`, and nobody has a reference to it,
        // since the cell is not full.
        unsafe { *self.value.get() = Some(value) };
        filling.fill();
    }

    /// The value of a cell that was full a moment ago.
    fn filled(&self) -> &T {
        self.get()
            .expect("a cell that is borrowed stays full (rule 2 of once_state.rs)")
    }
}

impl<T> Default for OnceCell<T> {
    fn default() -> OnceCell<T> {
        OnceCell::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    fn from(value: T) -> OnceCell<T> {
        OnceCell {
            state: OnceState::new(true),
            value: UnsafeCell::new(Some(value)),
        }
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    /// A cell with a clone of the value, or an empty one.
    fn clone(&self) -> OnceCell<T> {
        self.get()
            .map_or_else(OnceCell::new, |value| OnceCell::from(value.clone()))
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    /// Whether both are empty or have equal values.
    fn eq(&self, other: &OnceCell<T>) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cell = f.debug_tuple("OnceCell");
        match self.get() {
            Some(value) => cell.field(value),
            None => cell.field(&format_args!("<empty>")),
        };
        cell.finish()
    }
}

/// A cell may be shared only where its value may be both sent and shared:
///
/// ```compile_fail,E0277
/// # use parklet::sync::OnceCell;
/// fn share(_: impl Sync) {}
/// share(OnceCell::from(std::cell::Cell::new(1)));
/// ```
///
/// ```compile_fail,E0277
/// # use parklet::sync::OnceCell;
/// fn share(_: impl Sync) {}
/// let mutex = std::sync::Mutex::new(1);
/// share(OnceCell::from(mutex.lock().unwrap()));
/// ```
#[cfg(doctest)]
struct WhatIsNotShared;
