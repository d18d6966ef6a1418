//! Ziplists, the listpacks of Redis before 7.0: size and place of the last cell (4 bytes each), count (2 bytes), cells,
//! 255. In front of every cell stands the size of the one before. Source: ziplist.c of Redis.

use bytes::Bytes;

use crate::error::Problem;
use crate::scan::little_endian;

use super::cell::Cell;

const DAMAGED: Problem = Problem::Malformed("a ziplist is damaged");

/// Size, place of the last cell, and count.
const HEAD: usize = 10;

/// A place in a ziplist.
#[derive(Debug)]
pub(super) struct Ziplist {
    blob: Bytes,
    at: usize,
    cells: usize,
    /// Size of the cell before.
    before: usize,
}

impl Ziplist {
    pub(super) fn open(blob: Bytes) -> Result<Ziplist, Problem> {
        let size = blob.first_chunk().map(|size| u32::from_le_bytes(*size));
        if blob.len() <= HEAD || size.is_none_or(|size| size as usize != blob.len()) {
            return Err(DAMAGED);
        }
        Ok(Ziplist { blob, at: HEAD, cells: 0, before: 0 })
    }

    /// The next cell; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Cell>, Problem> {
        let whole = &self.blob[self.at..];
        let (&first, behind) = whole.split_first().ok_or(DAMAGED)?;
        let (before, rest) = match first {
            255 => return self.end(behind),
            254 => {
                let (before, rest) = behind.split_first_chunk().ok_or(DAMAGED)?;
                (u32::from_le_bytes(*before) as usize, rest)
            }
            short => (usize::from(short), behind),
        };
        if before != self.before {
            return Err(DAMAGED);
        }
        let (&form, behind) = rest.split_first().ok_or(DAMAGED)?;
        // Where the cell's content is, and how wide a number.
        let (start, length, is_text): (usize, usize, bool) = match form {
            0..0x40 => (1, usize::from(form), true),
            0x40..0x80 => {
                let low = behind.first().ok_or(DAMAGED)?;
                (2, usize::from(form & 0x3f) << 8 | usize::from(*low), true)
            }
            0x80..0xc0 => {
                let length = behind.first_chunk().ok_or(DAMAGED)?;
                (5, u32::from_be_bytes(*length) as usize, true)
            }
            0xc0 => (1, 2, false),
            0xd0 => (1, 4, false),
            0xe0 => (1, 8, false),
            0xf0 => (1, 3, false),
            0xfe => (1, 1, false),
            0xf1..=0xfd => (1, 0, false),
            _ => return Err(DAMAGED),
        };
        let content = start.checked_add(length).and_then(|end| rest.get(start..end)).ok_or(DAMAGED)?;
        let cell = match (is_text, content) {
            (true, text) => Cell::Text(self.blob.slice_ref(text)),
            // 0 to 12 are in the form itself.
            (false, []) => Cell::Number(i64::from(form & 0x0f) - 1),
            (false, number) => Cell::Number(little_endian(number)),
        };
        self.before = whole.len() - rest.len() + start + length;
        self.at += self.before;
        self.cells += 1;
        Ok(Some(cell))
    }

    /// The count in the head stands for nothing if it is 65535.
    fn end(&self, behind: &[u8]) -> Result<Option<Cell>, Problem> {
        let count = usize::from(u16::from_le_bytes([self.blob[8], self.blob[9]]));
        if behind.is_empty() && (count == 0xffff || count == self.cells) { Ok(None) } else { Err(DAMAGED) }
    }
}
