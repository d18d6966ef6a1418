//! LZF, the compression of strings in RDB files.
//!
//! A block is a row of instructions. A first byte below 32 is followed by one more literal byte than it says. Any
//! other copies from the output: the upper 3 bits and 2 (7: one more byte is added) are its length, the lower 5 bits
//! and the last byte its distance and one. Source: lzf_d.c of LibLZF, as Redis uses it.

pub(crate) mod compress;

use crate::error::Problem;

/// The most that comes out per byte: an instruction of 3 bytes copies at most 7 + 255 + 2.
const MOST_PER_BYTE: usize = 264 / 3;

const DAMAGED: Problem = Problem::Malformed("a compressed string is damaged");

/// The `expected_len` bytes that were compressed. Nothing is allocated for a length that the input cannot make.
///
/// # Errors
/// The block is damaged, or makes another length.
pub(crate) fn decompress(input: &[u8], expected_len: u64) -> Result<Vec<u8>, Problem> {
    let expected = usize::try_from(expected_len).map_err(|_| Problem::TooLong(expected_len))?;
    if expected > input.len().saturating_mul(MOST_PER_BYTE) {
        return Err(DAMAGED);
    }
    let mut out = Vec::with_capacity(expected);
    let mut rest = input;
    while let Some((&control, after)) = rest.split_first() {
        rest = after;
        if control < 32 {
            let (literal, after) = rest.split_at_checked(usize::from(control) + 1).ok_or(DAMAGED)?;
            rest = after;
            if literal.len() > expected - out.len() {
                return Err(DAMAGED);
            }
            out.extend_from_slice(literal);
        } else {
            let mut length = usize::from(control >> 5) + 2;
            if length == 9 {
                let (&more, after) = rest.split_first().ok_or(DAMAGED)?;
                rest = after;
                length += usize::from(more);
            }
            let (&low, after) = rest.split_first().ok_or(DAMAGED)?;
            rest = after;
            let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
            if distance > out.len() || length > expected - out.len() {
                return Err(DAMAGED);
            }
            repeat(&mut out, distance, length);
        }
    }
    if out.len() == expected { Ok(out) } else { Err(DAMAGED) }
}

/// Appends `length` bytes from `distance` bytes before the end; they may reach into what is appended.
fn repeat(out: &mut Vec<u8>, distance: usize, length: usize) {
    let from = out.len() - distance;
    if distance >= length {
        out.extend_from_within(from..from + length);
    } else if let (1, Some(&last)) = (distance, out.last()) {
        out.resize(out.len() + length, last);
    } else {
        // What is between `from` and the end repeats with the period `distance`, so it can be copied in ever larger steps.
        let end = out.len() + length;
        while out.len() < end {
            let step = (out.len() - from).min(end - out.len());
            out.extend_from_within(from..from + step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_literals_and_copies_that_overlap() {
        assert_eq!(decompress(&[2, b'a', b'b', b'c'], 3), Ok(b"abc".to_vec()));
        // "ab", then 5 bytes from 2 before: ababa.
        assert_eq!(decompress(&[1, b'a', b'b', 3 << 5, 1], 7), Ok(b"abababa".to_vec()));
        // "x", then 7 + 2 + 255 of it.
        assert_eq!(decompress(&[0, b'x', 7 << 5, 255, 0], 265), Ok(vec![b'x'; 265]));
        assert_eq!(decompress(&[], 0), Ok(Vec::new()));
    }

    #[test]
    fn refuses_what_is_damaged() {
        let cases: [(&[u8], u64); 8] = [
            (&[2, b'a', b'b'], 3),               // literals cut off
            (&[0, b'a', 1 << 5], 4),             // no distance
            (&[0, b'a', 7 << 5], 10),            // no length
            (&[0, b'a', 1 << 5, 1], 4),          // from before the beginning
            (&[0, b'a', 1 << 5, 0], 3),          // makes more than is said
            (&[0, b'a', 1 << 5, 0], 5),          // makes less
            (&[2, b'a', b'b', b'c'], 2),         // more literals
            (&[2, b'a', b'b', b'c'], 1_000_000), // what no such input makes
        ];
        for (input, expected) in cases {
            assert_eq!(decompress(input, expected), Err(DAMAGED), "{input:?}");
        }
        assert!(decompress(&[], u64::MAX).is_err());
    }
}
