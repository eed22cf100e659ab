//! How a file is to be opened.

use super::File;
use super::hop::on_path;
use crate::io::Result;
use std::future::Future;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What a file may be used for, and what becomes of one that is there already or is not.
///
/// std's `OpenOptions` with an `open` that waits. For unix's options there is std's own
/// [`OpenOptionsExt`](std::os::unix::fs::OpenOptionsExt).
///
/// # Examples
///
/// ```
/// use parklet::fs::OpenOptions;
/// use parklet::prelude::*;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("log");
/// parklet::task::block_on(async {
///     let mut log = OpenOptions::new().append(true).create(true).open(&path).await?;
///     log.write_all(b"started\n").await
/// })?;
/// # assert_eq!(std::fs::read(&path)?, b"started\n");
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// std's.
    options: std::fs::OpenOptions,
}

/// Hands each option on to std.
macro_rules! options {
    ($($(#[$doc:meta])* $option:ident;)*) => {$(
        $(#[$doc])*
        pub fn $option(&mut self, $option: bool) -> &mut OpenOptions {
            self.options.$option($option);
            self
        }
    )*};
}

impl OpenOptions {
    /// All of them off.
    pub fn new() -> OpenOptions {
        OpenOptions {
            options: std::fs::OpenOptions::new(),
        }
    }

    options! {
        /// Whether it may be read.
        read;
        /// Whether it may be written. What is there is overwritten, but not cut off.
        write;
        /// Whether each write goes to the end, wherever that is by then.
        append;
        /// Whether what is in the file is cut off; wants `write`, too.
        truncate;
        /// Whether it is created if it is not there; wants `write` or `append`, too.
        create;
        /// Whether it is created, and must not be there yet; `create` and `truncate` mean nothing then.
        create_new;
    }

    /// Opens the file at `path` so.
    ///
    /// # Errors
    ///
    /// `cannot open "PATH": CAUSE`, with the cause's kind: `NotFound`, `AlreadyExists` with `create_new`,
    /// `PermissionDenied`, and `InvalidInput` for options that do not go together and for a path with a NUL in it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as far as the file is concerned: it is opened or created all the same, and closed again.
    ///
    /// # Examples
    ///
    /// ```
    /// use parklet::fs::OpenOptions;
    /// use std::io::ErrorKind;
    ///
    /// parklet::task::block_on(async {
    ///     let error = OpenOptions::new().read(true).open("no/such/file").await.unwrap_err();
    ///     assert_eq!(error.kind(), ErrorKind::NotFound);
    ///     assert!(error.to_string().starts_with("cannot open \"no/such/file\": "));
    /// });
    /// ```
    pub fn open<P: AsRef<Path>>(&self, path: P) -> impl Future<Output = Result<File>> + use<P> {
        let options = self.options.clone();
        async move { open("open", path.as_ref(), options).await }
    }
}

/// The same as [`OpenOptions::new`].
impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions::new()
    }
}

impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.options.mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.options.custom_flags(flags);
        self
    }
}

/// Opens a file, for whichever method that is called `deed`.
pub(super) async fn open(
    deed: &'static str,
    path: &Path,
    options: std::fs::OpenOptions,
) -> Result<File> {
    let open = move |path: &Path| {
        let file = options.open(path)?;
        Ok(File::new(file, Some(path.to_owned())))
    };
    on_path(deed, path, open).await
}
