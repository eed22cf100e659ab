//! A function as its tokens, taken apart where the attribute needs it.

use crate::Role;
use crate::mistake::Mistake;
use proc_macro::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use std::iter::once;

/// An `async fn` without parameters.
pub(crate) struct AsyncFn {
    /// Those that are left, docs among them.
    attributes: Vec<TokenTree>,
    /// `pub` and what belongs to it, if anything.
    visibility: Vec<TokenTree>,
    /// `async`.
    keyword_async: Ident,
    /// `fn`.
    keyword_fn: Ident,
    /// Its name.
    name: Ident,
    /// The parentheses after it, with nothing inside.
    parameters: Group,
    /// What stands between these and the body: `-> io::Result<()>`.
    output: Vec<TokenTree>,
    /// The body, with its braces.
    body: TokenTree,
}

impl AsyncFn {
    /// Takes a function apart; the error says why it cannot be what it is to be.
    pub(crate) fn parse(role: Role, item: TokenStream) -> Result<AsyncFn, Mistake> {
        let attribute = role.attribute();
        let noun = role.noun();
        let mut tokens = item.into_iter().peekable();

        let mut attributes = Vec::new();
        while let Some(sign) = tokens.next_if(|token| is_sign(token, '#')) {
            let content = tokens.next();
            if let (Role::Test, Some(content)) = (role, &content)
                && content.to_string() == "[test]"
            {
                let message =
                    format!("`#[test]` beside {attribute}, which takes its place: remove it");
                return Err(Mistake::at(content.span(), message));
            }
            attributes.push(sign);
            attributes.extend(content);
        }

        let mut visibility = Vec::new();
        let mut keyword_async = None;
        let keyword_fn = loop {
            let wrong = |at: Span| {
                Mistake::at(
                    at,
                    format!("{attribute} is for an `async fn`, and this is none"),
                )
            };
            match tokens.next() {
                Some(TokenTree::Ident(word)) => match word.to_string().as_str() {
                    "fn" => break word,
                    "async" => keyword_async = Some(word),
                    "pub" => visibility.push(word.into()),
                    "const" | "unsafe" | "extern" => {
                        let message = format!(
                            "{noun} cannot be `{word}`: {attribute} is for a plain `async fn`"
                        );
                        return Err(Mistake::at(word.span(), message));
                    }
                    _ => return Err(wrong(word.span())),
                },
                // `(crate)` after `pub`, or a visibility from a macro.
                Some(TokenTree::Group(group)) if keyword_async.is_none() => {
                    visibility.push(group.into());
                }
                Some(other) => return Err(wrong(other.span())),
                None => return Err(wrong(Span::call_site())),
            }
        };
        let Some(keyword_async) = keyword_async else {
            let message =
                format!("{attribute} is for an `async fn`: add `async`, or remove the attribute");
            return Err(Mistake::at(keyword_fn.span(), message));
        };

        let Some(TokenTree::Ident(name)) = tokens.next() else {
            return Err(Mistake::at(keyword_fn.span(), "a function needs a name"));
        };
        if role == Role::Main && name.to_string() != "main" {
            let message = format!(
                "{attribute} is for `main`, and this is `{name}`; call `task::block_on` in a plain `fn` instead"
            );
            return Err(Mistake::at(name.span(), message));
        }
        let parameters = match tokens.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => group,
            other => {
                let at = other.map_or(name.span(), |token| token.span());
                return Err(Mistake::at(at, format!("{noun} has no generic parameters")));
            }
        };
        if !parameters.stream().is_empty() {
            let message = format!("{noun} has no parameters: nobody could pass them");
            return Err(Mistake::at(parameters.span(), message));
        }

        let mut output: Vec<_> = tokens.collect();
        let Some(body) = output.pop_if(|last| is_block(last)) else {
            return Err(Mistake::at(name.span(), format!("{noun} needs a body")));
        };
        Ok(AsyncFn {
            attributes,
            visibility,
            keyword_async,
            keyword_fn,
            name,
            parameters,
            output,
            body,
        })
    }

    /// A function of the same name and output that blocks on this one, which stands inside it. `path` is where parklet is
    /// found.
    pub(crate) fn blocking(self, role: Role, path: TokenStream) -> TokenStream {
        let signature = |tokens: &mut Vec<TokenTree>| {
            tokens.push(self.keyword_fn.clone().into());
            tokens.push(self.name.clone().into());
            tokens.push(self.parameters.clone().into());
            tokens.extend(self.output.iter().cloned());
        };
        let mut body: Vec<TokenTree> = vec![self.keyword_async.clone().into()];
        signature(&mut body);
        body.push(self.body.clone());
        body.extend(path);
        body.extend(own("::task::block_on"));
        let call: [TokenTree; 2] = [self.name.clone().into(), self.parameters.clone().into()];
        body.push(Group::new(Delimiter::Parenthesis, call.into_iter().collect()).into());
        // A type that does not fit is reported where the body is.
        let mut block = Group::new(Delimiter::Brace, body.into_iter().collect());
        block.set_span(self.body.span());

        let mut function = Vec::new();
        if role == Role::Test {
            function.extend(own("#[::core::prelude::v1::test]"));
        }
        function.extend(self.attributes.iter().cloned());
        function.extend(self.visibility.iter().cloned());
        signature(&mut function);
        function.into_iter().chain(once(block.into())).collect()
    }
}

/// Tokens of our own.
fn own(source: &str) -> impl Iterator<Item = TokenTree> {
    let tokens: TokenStream = source.parse().unwrap_or_default();
    tokens.into_iter().map(|mut token| {
        token.set_span(Span::mixed_site());
        token
    })
}

fn is_sign(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// Whether these are braces, or what a macro took for a block.
fn is_block(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    match group.delimiter() {
        Delimiter::Brace => true,
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            inside.next().is_some_and(|first| is_block(&first)) && inside.next().is_none()
        }
        _ => false,
    }
}
