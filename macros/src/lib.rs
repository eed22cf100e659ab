//! The attributes `#[parklet::main]` and `#[parklet::test]`, which parklet hands on with its feature `macros`.
//!
//! ```text
//!   #[parklet::main]                       fn main() -> io::Result<()> {
//!   async fn main() -> io::Result<()> {        async fn main() -> io::Result<()> {
//!       ..                            ──►          ..
//!   }                                          }
//!                                              ::parklet::task::block_on(main())
//!                                          }
//! ```
//!
//! The function stands inside the other one as it was written, so what is wrong in it is reported as it would be without
//! the attribute. Its own attributes go to the outer one.
//!
//! All that has to be understood is where attributes, signature and body begin: a page of code over plain tokens
//! (`async_fn.rs`), for which no parser has to be built by everyone who depends on parklet.

mod arguments;
mod async_fn;
mod mistake;

use arguments::Arguments;
use async_fn::AsyncFn;
use mistake::Mistake;
use proc_macro::TokenStream;

/// Makes an `async fn main` the program's entry; see parklet's docs.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(Role::Main, arguments, item)
}

/// Makes an `async fn` a test; see parklet's docs.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand(Role::Test, arguments, item)
}

/// What a function is made into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Main,
    Test,
}

impl Role {
    /// The attribute, as one writes it.
    fn attribute(self) -> &'static str {
        match self {
            Role::Main => "#[parklet::main]",
            Role::Test => "#[parklet::test]",
        }
    }

    /// What the function is then.
    fn noun(self) -> &'static str {
        match self {
            Role::Main => "`main`",
            Role::Test => "a test",
        }
    }
}

/// The function in its new form; or an error, and what keeps the compiler from finding more faults than there are.
fn expand(role: Role, arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = || {
        let arguments = Arguments::parse(role, arguments)?;
        let function = AsyncFn::parse(role, item.clone())?;
        Ok(function.blocking(role, arguments.path))
    };
    function().unwrap_or_else(|mistake: Mistake| mistake.beside(in_its_place(item)))
}

/// The item as it was, so that the rest of the program finds it; but of a `main`, which must not be async, an empty one.
fn in_its_place(item: TokenStream) -> TokenStream {
    let words: Vec<String> = item
        .clone()
        .into_iter()
        .map(|token| token.to_string())
        .collect();
    if words.windows(2).any(|pair| pair == ["fn", "main"]) {
        return "fn main() {}".parse().unwrap_or(item);
    }
    item
}
