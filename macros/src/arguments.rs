//! What stands in the attribute's parentheses: nothing, or `crate = "path"`.

use crate::Role;
use crate::mistake::Mistake;
use proc_macro::{Span, TokenStream, TokenTree};

/// The attribute's arguments.
pub(crate) struct Arguments {
    /// Where parklet is found.
    pub(crate) path: TokenStream,
}

impl Arguments {
    /// Reads them.
    pub(crate) fn parse(role: Role, tokens: TokenStream) -> Result<Arguments, Mistake> {
        let attribute = role.attribute();
        let mut tokens = tokens.into_iter();
        let Some(key) = tokens.next() else {
            let path = placed("::parklet", Span::mixed_site());
            return Ok(Arguments {
                path: path.unwrap_or_default(),
            });
        };
        if key.to_string() != "crate" {
            let message =
                format!("{attribute} has no argument `{key}`; it knows `crate = \"path\"` alone");
            return Err(Mistake::at(key.span(), message));
        }
        let expected = |at: Span| {
            let message =
                format!("expected `{attribute}` with `(crate = \"path\")`, a path in quotes");
            Mistake::at(at, message)
        };
        match tokens.next() {
            Some(TokenTree::Punct(sign)) if sign.as_char() == '=' => {}
            other => return Err(expected(other.unwrap_or(key).span())),
        }
        let Some(TokenTree::Literal(quoted)) = tokens.next() else {
            return Err(expected(key.span()));
        };
        let place = quoted.span();
        let text = quoted.to_string();
        let path = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .and_then(|text| placed(text, place))
            .ok_or_else(|| expected(place))?;
        match tokens.find(|token| token.to_string() != ",") {
            None => Ok(Arguments { path }),
            Some(more) => {
                let message = format!("{attribute} has one argument, and this is another");
                Err(Mistake::at(more.span(), message))
            }
        }
    }
}

/// A path as tokens that seem to stand at `place`; `None` if the text is no path.
fn placed(path: &str, place: Span) -> Option<TokenStream> {
    let is_name = |name: &str| {
        let mut chars = name.chars();
        let begins = |char: char| char.is_alphabetic() || char == '_';
        chars.next().is_some_and(begins) && chars.all(|char| begins(char) || char.is_numeric())
    };
    let names = path.strip_prefix("::").unwrap_or(path);
    if !names.split("::").all(is_name) {
        return None;
    }
    let tokens: TokenStream = path.parse().ok()?;
    let at_place = |mut token: TokenTree| {
        token.set_span(place);
        token
    };
    Some(tokens.into_iter().map(at_place).collect())
}
