//! How many elements make a piece.

/// Most elements of one request, so that no request keeps a server busy for long.
pub(super) const MAX_ELEMENTS: u64 = 10_000;

/// A piece may become this many times larger than wished when large elements follow small ones.
const SURPRISE: u64 = 16;

/// Learns from each piece how many elements the next one should have.
#[derive(Debug, Clone, Copy)]
pub(super) struct PieceSize {
    bytes: u64,
    average: u64,
    largest: u64,
}

/// The elements of one piece as they were received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) elements: u64,
    pub(super) bytes: u64,
    pub(super) largest: u64,
}

impl Measure {
    /// Counts one element of this many bytes.
    pub(super) fn element(&mut self, bytes: usize) {
        self.elements += 1;
        self.bytes += bytes as u64;
        self.largest = self.largest.max(bytes as u64);
    }
}

impl PieceSize {
    /// For pieces of `bytes`; `average` is an element's estimated size.
    pub(super) fn new(bytes: u64, average: Option<u64>) -> PieceSize {
        PieceSize { bytes, average: average.unwrap_or(bytes / 100).max(1), largest: 0 }
    }

    /// Elements to ask for next.
    pub(super) fn count(&self) -> u32 {
        let by_average = self.bytes / self.average;
        let by_largest = self.bytes.saturating_mul(SURPRISE) / self.largest.max(1);
        by_average.min(by_largest).clamp(1, MAX_ELEMENTS) as u32
    }

    /// Learns from a piece: at once when elements are larger than thought, slowly when they are smaller.
    pub(super) fn saw(&mut self, measure: Measure) {
        let Some(average) = measure.bytes.checked_div(measure.elements) else { return };
        self.largest = self.largest.max(measure.largest);
        self.average = if average > self.average { average } else { (3 * self.average + average) / 4 }.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_shrink_at_once_and_grow_slowly() {
        let mut size = PieceSize::new(1_000_000, Some(100));
        assert_eq!(size.count(), 10_000);
        size.saw(Measure { elements: 10, bytes: 1_000_000, largest: 100_000 });
        assert_eq!(size.count(), 10);
        size.saw(Measure { elements: 10, bytes: 100, largest: 10 });
        assert_eq!(size.count(), 13);
        for _ in 0..100 {
            size.saw(Measure { elements: 10, bytes: 100, largest: 10 });
        }
        assert_eq!(size.count(), 160, "one large element was seen, more may follow");
    }

    #[test]
    fn there_is_always_a_next_element() {
        let mut size = PieceSize::new(1000, None);
        size.saw(Measure::default());
        assert_eq!(size.count(), 100);
        size.saw(Measure { elements: 1, bytes: u64::MAX / 4, largest: u64::MAX / 4 });
        assert_eq!(size.count(), 1);
    }
}
