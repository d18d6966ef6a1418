//! Reading a unit of the format (a field, a group, ...) from bytes that lie one behind another.

use bytes::Bytes;

use crate::error::Problem;
use crate::lzf;
use crate::prefix::{self, Prefix, Text};
use crate::value::StreamId;

/// Why a unit cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It has at least that many bytes from its beginning, which are more than there are.
    Need(usize),
    /// It cannot be.
    Bad(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Stop {
        Stop::Bad(problem)
    }
}

/// The longest string that is read at once. Redis' own limit is 512 MB as long as nobody raises
/// `proto-max-bulk-len`.
pub(crate) const LONGEST: u64 = 4 << 30;

/// A place in some bytes.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    bytes: &'a Bytes,
    start: usize,
    at: usize,
}

impl<'a> Scan<'a> {
    /// A unit begins at `start`.
    pub(crate) fn new(bytes: &'a Bytes, start: usize) -> Scan<'a> {
        Scan { bytes, start, at: start }
    }

    /// Where it stands in the bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Checks that at least that many more bytes are there, so that what is read next neither waits nor allocates
    /// for bytes that never come.
    pub(crate) fn expect(&self, count: u64) -> Result<(), Stop> {
        if count <= self.rest().len() as u64 {
            return Ok(());
        }
        let read = self.at - self.start;
        Err(Stop::Need(read.saturating_add(usize::try_from(count).unwrap_or(usize::MAX))))
    }

    /// All that is there.
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// The next bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        match self.rest().first_chunk() {
            Some(chunk) => {
                self.at += N;
                Ok(*chunk)
            }
            None => Err(Stop::Need(self.at - self.start + N)),
        }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Stop> {
        self.array().map(|[byte]| byte)
    }

    /// Returns to the byte before, so that an error points to it.
    pub(crate) fn back(&mut self) {
        self.at = self.start.max(self.at - 1);
    }

    /// 8 bytes, little-endian.
    pub(crate) fn number(&mut self) -> Result<i64, Stop> {
        self.array().map(i64::from_le_bytes)
    }

    /// A time in milliseconds; those before 1970 count as 1970.
    pub(crate) fn time(&mut self) -> Result<u64, Stop> {
        self.number().map(|time| u64::try_from(time).unwrap_or(0))
    }

    /// A double of 8 bytes, little-endian.
    pub(crate) fn double(&mut self) -> Result<f64, Stop> {
        self.array().map(f64::from_le_bytes)
    }

    /// The id of an entry as two lengths.
    pub(crate) fn id(&mut self) -> Result<StreamId, Stop> {
        Ok(StreamId { ms: self.length()?, seq: self.length()? })
    }

    /// The id of an entry as 16 bytes, big-endian.
    pub(crate) fn binary_id(&mut self) -> Result<StreamId, Stop> {
        Ok(StreamId { ms: u64::from_be_bytes(self.array()?), seq: u64::from_be_bytes(self.array()?) })
    }

    /// A length or count.
    #[inline]
    pub(crate) fn length(&mut self) -> Result<u64, Stop> {
        let prefix = prefix::plain_length(self.rest());
        self.prefix(prefix)
    }

    /// The prefix of a string of at most `limit` bytes, as it is and as it is stored.
    #[inline]
    pub(crate) fn text(&mut self, limit: u64) -> Result<Text, Stop> {
        let before = self.at;
        let prefix = prefix::text(self.rest());
        let text = self.prefix(prefix)?;
        let longest = match text {
            Text::Plain(length) => length,
            Text::Number(_) => 0,
            Text::Lzf { compressed, length } => compressed.max(length),
        };
        if longest > limit {
            self.at = before;
            return Err(Stop::Bad(Problem::TooLong(longest)));
        }
        Ok(text)
    }

    #[inline]
    fn prefix<T>(&mut self, prefix: Prefix<T>) -> Result<T, Stop> {
        match prefix {
            Prefix::Whole(value, size) => {
                self.at += size;
                Ok(value)
            }
            Prefix::Needs(size) => Err(Stop::Need(self.at - self.start + size)),
            Prefix::Bad(problem) => Err(Stop::Bad(problem)),
        }
    }

    /// A string of at most `limit` bytes; one that is stored as a number as its decimal text.
    #[inline]
    pub(crate) fn string(&mut self, limit: u64) -> Result<Bytes, Stop> {
        let text = self.text(limit)?;
        self.string_behind(text)
    }

    /// The string behind its prefix.
    pub(crate) fn string_behind(&mut self, text: Text) -> Result<Bytes, Stop> {
        let stored = self.bytes(text.follows())?;
        Ok(match text {
            Text::Plain(_) => stored,
            Text::Number(_) => decimal(little_endian(&stored)),
            Text::Lzf { length, .. } => lzf::decompress(&stored, length)?.into(),
        })
    }

    /// The next bytes, without copying them.
    #[inline]
    pub(crate) fn bytes(&mut self, count: u64) -> Result<Bytes, Stop> {
        self.expect(count)?;
        let end = self.at + count as usize;
        let bytes = self.bytes.slice(self.at..end);
        self.at = end;
        Ok(bytes)
    }
}

/// A signed number of up to 8 bytes.
pub(crate) fn little_endian(bytes: &[u8]) -> i64 {
    let mut number = if bytes.last().is_some_and(|high| high & 0x80 != 0) { [0xff; 8] } else { [0; 8] };
    for (to, from) in number.iter_mut().zip(bytes) {
        *to = *from;
    }
    i64::from_le_bytes(number)
}

/// A number as the text that a client sees. (By hand: `to_string` and its way into `Bytes` allocate twice.)
pub(crate) fn decimal(number: i64) -> Bytes {
    let mut text = [b'-'; 20];
    let mut at = text.len();
    let mut left = number.unsigned_abs();
    loop {
        at -= 1;
        text[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    // Where nothing else was written there are minuses.
    Bytes::copy_from_slice(&text[at - usize::from(number < 0)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_their_text() {
        for number in [0, 1, -1, 9, 10, -10, 12_345, i64::MAX, i64::MIN] {
            assert_eq!(decimal(number), number.to_string());
        }
    }

    #[test]
    fn little_endian_numbers_keep_their_sign() {
        assert_eq!(little_endian(&[0xff]), -1);
        assert_eq!(little_endian(&[0, 0x80]), -32_768);
        assert_eq!(little_endian(&[0xff, 0xff, 0x7f]), 8_388_607);
        assert_eq!(little_endian(&i64::MIN.to_le_bytes()), i64::MIN);
    }
}
