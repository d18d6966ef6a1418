//! The hashes of Redis before 2.6: a byte of count, then key and value in turn, each behind its length; a value's
//! length is followed by the count of unused bytes behind the value; 255 is the end. Source: zipmap.c of Redis.

use bytes::Bytes;

use crate::error::Problem;

use super::cell::Cell;

const DAMAGED: Problem = Problem::Malformed("a zipmap is damaged");

/// A place in a zipmap.
#[derive(Debug)]
pub(super) struct Zipmap {
    blob: Bytes,
    at: usize,
    /// Cells so far: keys and values.
    cells: usize,
}

impl Zipmap {
    pub(super) fn open(blob: Bytes) -> Result<Zipmap, Problem> {
        if blob.len() < 2 { Err(DAMAGED) } else { Ok(Zipmap { blob, at: 1, cells: 0 }) }
    }

    pub(super) fn next(&mut self) -> Result<Option<Cell>, Problem> {
        let is_value = self.cells % 2 == 1;
        let rest = &self.blob[self.at..];
        let (&first, rest) = rest.split_first().ok_or(DAMAGED)?;
        let (length, rest) = match first {
            255 if is_value => return Err(DAMAGED),
            255 => return self.end(rest),
            254 => {
                let (length, rest) = rest.split_first_chunk().ok_or(DAMAGED)?;
                (u32::from_le_bytes(*length) as usize, rest)
            }
            short => (usize::from(short), rest),
        };
        let (unused, rest) = if is_value {
            let (&unused, rest) = rest.split_first().ok_or(DAMAGED)?;
            (usize::from(unused), rest)
        } else {
            (0, rest)
        };
        let start = self.blob.len() - rest.len();
        let end = start.checked_add(length).ok_or(DAMAGED)?;
        if end.checked_add(unused).is_none_or(|next| next > self.blob.len()) {
            return Err(DAMAGED);
        }
        self.at = end + unused;
        self.cells += 1;
        Ok(Some(Cell::Text(self.blob.slice(start..end))))
    }

    /// The count in front stands for nothing from 254 on.
    fn end(&self, behind: &[u8]) -> Result<Option<Cell>, Problem> {
        let count = usize::from(self.blob[0]);
        if behind.is_empty() && (count >= 254 || count == self.cells / 2) { Ok(None) } else { Err(DAMAGED) }
    }
}
