//! Sets of numbers: width (4 bytes), count (4 bytes), numbers, all little-endian. Source: intset.c of Redis.

use bytes::Bytes;

use crate::error::Problem;
use crate::scan::little_endian;

use super::cell::Cell;

/// A place in a set.
#[derive(Debug)]
pub(super) struct Intset {
    width: usize,
    blob: Bytes,
    at: usize,
}

impl Intset {
    pub(super) fn open(blob: Bytes) -> Result<Intset, Problem> {
        const DAMAGED: Problem = Problem::Malformed("a set of numbers is damaged");
        let (width, rest) = blob.split_first_chunk().ok_or(DAMAGED)?;
        let (count, rest) = rest.split_first_chunk().ok_or(DAMAGED)?;
        let (width, count) = (u32::from_le_bytes(*width), u32::from_le_bytes(*count));
        if !matches!(width, 2 | 4 | 8) || u64::from(width) * u64::from(count) != rest.len() as u64 {
            return Err(DAMAGED);
        }
        Ok(Intset { width: width as usize, blob, at: 8 })
    }

    pub(super) fn next(&mut self) -> Option<Cell> {
        let number = self.blob.get(self.at..self.at + self.width)?;
        self.at += self.width;
        Some(Cell::Number(little_endian(number)))
    }
}
