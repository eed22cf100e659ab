//! Just enough understanding of Rust source, formatted by rustfmt, to find functions and their docs in it.

/// The source with the insides of comments and literals blanked, line by line as before: what is left is code.
pub(crate) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(char) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_string(rest).filter(|_| !ends_in_word(&code)) {
            length
        } else if char == '"' {
            quoted(rest, '"')
        } else if char == '\'' && is_char_literal(rest) {
            quoted(rest, '\'')
        } else {
            code.push(char);
            rest = &rest[char.len_utf8()..];
            continue;
        };
        let blank = |char| if char == '\n' { '\n' } else { ' ' };
        code.extend(rest[..length].chars().map(blank));
        rest = &rest[length..];
    }
    code
}

/// Whether the code so far ends within a word, so that an `r` is that word's last letter and no raw string.
fn ends_in_word(code: &str) -> bool {
    code.ends_with(is_word)
}

/// The length of a block comment, comments within it included.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of a raw string, if one begins here.
fn raw_string(text: &str) -> Option<usize> {
    let after_r = text
        .strip_prefix('r')
        .or_else(|| text.strip_prefix("br"))
        .or_else(|| text.strip_prefix("cr"))?;
    let after_hashes = after_r.trim_start_matches('#');
    let hashes = after_r.len() - after_hashes.len();
    let content = after_hashes.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let closing = content.find(&end).unwrap_or(content.len());
    Some((text.len() - content.len() + closing + end.len()).min(text.len()))
}

/// The length of a literal between quotes.
fn quoted(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((index, char)) = chars.next() {
        if char == '\\' {
            chars.next();
        } else if char == quote {
            return index + 1;
        }
    }
    text.len()
}

/// Whether the quote begins a character and not a lifetime.
fn is_char_literal(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    let first = chars.next();
    first == Some('\\') || chars.next() == Some('\'')
}

/// Whether a character belongs to a name.
fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Whether the word stands somewhere in the code, as a whole.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        !code[..at].ends_with(is_word) && !code[at + word.len()..].starts_with(is_word)
    })
}

/// Whether a function of this name is written in the code.
pub(crate) fn has_function(code: &str, name: &str) -> bool {
    has_word(code, &format!("fn {name}"))
}

/// Whether a method of this name is written in an `impl` of the type or trait, or in the trait itself.
pub(crate) fn has_method(code: &str, owner: &str, name: &str) -> bool {
    blocks(code)
        .iter()
        .any(|block| has_word(block.header, owner) && has_function(block.body, name))
}

/// An `impl` or a `trait`.
pub(crate) struct Block<'a> {
    /// The line it begins on, from 1.
    pub(crate) line: usize,
    /// From its first word to the brace.
    pub(crate) header: &'a str,
    /// From the brace on.
    pub(crate) body: &'a str,
}

impl Block<'_> {
    /// Whether this is a trait whose functions everybody may call.
    fn is_public_trait_around(&self, line: usize) -> bool {
        let lines = self.header.lines().count() + self.body.lines().count();
        self.header.trim_start().starts_with("pub trait ")
            && (self.line..self.line + lines).contains(&line)
    }
}

/// All `impl`s and `trait`s of a file.
pub(crate) fn blocks(code: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut offset = 0;
    for (index, line) in code.split_inclusive('\n').enumerate() {
        let here = &code[offset..];
        offset += line.len();
        let is_block = line
            .split(|char| !is_word(char))
            .find(|word| !["", "pub", "crate", "super", "unsafe"].contains(word))
            .is_some_and(|word| ["impl", "trait"].contains(&word));
        if !is_block {
            continue;
        }
        let Some(brace) = here.find('{') else {
            continue;
        };
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = here.find(&format!("\n{indent}}}")).unwrap_or(here.len());
        blocks.push(Block {
            line: index + 1,
            header: &here[..brace],
            body: &here[brace..end.max(brace)],
        });
    }
    blocks
}

/// A function, as far as its reader sees it.
#[derive(Debug)]
pub(crate) struct Function {
    /// The line on which its signature begins, from 1.
    pub(crate) line: usize,
    /// Whether it is `pub`, or a public trait's.
    pub(crate) is_public: bool,
    /// From its first word to before the body.
    signature: String,
    /// The lines of its doc comment.
    pub(crate) docs: Vec<String>,
}

impl Function {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        let after = self.signature.split("fn ").nth(1).unwrap_or_default();
        first_word(after)
    }

    /// Whether it is an `async fn`.
    pub(crate) fn is_async(&self) -> bool {
        has_word(&self.signature, "async fn")
    }

    /// What it returns; nothing is `()`.
    pub(crate) fn output(&self) -> &str {
        let arrow = self.signature.rfind("-> ");
        let output = arrow.map_or("()", |at| &self.signature[at + 3..]);
        output.split(" where ").next().unwrap_or(output).trim()
    }
}

/// All functions of a file.
pub(crate) fn functions(source: &str) -> Vec<Function> {
    let code = code_only(source);
    let blocks = blocks(&code);
    let mut docs = Vec::new();
    let mut found = Vec::new();
    let mut lines = (1..).zip(source.lines().zip(code.lines()));
    while let Some((line, (written, code))) = lines.next() {
        let text = written.trim();
        if let Some(doc) = text.strip_prefix("///") {
            docs.push(doc.trim().to_owned());
        } else if begins_function(code.trim()) {
            let mut signature = code.trim().to_owned();
            while !signature.contains(['{', ';']) {
                let Some((_, (_, code))) = lines.next() else {
                    break;
                };
                signature = format!("{signature} {}", code.trim());
            }
            signature.truncate(signature.find(['{', ';']).unwrap_or(signature.len()));
            let is_traits = blocks
                .iter()
                .any(|block| block.is_public_trait_around(line));
            found.push(Function {
                line,
                is_public: is_traits || signature.starts_with("pub "),
                signature,
                docs: std::mem::take(&mut docs),
            });
        } else if !(text.starts_with("#[") || text == ")]" || text.starts_with("reason =")) {
            // Between docs and function stand attributes and nothing else.
            docs.clear();
        }
    }
    found
}

/// Whether a line is the first of a function.
fn begins_function(code: &str) -> bool {
    let qualifier = |word: &&str| ["pub", "const", "async", "unsafe", "extern"].contains(word);
    code.split([' ', '('])
        .find(|word| !qualifier(word) && !word.ends_with(')'))
        .is_some_and(|word| word == "fn")
}

/// The name that a text begins with.
pub(crate) fn first_word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|char| !is_word(char));
    &text[..end.unwrap_or(text.len())]
}

#[test]
fn comments_and_literals_are_no_code() {
    let source = "let a = \"unsafe // \\\" x\"; // unsafe\nlet b = r#\"unsafe \" \"#; /* unsafe /* */ */ fn 'a: 'b' f";
    let code = code_only(source);
    assert_eq!(code.len(), source.len());
    assert!(!has_word(&code, "unsafe"), "{code}");
    assert!(has_word(&code, "fn"), "{code}");
    assert_eq!(code.lines().count(), source.lines().count());
}

#[test]
fn a_method_is_found_in_its_own_type_only() {
    let code = "impl<T> Drop for Queue<T>\nwhere\n    T: Send,\n{\n    fn drop(&mut self) {}\n}\n\npub trait Walk {\n    fn step();\n}\n";
    assert!(has_method(code, "Queue", "drop"));
    assert!(has_method(code, "Walk", "step"));
    assert!(!has_method(code, "Queue", "step"));
    assert!(!has_method(code, "Queue", "dro"));
}
