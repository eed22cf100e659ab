//! The attributes: an `async fn` as the program's entry, or as a test. What they do is in `macros/`.

/// Makes an `async fn main` the program's entry: it runs in [`task::block_on`](crate::task::block_on).
///
/// The function may return what any `main` may, such as a `Result`; its other attributes stay. It becomes a function
/// inside a plain `fn main`, so nothing in it changes its meaning.
///
/// `#[parklet::main(crate = "path::to::parklet")]` is for a program that knows parklet by another name, or through another
/// crate.
///
/// As async-std's. The number of worker threads is no argument: `PARKLET_THREADS` sets it.
///
/// # Errors
///
/// What is no `async fn main()` does not compile; the message says what is wrong with it.
///
/// # Examples
///
/// ```
/// #[parklet::main]
/// async fn main() -> std::io::Result<()> {
///     let listener = parklet::net::TcpListener::bind("127.0.0.1:0").await?;
///     println!("listening on {}", listener.local_addr()?);
///     Ok(())
/// }
/// ```
pub use parklet_macros::main;

/// Makes an `async fn` a test: it runs in [`task::block_on`](crate::task::block_on).
///
/// It takes the place of `#[test]`. The function may return what any test may, such as a `Result`; `#[should_panic]`,
/// `#[ignore]` and other attributes stay.
///
/// `#[parklet::test(crate = "path::to::parklet")]` is for a crate that knows parklet by another name, or through another
/// crate.
///
/// As async-std's.
///
/// # Errors
///
/// What is no `async fn` without parameters does not compile; the message says what is wrong with it.
///
/// # Examples
///
/// ```
/// use parklet::net::{TcpListener, TcpStream};
///
/// #[parklet::test]
/// async fn a_listener_is_found_at_its_address() -> std::io::Result<()> {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     TcpStream::connect(listener.local_addr()?).await?;
///     Ok(())
/// }
/// ```
pub use parklet_macros::test;
