//! Percent-encoding of URL parts (RFC 3986 section 2.1).

use std::fmt::{self, Write};

/// Decodes `%xx`. `None` when a `%` has no two hexadecimal digits behind it or the result is not UTF-8.
/// A plus sign stays a plus sign, as in a signature that was not encoded.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            decoded.push(hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Writes text with everything but the unreserved characters encoded.
pub(crate) struct Encoded<'a> {
    text: &'a str,
    keeps_slashes: bool,
}

impl<'a> Encoded<'a> {
    /// One part of a path, or a part of a query.
    pub(crate) fn segment(text: &'a str) -> Self {
        Self { text, keeps_slashes: false }
    }

    /// A path, whose slashes stay.
    pub(crate) fn path(text: &'a str) -> Self {
        Self { text, keeps_slashes: true }
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.text.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    f.write_char(char::from(byte))?;
                }
                b'/' if self.keeps_slashes => f.write_char('/')?,
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}
