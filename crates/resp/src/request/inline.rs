use std::ops::Range;

use memchr::memchr;

use super::RequestError;

/// Splits an inline command into arguments by the rules of Redis' `sdssplitargs`, escapes undone. They are
/// appended to `text`, and their places in it to `ranges`.
///
/// A NUL is refused: Redis searches the end of the line as that of a C string and waits for ever behind one.
pub(super) fn split(
    line: &[u8],
    text: &mut Vec<u8>,
    ranges: &mut Vec<Range<usize>>,
) -> Result<(), RequestError> {
    if memchr(0, line).is_some() {
        return Err(RequestError::InlineNul);
    }
    let mut rest = line;
    loop {
        rest = &rest[rest.iter().take_while(|&&byte| is_space(byte)).count()..];
        if rest.is_empty() {
            return Ok(());
        }
        let start = text.len();
        rest = argument(rest, text)?;
        ranges.push(start..text.len());
    }
}

/// Reads one argument and returns what follows it. A quote may open anywhere, but closes the argument.
fn argument<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], RequestError> {
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(rest),
            b'"' => return closed(double_quoted(after, text)?),
            b'\'' => return closed(single_quoted(after, text)?),
            _ => text.push(byte),
        }
        rest = after;
    }
    Ok(rest)
}

fn closed(rest: &[u8]) -> Result<&[u8], RequestError> {
    match rest.first() {
        Some(&byte) if !is_space(byte) => Err(RequestError::UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], RequestError> {
    loop {
        rest = match *rest {
            [b'"', ref after @ ..] => return Ok(after),
            [b'\\', b'x', high, low, ref after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                text.push(hex(high) << 4 | hex(low));
                after
            }
            [b'\\', escaped, ref after @ ..] => {
                text.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => other,
                });
                after
            }
            [byte, ref after @ ..] => {
                text.push(byte);
                after
            }
            [] => return Err(RequestError::UnbalancedQuotes),
        };
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Result<&'a [u8], RequestError> {
    loop {
        rest = match *rest {
            [b'\\', b'\'', ref after @ ..] => {
                text.push(b'\'');
                after
            }
            [b'\'', ref after @ ..] => return Ok(after),
            [byte, ref after @ ..] => {
                text.push(byte);
                after
            }
            [] => return Err(RequestError::UnbalancedQuotes),
        };
    }
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}
