//! Listpacks: size (4 bytes), count (2 bytes), cells, 255. Behind every cell stands its length, for reading it
//! backwards. Source: listpack.c of Redis.

use bytes::Bytes;

use crate::error::Problem;
use crate::scan::little_endian;

use super::cell::Cell;

const DAMAGED: Problem = Problem::Malformed("a listpack is damaged");

/// Size and count.
const HEAD: usize = 6;

/// A place in a listpack.
#[derive(Debug, Clone)]
pub(super) struct Listpack {
    blob: Bytes,
    at: usize,
    cells: usize,
}

impl Listpack {
    pub(super) fn open(blob: Bytes) -> Result<Listpack, Problem> {
        let size = blob.first_chunk().map(|size| u32::from_le_bytes(*size));
        if blob.len() <= HEAD || size.is_none_or(|size| size as usize != blob.len()) {
            return Err(DAMAGED);
        }
        Ok(Listpack { blob, at: HEAD, cells: 0 })
    }

    /// The next cell; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Cell>, Problem> {
        let rest = &self.blob[self.at..];
        let (&first, behind) = rest.split_first().ok_or(DAMAGED)?;
        // Where the cell's content is, and what it is if it is no text.
        let (start, length, number): (usize, usize, Option<i64>) = match first {
            0..0x80 => (1, 0, Some(i64::from(first))),
            0x80..0xc0 => (1, usize::from(first & 0x3f), None),
            0xc0..0xe0 => {
                let low = behind.first().ok_or(DAMAGED)?;
                let bits = i64::from(first & 0x1f) << 8 | i64::from(*low);
                (2, 0, Some(if bits >= 1 << 12 { bits - (1 << 13) } else { bits }))
            }
            0xe0..0xf0 => {
                let low = behind.first().ok_or(DAMAGED)?;
                (2, usize::from(first & 0x0f) << 8 | usize::from(*low), None)
            }
            0xf0 => {
                let length = behind.first_chunk().ok_or(DAMAGED)?;
                (5, u32::from_le_bytes(*length) as usize, None)
            }
            0xf1..=0xf4 => {
                let width = [2, 3, 4, 8][usize::from(first - 0xf1)];
                (1 + width, 0, Some(little_endian(behind.get(..width).ok_or(DAMAGED)?)))
            }
            0xff => return self.end(behind),
            _ => return Err(DAMAGED),
        };
        let size = start + length;
        let text = rest.get(start..size).ok_or(DAMAGED)?;
        let back = backwards(&rest[size..], size).ok_or(DAMAGED)?;
        let cell = match number {
            Some(number) => Cell::Number(number),
            None => Cell::Text(self.blob.slice_ref(text)),
        };
        self.at += size + back;
        self.cells += 1;
        Ok(Some(cell))
    }

    /// A cell that must be there.
    pub(super) fn some(&mut self) -> Result<Cell, Problem> {
        self.next()?.ok_or(Problem::Malformed("a listpack ends too early"))
    }

    /// The count in the head stands for nothing if it is 65535.
    fn end(&self, behind: &[u8]) -> Result<Option<Cell>, Problem> {
        let count = usize::from(u16::from_le_bytes([self.blob[4], self.blob[5]]));
        if behind.is_empty() && (count == 0xffff || count == self.cells) { Ok(None) } else { Err(DAMAGED) }
    }
}

/// The size of what stands behind a cell: the cell's size in groups of 7 bits, the lowest one last, all but the first
/// one with the upper bit set. (The largest size of each width takes the next one, as `lpEncodeBacklen` had it until
/// Valkey 9.1 and Redis 8.8. Since then it does not; both are read.)
fn backwards(behind: &[u8], size: usize) -> Option<usize> {
    let is_largest = matches!(size, 16_383 | 2_097_151 | 268_435_455);
    let width = match size {
        // In the wider form nothing is left for the first byte.
        _ if is_largest && behind.first() != Some(&0) => size.ilog2() as usize / 7 + 1,
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    let written = behind.get(..width)?;
    let right = written.iter().rev().enumerate().all(|(place, &byte)| {
        let more = if place + 1 < width { 0x80 } else { 0 };
        byte == (size >> (7 * place) & 0x7f) as u8 | more
    });
    right.then_some(width)
}
