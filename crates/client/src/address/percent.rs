//! Percent-encoding of URL parts (RFC 3986 section 2.1).

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Decodes `%xx`. `None` when a `%` has no two hexadecimal digits behind it, which the library would let stand, or the
/// result is not UTF-8. A plus sign stays a plus sign: access keys contain it.
pub(super) fn decode(text: &str) -> Option<String> {
    let is_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let is_whole = text.split('%').skip(1).all(|rest| rest.as_bytes().get(..2).is_some_and(is_digits));
    is_whole.then(|| percent_decode_str(text).decode_utf8().ok())?.map(String::from)
}

/// Text with everything but the unreserved characters encoded.
pub(super) fn encoded(text: &str) -> impl fmt::Display {
    utf8_percent_encode(text, RESERVED)
}
