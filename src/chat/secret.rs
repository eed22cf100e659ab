//! What only two know: a password on its way. It has no form that could be printed by mistake.

use std::fmt;
use std::hint::black_box;

use serde::{Deserialize, Serialize};

/// A password or another token. Only [`expose`](Self::expose) shows it; in JSON it is a plain string.
///
/// Two of them are compared in a time that says nothing of where they differ.
///
/// ```
/// use parklet::chat::Secret;
///
/// let secret = Secret::from("open sesame");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "open sesame");
/// assert_ne!(secret, Secret::from("open barley"));
/// ```
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// What it is.
    ///
    /// ```
    /// assert_eq!(parklet::chat::Secret::from("swordfish").expose(), "swordfish");
    /// ```
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        let mut difference = u8::from(ours.len() != theirs.len());
        // As many steps as `other` has bytes, whatever they are. Without the black box a compiler could see that one
        // difference decides.
        for (index, byte) in theirs.iter().enumerate() {
            let our = ours.get(index).unwrap_or(&0);
            difference = black_box(difference | (our ^ byte));
        }
        difference == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_equal_when_all_of_them_is() {
        let equal = |one: &str, other: &str| Secret::from(one) == Secret::from(other);
        assert!(equal("", "") && equal("abc", "abc") && equal("ä\0", "ä\0"));
        for (one, other) in [("", "a"), ("abc", "abd"), ("abc", "ab"), ("a", "a\0")] {
            assert!(
                !equal(one, other) && !equal(other, one),
                "{one:?} {other:?}"
            );
        }
    }
}
