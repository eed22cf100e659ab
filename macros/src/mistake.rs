//! An error of whoever wrote the attribute, at its place in their source.

use proc_macro::{Delimiter, Group, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// What is wrong, and where.
pub(crate) struct Mistake {
    /// Where.
    place: Span,
    /// What, and what to do.
    message: String,
}

impl Mistake {
    pub(crate) fn at(place: Span, message: impl Into<String>) -> Mistake {
        Mistake {
            place,
            message: message.into(),
        }
    }

    /// A `compile_error!` that points at the place, then the item.
    pub(crate) fn beside(self, item: TokenStream) -> TokenStream {
        let message = TokenTree::from(Literal::string(&self.message));
        let path = "::core::compile_error!".parse::<TokenStream>();
        let path = path.unwrap_or_default().into_iter();
        let tokens = path.chain([
            Group::new(Delimiter::Parenthesis, message.into()).into(),
            Punct::new(';', Spacing::Alone).into(),
        ]);
        let at_place = |mut token: TokenTree| {
            token.set_span(self.place);
            token
        };
        tokens.map(at_place).chain(item).collect()
    }
}
