//! The print family: std's macros as futures. Each has to be awaited.

/// Prints to standard output; `print!(..).await`.
///
/// # Panics
///
/// The future panics if standard output cannot be written to.
#[macro_export]
macro_rules! print {
    ($($arguments:tt)*) => {
        $crate::io::_print(::std::format_args!($($arguments)*))
    };
}

/// Prints a line to standard output; `println!(..).await`.
///
/// # Panics
///
/// The future panics if standard output cannot be written to.
///
/// # Examples
///
/// ```
/// # async_std::task::block_on(async {
/// async_std::println!("{} and {}", 1, 2).await;
/// # });
/// ```
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arguments:tt)*) => {
        async { $crate::io::_print(::std::format_args!("{}\n", ::std::format_args!($($arguments)*))).await }
    };
}

/// Prints to standard error; `eprint!(..).await`.
///
/// # Panics
///
/// The future panics if standard error cannot be written to.
#[macro_export]
macro_rules! eprint {
    ($($arguments:tt)*) => {
        $crate::io::_eprint(::std::format_args!($($arguments)*))
    };
}

/// Prints a line to standard error; `eprintln!(..).await`.
///
/// # Panics
///
/// The future panics if standard error cannot be written to.
#[macro_export]
macro_rules! eprintln {
    () => { async { $crate::eprint!("\n").await } };
    ($($arguments:tt)*) => {
        async { $crate::io::_eprint(::std::format_args!("{}\n", ::std::format_args!($($arguments)*))).await }
    };
}
