//! Lengths and strings, the parts of everything (`rdbSaveLen` and `rdbSaveRawString` in Redis' rdb.c).

use super::integer;
use crate::lzf::compress;

/// What is shorter is not worth compressing (`rdbSaveRawString`).
const SHORTEST_COMPRESSED: usize = 21;

/// The longest text of an integer of 32 bits.
const LONGEST_INTEGER: usize = 11;

const INT_8: u8 = 0xC0;
const INT_16: u8 = 0xC1;
const INT_32: u8 = 0xC2;
const LZF: u8 = 0xC3;

/// Appends a length.
pub(crate) fn length(length: u64, out: &mut Vec<u8>) {
    match length {
        0..64 => out.push(length as u8),
        64..16_384 => out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        16_384..=0xFFFF_FFFF => {
            out.push(0x80);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// Appends a count of something held in memory.
pub(crate) fn count(count: usize, out: &mut Vec<u8>) {
    length(count as u64, out);
}

/// Appends a string: as an integer, compressed, or as it is, whichever is shortest.
pub(crate) fn string(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.len() <= LONGEST_INTEGER
        && let Some(number) = integer::canonical(bytes)
        && small_integer(number, out)
    {
        return;
    }
    if bytes.len() >= SHORTEST_COMPRESSED
        && let Some(compressed) = compress::compressed(bytes)
    {
        out.push(LZF);
        count(compressed.len(), out);
        count(bytes.len(), out);
        out.extend_from_slice(&compressed);
        return;
    }
    count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn small_integer(number: i64, out: &mut Vec<u8>) -> bool {
    if let Ok(number) = i8::try_from(number) {
        out.push(INT_8);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(INT_16);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(INT_32);
        out.extend_from_slice(&number.to_le_bytes());
    } else {
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        string(text, &mut out);
        out
    }

    #[test]
    fn lengths_take_the_fewest_bytes() {
        let written = |value| {
            let mut out = Vec::new();
            length(value, &mut out);
            out
        };
        assert_eq!(written(63), [63]);
        assert_eq!(written(64), [0x40, 64]);
        assert_eq!(written(16_383), [0x7F, 0xFF]);
        assert_eq!(written(16_384), [0x80, 0, 0, 0x40, 0]);
        assert_eq!(written(u64::from(u32::MAX)), [0x80, 255, 255, 255, 255]);
        assert_eq!(written(1 << 32), [0x81, 0, 0, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn only_text_that_an_integer_gives_back_becomes_one() {
        assert_eq!(written(b"-1"), [0xC0, 255]);
        assert_eq!(written(b"128"), [0xC1, 128, 0]);
        assert_eq!(written(b"-2147483648"), [0xC2, 0, 0, 0, 128]);
        assert_eq!(written(b"2147483648"), b"\x0A2147483648");
        for text in [&b""[..], b"007", b"+7", b"-0", b" 7", b"7 ", b"-", b"1e3"] {
            assert_eq!(written(text), [&[text.len() as u8], text].concat());
        }
    }

    #[test]
    fn long_repetition_is_compressed_and_noise_is_not() {
        assert_eq!(written(&[b'a'; 20]).len(), 21);
        let compressed = written(&[b'a'; 10_000]);
        assert_eq!(compressed[0], LZF);
        assert!(compressed.len() < 200, "{}", compressed.len());
        let noise: Vec<u8> = (0..=255).collect();
        assert_eq!(written(&noise).len(), 258);
    }
}
