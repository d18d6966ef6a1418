//! Ziplists, the compact form before Redis 7.0 (ziplist.c).
//!
//! Bytes of the whole, offset of the last entry (both 4 bytes), count (2 bytes), entries, 0xFF. Little-endian. An
//! entry has the length of the one before it, its encoding with a length or a number, and its bytes.

use super::integer;

const HEAD: usize = 10;
const END: u8 = 0xFF;
/// The count says nothing then, and readers go through the entries.
const UNKNOWN_COUNT: usize = 0xFFFF;
/// Lengths of the entry before, from this one on, take four more bytes.
const LONG_PREVIOUS: usize = 254;
const INT_16: u8 = 0xC0;
const INT_24: u8 = 0xF0;
const INT_32: u8 = 0xD0;
const INT_64: u8 = 0xE0;
const INT_8: u8 = 0xFE;
const SMALLEST: u8 = 0xF1;

/// A ziplist that is being written.
#[derive(Debug)]
pub(super) struct Ziplist {
    bytes: Vec<u8>,
    count: usize,
    last: usize,
}

impl Ziplist {
    pub(super) fn new() -> Ziplist {
        Ziplist { bytes: vec![0; HEAD], count: 0, last: HEAD }
    }

    /// Appends a text; as a number when it is one.
    pub(super) fn push(&mut self, text: &[u8]) {
        self.begin();
        if let Some(number) = integer::canonical(text) {
            self.number(number);
        } else {
            self.text_head(text.len());
            self.bytes.extend_from_slice(text);
        }
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes it has when it is finished.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + 1
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let size = self.bytes.len() as u32;
        self.bytes[0..4].copy_from_slice(&size.to_le_bytes());
        self.bytes[4..8].copy_from_slice(&(self.last as u32).to_le_bytes());
        self.bytes[8..10].copy_from_slice(&(self.count.min(UNKNOWN_COUNT) as u16).to_le_bytes());
        self.bytes
    }

    fn begin(&mut self) {
        let start = self.bytes.len();
        let previous = if self.count == 0 { 0 } else { start - self.last };
        if previous < LONG_PREVIOUS {
            self.bytes.push(previous as u8);
        } else {
            self.bytes.push(LONG_PREVIOUS as u8);
            self.bytes.extend_from_slice(&(previous as u32).to_le_bytes());
        }
        self.last = start;
        self.count += 1;
    }

    fn text_head(&mut self, length: usize) {
        match length {
            0..64 => self.bytes.push(length as u8),
            64..16_384 => self.bytes.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
            _ => {
                self.bytes.push(0x80);
                self.bytes.extend_from_slice(&(length as u32).to_be_bytes());
            }
        }
    }

    fn number(&mut self, number: i64) {
        let (encoding, width) = match number {
            0..=12 => (SMALLEST + number as u8, 0),
            -0x80..=0x7F => (INT_8, 1),
            -0x8000..=0x7FFF => (INT_16, 2),
            -0x80_0000..=0x7F_FFFF => (INT_24, 3),
            -0x8000_0000..=0x7FFF_FFFF => (INT_32, 4),
            _ => (INT_64, 8),
        };
        self.bytes.push(encoding);
        self.bytes.extend_from_slice(&number.to_le_bytes()[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_redis() {
        let mut ziplist = Ziplist::new();
        // The example in the head of ziplist.c.
        ziplist.push(b"2");
        ziplist.push(b"5");
        let expected = b"\x0f\0\0\0\x0c\0\0\0\x02\0\x00\xf3\x02\xf6\xff";
        assert_eq!(ziplist.finish(), expected);
    }

    #[test]
    fn a_long_entry_makes_the_next_one_s_head_longer() {
        let mut ziplist = Ziplist::new();
        ziplist.push(&[b'x'; 251]);
        ziplist.push(b"-1");
        assert_eq!(ziplist.size(), 10 + 254 + 7 + 1);
        let bytes = ziplist.finish();
        assert_eq!(bytes[10 + 254..], *b"\xfe\xfe\0\0\0\xfe\xff\xff");
    }
}
