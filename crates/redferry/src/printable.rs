//! Keys as a person can read them.

use std::fmt::Write;
use std::hash::Hasher;

/// Bytes of a name that are shown.
const LONGEST: usize = 200;

/// UTF-8 as it is, everything that is not, or that would move the terminal's cursor or turn text around, escaped.
/// Long names are cut. Two names that are not the same do not look the same: what was cut off is told apart by
/// its length and a fingerprint.
pub(crate) fn printable(key: &[u8]) -> String {
    let (shown, cut) = key.split_at(key.len().min(LONGEST));
    let mut text = escaped(shown);
    if !cut.is_empty() {
        _ = write!(text, "[{:08x}]... ({} bytes)", fingerprint(cut), key.len());
    }
    text
}

/// The same of a sentence, which is not cut.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            if char.is_control() || char == '\\' {
                text.extend(char.escape_default());
            } else if is_invisible(char) {
                text.extend(char.escape_unicode());
            } else {
                text.push(char);
            }
        }
        for byte in chunk.invalid() {
            _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Characters without a width, and those that turn the direction of writing.
pub(crate) fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The same in every run.
fn fingerprint(bytes: &[u8]) -> u32 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish() as u32
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn keys_are_shown_without_harm_to_the_terminal() {
        assert_eq!(printable(b"user:1"), "user:1");
        assert_eq!(printable("größe".as_bytes()), "größe");
        assert_eq!(printable(b"a\x1b[2J\xff\n"), "a\\u{1b}[2J\\xff\\n");
        assert_eq!(printable("a\u{202e}b\u{200b}".as_bytes()), "a\\u{202e}b\\u{200b}");
    }

    #[test]
    fn no_two_keys_look_the_same() {
        let long = |last: u8| [vec![b'k'; 4999], vec![last]].concat();
        let (one, other) = (printable(&long(b'1')), printable(&long(b'2')));
        assert!(one.starts_with("kkkk") && one.ends_with("... (5000 bytes)") && one.len() < 300, "{one}");
        assert_ne!(one, other);
        assert_ne!(printable(b"\\xff"), printable(b"\xff"));
        assert_ne!(printable(b"\\n"), printable(b"\n"));
    }
}
