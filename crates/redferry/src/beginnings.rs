//! Beginnings of names, which may be told where names may not.

/// Whether the beginning of a name can be told where no key is to be named: it ends where a part of the name
/// ends, and does not look as if it were about one person or thing: no number of four digits, no address,
/// nothing long.
pub(crate) fn tells_no_key(beginning: &[u8]) -> bool {
    const LONGEST: usize = 32;
    beginning.len() <= LONGEST
        && beginning.last().is_some_and(u8::is_ascii_punctuation)
        && !beginning.contains(&b'@')
        && !beginning.windows(4).any(|four| four.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_that_may_name_somebody_are_kept_back() {
        for told in ["session:", "user-profile:", "db3:", "cart/", "a.b.c."] {
            assert!(tells_no_key(told.as_bytes()), "{told}");
        }
        let long = "x".repeat(40) + ":";
        for kept in ["", "session", "patient-4711", "4711:", "ann@example.com:", "user:20261126:", &long] {
            assert!(!tells_no_key(kept.as_bytes()), "{kept}");
        }
    }
}
