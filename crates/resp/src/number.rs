//! Decimal numbers as headers carry them.

/// Longest number accepted: a sign and the 19 digits of an i64.
const MAX_TEXT: usize = 20;

/// A number read up to and including its `\r\n`.
pub(crate) enum Header {
    /// The value, and how many bytes number and line ending take.
    Complete(i64, usize),
    /// The bytes end first. At most 22 bytes are looked at again on the next try.
    Incomplete,
    /// Not a number, or more than an i64 holds; the index of the byte that shows it.
    Invalid(usize),
}

/// Reads a signed decimal and its `\r\n` from the front of `bytes`. The answer for a stream does not depend
/// on how it is cut: a byte that cannot follow is refused as soon as it is seen.
#[inline]
pub(crate) fn header(bytes: &[u8]) -> Header {
    let (negative, sign) = match bytes.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let mut magnitude: u64 = 0;
    let mut at = sign;
    while let Some(&byte) = bytes.get(at) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return end_of_line(bytes, at, sign, negative, magnitude);
        }
        if at == MAX_TEXT {
            return Header::Invalid(at);
        }
        // 20 digits at most: cannot pass 10^20, which wraps a u64, so the last one is checked.
        magnitude = match magnitude.checked_mul(10).and_then(|shifted| shifted.checked_add(u64::from(digit)))
        {
            Some(larger) => larger,
            None => return Header::Invalid(at),
        };
        at += 1;
    }
    Header::Incomplete
}

#[inline]
fn end_of_line(bytes: &[u8], at: usize, sign: usize, negative: bool, magnitude: u64) -> Header {
    if bytes[at] != b'\r' || at == sign {
        return Header::Invalid(at);
    }
    let value = if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    match (value, bytes.get(at + 1)) {
        (None, _) => Header::Invalid(at),
        (Some(_), None) => Header::Incomplete,
        (Some(value), Some(b'\n')) => Header::Complete(value, at + 2),
        (Some(_), Some(_)) => Header::Invalid(at + 1),
    }
}
