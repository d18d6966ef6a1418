//! The chunks that came and were not read yet.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use crate::crc::Crc;
use crate::error::Problem;
use crate::scan::{Scan, Stop};

/// Chunks below this size are put together, so that bytes that come one by one take no chunk's memory each.
const SMALL: usize = 4096;

/// A problem and the byte of the stream where it is.
pub(crate) type Trouble = (Problem, u64);

/// Chunks in order. What is read is cut out of the first one; only what lies across a border is copied.
#[derive(Debug, Default)]
pub(crate) struct Input {
    front: Bytes,
    /// Bytes of `front` that were read.
    at: usize,
    queue: VecDeque<Bytes>,
    /// Bytes in `queue`.
    queued: usize,
    /// Bytes of the stream before `front`.
    before: u64,
    /// Reading makes no sense below so many bytes.
    need: usize,
    finished: bool,
    crc: Option<Crc>,
    /// Bytes of `front` that `crc` knows: at most those read. Whole chunks at once are far cheaper.
    summed: usize,
}

impl Input {
    pub(crate) fn new() -> Input {
        Input::default()
    }

    /// Keeps the checksum of what is read.
    pub(crate) fn with_checksum() -> Input {
        Input { crc: Some(Crc::new()), ..Input::default() }
    }

    pub(crate) fn feed(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.queued += bytes.len();
        if let Some(last) = self.queue.back_mut()
            && last.len() + bytes.len() <= SMALL
        {
            match std::mem::take(last).try_into_mut() {
                Ok(mut grown) => {
                    grown.extend_from_slice(&bytes);
                    *last = grown.freeze();
                    return;
                }
                Err(shared) => *last = shared,
            }
        }
        self.queue.push_back(bytes);
    }

    pub(crate) fn finish(&mut self) {
        self.finished = true;
    }

    /// Bytes of the stream before the next one.
    pub(crate) fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    pub(crate) fn available(&self) -> usize {
        self.front.len() - self.at + self.queued
    }

    /// The next bytes, as far as they are in one chunk.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.front[self.at..]
    }

    /// The next bytes, of those in [`rest`](Self::rest).
    pub(crate) fn take(&mut self, count: usize) -> Bytes {
        let bytes = self.front.slice(self.at..self.at + count);
        self.at += count;
        bytes
    }

    /// Goes over bytes of [`rest`](Self::rest).
    pub(crate) fn skip(&mut self, count: usize) {
        debug_assert!(count <= self.rest().len());
        self.at += count;
    }

    /// Reads a unit; `None` when more bytes must come.
    #[inline]
    pub(crate) fn unit<T>(
        &mut self,
        read: impl Fn(&mut Scan<'_>) -> Result<T, Stop>,
    ) -> Result<Option<T>, Trouble> {
        loop {
            if !self.wait_for(self.need.max(1))? {
                return Ok(None);
            }
            let mut scan = Scan::new(&self.front, self.at);
            match read(&mut scan) {
                Ok(unit) => {
                    self.at = scan.at();
                    self.need = 0;
                    return Ok(Some(unit));
                }
                Err(Stop::Need(count)) => self.need = count,
                Err(Stop::Bad(problem)) => return Err((problem, self.before + scan.at() as u64)),
            }
        }
    }

    /// Makes the next `count` bytes lie one behind another; `false` when they are not all there yet.
    ///
    /// # Errors
    /// They will not come.
    #[inline]
    pub(crate) fn wait_for(&mut self, count: usize) -> Result<bool, Trouble> {
        if count <= self.rest().len() {
            return Ok(true);
        }
        if count > self.available() {
            return if self.finished {
                Err((Problem::Truncated, self.offset() + self.available() as u64))
            } else {
                Ok(false)
            };
        }
        self.join(count);
        Ok(true)
    }

    /// `count` is more than the first chunk has, and not more than there is.
    fn join(&mut self, count: usize) {
        self.sum_up();
        self.summed = 0;
        self.before += self.at as u64;
        let mut rest = self.front.slice(std::mem::take(&mut self.at)..);
        if rest.is_empty() {
            rest = self.queue.pop_front().unwrap_or_default();
            self.queued -= rest.len();
        }
        if count <= rest.len() {
            self.front = rest;
            return;
        }
        // Twice the rest, so that a unit that says in many steps how long it is is not copied in every one.
        let size = count.max(2 * rest.len()).min(rest.len() + self.queued);
        let mut joined = BytesMut::with_capacity(size);
        joined.extend_from_slice(&rest);
        while joined.len() < size
            && let Some(next) = self.queue.front_mut()
        {
            let part = next.len().min(size - joined.len());
            joined.extend_from_slice(&next[..part]);
            next.advance(part);
            self.queued -= part;
            if next.is_empty() {
                self.queue.pop_front();
            }
        }
        self.front = joined.freeze();
    }

    fn sum_up(&mut self) {
        if let Some(crc) = &mut self.crc {
            crc.update(&self.front[self.summed..self.at]);
            self.summed = self.at;
        }
    }

    /// Of everything that was read.
    pub(crate) fn checksum(&mut self) -> u64 {
        self.sum_up();
        self.crc.as_ref().map_or(0, Crc::value)
    }
}
