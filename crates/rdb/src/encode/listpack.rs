//! Listpacks, the compact form since Redis 7.0, and inside of streams since 5.0 (listpack.c).
//!
//! Bytes of the whole (4), count (2), entries, 0xFF. Little-endian. An entry has its encoding with a length or a
//! number, its bytes, and its own length for going backwards.

use super::integer;

const HEAD: usize = 6;
const END: u8 = 0xFF;
/// The count says nothing then, and readers go through the entries.
const UNKNOWN_COUNT: usize = 0xFFFF;

/// A listpack, or a run of entries for one, that is being written.
#[derive(Debug)]
pub(super) struct Listpack {
    bytes: Vec<u8>,
    count: usize,
    widths: Widths,
}

/// How many bytes the length behind an entry takes. Readers find the next entry by that, so with the wrong one they
/// misread what is behind an entry of 16,383 or 2,097,151 bytes with its encoding. Such entries are in streams only:
/// elsewhere servers hold what is so long in other forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Widths {
    /// The largest length of two, three and four bytes takes one more, by a mistake in `lpEncodeBacklen` that became
    /// the format. So did Valkey until 9.0.
    Redis,
    /// As Valkey 9.1 (pull request 3601) and Redis after 8.8 (pull request 15151) corrected it.
    Corrected,
}

impl Listpack {
    pub(super) fn new() -> Listpack {
        Listpack::with(Widths::Redis)
    }

    pub(super) fn with(widths: Widths) -> Listpack {
        Listpack { bytes: vec![0; HEAD], count: 0, widths }
    }

    /// Appends a text; as a number when it is one.
    pub(super) fn push(&mut self, text: &[u8]) {
        if let Some(number) = integer::canonical(text) {
            return self.push_number(number);
        }
        let start = self.bytes.len();
        match text.len() {
            0..64 => self.bytes.push(0x80 | text.len() as u8),
            64..4096 => self.bytes.extend_from_slice(&(0xE000 | text.len() as u16).to_be_bytes()),
            _ => {
                self.bytes.push(0xF0);
                self.bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(text);
        self.end(start);
    }

    /// Appends a number.
    pub(super) fn push_number(&mut self, number: i64) {
        let start = self.bytes.len();
        let little = number.to_le_bytes();
        match number {
            0..=127 => self.bytes.push(number as u8),
            -4096..=4095 => {
                let bits = number as u16 & 0x1FFF;
                self.bytes.extend_from_slice(&(0xC000 | bits).to_be_bytes());
            }
            -0x8000..=0x7FFF => self.wide(0xF1, &little[..2]),
            -0x80_0000..=0x7F_FFFF => self.wide(0xF2, &little[..3]),
            -0x8000_0000..=0x7FFF_FFFF => self.wide(0xF3, &little[..4]),
            _ => self.wide(0xF4, &little),
        }
        self.end(start);
    }

    /// Appends all entries of another one.
    pub(super) fn append(&mut self, other: &Listpack) {
        self.bytes.extend_from_slice(&other.bytes[HEAD..]);
        self.count += other.count;
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
        self.bytes[4..6].copy_from_slice(&(self.count.min(UNKNOWN_COUNT) as u16).to_le_bytes());
        self.bytes
    }

    fn wide(&mut self, encoding: u8, number: &[u8]) {
        self.bytes.push(encoding);
        self.bytes.extend_from_slice(number);
    }

    /// The length of the entry, seven bits a byte, to be read from the back (`lpEncodeBacklen`).
    fn end(&mut self, start: usize) {
        let length = self.bytes.len() - start;
        let short_by = usize::from(self.widths == Widths::Redis);
        let more = match length {
            0..=127 => 0,
            _ if length < (1 << 14) - short_by => 1,
            _ if length < (1 << 21) - short_by => 2,
            _ if length < (1 << 28) - short_by => 3,
            _ => 4,
        };
        self.bytes.push((length >> (7 * more)) as u8);
        for shift in (0..more).rev() {
            self.bytes.push(0x80 | (length >> (7 * shift)) as u8);
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &[u8]) -> Vec<u8> {
        let mut listpack = Listpack::new();
        listpack.push(text);
        let bytes = listpack.finish();
        bytes[HEAD..bytes.len() - 1].to_vec()
    }

    #[test]
    fn numbers_take_the_fewest_bytes() {
        assert_eq!(entry(b"127"), [127, 1]);
        assert_eq!(entry(b"128"), [0xC0, 128, 2]);
        assert_eq!(entry(b"-1"), [0xDF, 0xFF, 2]);
        assert_eq!(entry(b"-4096"), [0xD0, 0, 2]);
        assert_eq!(entry(b"4096"), [0xF1, 0, 0x10, 3]);
        assert_eq!(entry(b"-8388608"), [0xF2, 0, 0, 0x80, 4]);
        assert_eq!(entry(b"8388608"), [0xF3, 0, 0, 0x80, 0, 5]);
        assert_eq!(entry(b"-9223372036854775808"), [0xF4, 0, 0, 0, 0, 0, 0, 0, 0x80, 9]);
    }

    #[test]
    fn lengths_at_the_borders_of_their_widths() {
        assert_eq!(entry(&[b'x'; 63])[..2], [0xBF, b'x']);
        assert_eq!(entry(&[b'x'; 64])[..3], [0xE0, 64, b'x']);
        assert_eq!(entry(&[b'x'; 4096])[..6], [0xF0, 0, 0x10, 0, 0, b'x']);
        assert!(entry(&[b'x'; 125]).ends_with(&[b'x', 127]));
        assert!(entry(&[b'x'; 126]).ends_with(&[b'x', 1, 0x80]));
        // Encoding and text together have 16,382 and 16,383 bytes.
        assert!(entry(&[b'x'; 16_377]).ends_with(&[b'x', 127, 0xFE]));
        assert!(entry(&[b'x'; 16_378]).ends_with(&[b'x', 0, 0xFF, 0xFF]));
        let mut corrected = Listpack::with(Widths::Corrected);
        corrected.push(&[b'x'; 16_378]);
        assert!(corrected.finish().ends_with(&[b'x', 127, 0xFF, END]));
    }
}
