//! What a connection still has to send.
//!
//! Small requests are copied one behind the other into one buffer; large values are queued as shared
//! slices of the buffer they were read into, so that they are never copied in user space.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// A value of at least this many bytes is queued as a slice; below it, copying is cheaper than the
/// bookkeeping (measured: `docs/benchmarks.md`).
pub const SHARE_FROM: usize = 8 * 1024;

/// How many slices one write hands to the kernel at most.
pub(crate) const MAX_SLICES: usize = 32;

/// Bytes that wait to be written, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    sealed: VecDeque<Bytes>,
    sealed_len: usize,
    open: Vec<u8>,
    open_written: usize,
}

impl Outbox {
    /// The buffer that small requests are appended to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.open
    }

    /// Appends `value`: by copy when it is small, as a shared slice when it is large.
    pub fn push_value(&mut self, value: Bytes) {
        if value.len() < SHARE_FROM {
            self.open.extend_from_slice(&value);
        } else {
            self.seal();
            self.sealed_len += value.len();
            self.sealed.push_back(value);
        }
    }

    /// Bytes not yet written.
    pub fn len(&self) -> usize {
        self.sealed_len + self.open.len() - self.open_written
    }

    /// Whether everything is written.
    pub fn is_empty(&self) -> bool {
        self.sealed.is_empty() && self.open_written == self.open.len()
    }

    fn seal(&mut self) {
        if self.open_written < self.open.len() {
            let mut bytes = Bytes::from(std::mem::take(&mut self.open));
            bytes.advance(self.open_written);
            self.sealed_len += bytes.len();
            self.sealed.push_back(bytes);
        } else {
            self.open.clear();
        }
        self.open_written = 0;
    }

    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>; MAX_SLICES]) -> usize {
        let mut used = 0;
        for bytes in self.sealed.iter().take(MAX_SLICES - 1) {
            slices[used] = IoSlice::new(bytes);
            used += 1;
        }
        if self.sealed.len() < MAX_SLICES && self.open_written < self.open.len() {
            slices[used] = IoSlice::new(&self.open[self.open_written..]);
            used += 1;
        }
        used
    }

    pub(crate) fn advance(&mut self, mut written: usize) {
        while let Some(front) = self.sealed.front_mut() {
            let step = written.min(front.len());
            front.advance(step);
            self.sealed_len -= step;
            written -= step;
            if !front.is_empty() {
                return;
            }
            self.sealed.pop_front();
        }
        self.open_written += written;
        if self.open_written == self.open.len() {
            self.open.clear();
            self.open_written = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_over_partial_writes() {
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for round in 0..40u8 {
            let small = vec![round; 10];
            outbox.buffer().extend_from_slice(&small);
            expected.extend_from_slice(&small);
            let large = vec![round + 100; SHARE_FROM + usize::from(round)];
            outbox.push_value(Bytes::from(large.clone()));
            expected.extend_from_slice(&large);
        }
        assert_eq!(outbox.len(), expected.len());
        let mut written = Vec::new();
        while !outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); MAX_SLICES];
            let used = outbox.slices(&mut slices);
            let all: Vec<u8> = slices[..used].iter().flat_map(|s| s.iter().copied()).collect();
            let take = all.len().min(7_777);
            written.extend_from_slice(&all[..take]);
            outbox.advance(take);
        }
        assert!(written == expected, "bytes left the outbox in another order");
        assert_eq!(outbox.len(), 0);
    }
}
