//! Numbers that can be read.

use std::time::Duration;

/// A time with three digits and its unit.
pub(crate) fn readable(time: Duration) -> String {
    let nanoseconds = time.as_nanos() as f64;
    let (value, unit) = match nanoseconds {
        ..1e3 => (nanoseconds, "ns"),
        1e3..1e6 => (nanoseconds / 1e3, "us"),
        1e6..1e9 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    let digits = match value {
        ..10.0 if value.fract() > 0.0 => 2,
        ..100.0 if value.fract() > 0.0 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_apart() {
        let texts = [0, 999, 1000, 1_234_567].map(super::grouped);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
