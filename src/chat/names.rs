//! Clients' names: what is left of one that a stranger chose, and which two count as the same.

/// `name` without what nobody sees, and what steers a terminal or the direction of writing; nothing if nothing is left.
/// This is what the server makes of the names that clients ask for.
///
/// ```
/// use parklet::chat::clean_name;
///
/// assert_eq!(clean_name(" an\u{200b}na\n").as_deref(), Some("anna"));
/// assert_eq!(clean_name("\0"), None);
/// ```
#[must_use]
pub fn clean(name: &str) -> Option<String> {
    let seen: String = name.chars().filter(|char| !is_unseen(*char)).collect();
    let seen = seen.trim();
    (!seen.is_empty()).then(|| seen.to_string())
}

/// What is equal for names that are told apart by nobody who reads them fast. Only the case of letters: other forms of
/// the same text are a matter for a library, and thus for the program.
pub(crate) fn key(name: &str) -> String {
    name.to_lowercase()
}

/// Control characters, and those of Unicode that show nothing or turn the direction of the text: what its property
/// `Default_Ignorable_Code_Point` has, line and paragraph breaks, the marks of annotations, and the blank of Braille.
fn is_unseen(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_is_seen_of_it() {
        assert_eq!(clean(" anna\r\n").as_deref(), Some("anna"));
        assert_eq!(clean("\u{1b}[31man\0na").as_deref(), Some("[31manna"));
        assert_eq!(clean("\u{202e}anna\u{200b}").as_deref(), Some("anna"));
        assert_eq!(clean("anna  b. 안나").as_deref(), Some("anna  b. 안나"));
        assert_eq!(
            clean("\u{3164}an\u{34f}na\u{2800}").as_deref(),
            Some("anna")
        );
        assert_eq!(clean("\u{115f}\u{ffa0}\u{e0041}\u{180d}"), None);
        assert_eq!(clean("\u{feff}\t \u{200b} \u{ad}"), None);
        assert_eq!(clean(""), None);
    }

    #[test]
    fn names_that_differ_in_case_are_the_same() {
        assert_eq!(key("Ännä"), key("änNÄ"));
        assert_ne!(key("anna"), key("anne"));
    }
}
