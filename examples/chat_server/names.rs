//! Which names are the same: a person who reads them would say so, whatever bytes they are.
//!
//! Upper and lower case in every script (`ß` and `SS`), letters with their accents as one character or as several, wide and
//! narrow forms, ligatures: Unicode's compatibility caseless match, and white space as nicknames have it (RFC 8266). What it
//! does not know is letters of two scripts that look alike.

use caseless::Caseless;
use parklet::chat::Users;
use unicode_normalization::UnicodeNormalization;

/// A server where everybody has the name that is asked for, unless somebody else has it, in whatever form.
pub(crate) struct FreeNames;

impl Users for FreeNames {
    fn canonical(&self, name: &str) -> String {
        canonical(name)
    }
}

/// What all forms of a name have in common.
pub(crate) fn canonical(name: &str) -> String {
    let folded = name.nfd().default_case_fold().nfkd();
    let folded: String = folded.default_case_fold().nfkc().collect();
    let words: Vec<&str> = folded.split_whitespace().collect();
    words.join(" ")
}
