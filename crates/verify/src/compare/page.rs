//! How many elements make a page.

/// About so many bytes at once.
const PAGE_BYTES: u64 = 512 << 10;

/// Most elements of one request, so that no request keeps a server busy for long.
const MOST: u64 = 10_000;

/// Elements of the first page when nothing is known about their size.
const FIRST: u64 = 16;

/// A page may become this many times larger than wished when large elements follow small ones.
const SURPRISE: u64 = 16;

/// Learns from each page how many elements the next one should have.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSize {
    average: u64,
    largest: u64,
}

impl PageSize {
    /// `average`: an element's estimated bytes.
    pub(super) fn new(average: Option<u64>) -> PageSize {
        PageSize { average: average.unwrap_or(PAGE_BYTES / FIRST).max(1), largest: 0 }
    }

    pub(super) fn count(&self) -> u32 {
        let by_largest = (PAGE_BYTES * SURPRISE) / self.largest.max(1);
        (PAGE_BYTES / self.average).min(by_largest).clamp(1, MOST) as u32
    }

    /// Learns at once when elements are larger than thought, slowly when they are smaller.
    pub(super) fn saw(&mut self, seen: Measure) {
        let Some(average) = seen.bytes.checked_div(seen.elements) else { return };
        self.largest = self.largest.max(seen.largest);
        self.average = if average > self.average { average } else { (self.average + average) / 2 }.max(1);
    }
}

/// The elements of some pages as they came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Measure {
    elements: u64,
    bytes: u64,
    largest: u64,
}

impl Measure {
    #[inline]
    pub(super) fn element(&mut self, bytes: usize) {
        self.elements += 1;
        self.bytes += bytes as u64;
        self.largest = self.largest.max(bytes as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_at_once_and_grow_slowly() {
        let mut size = PageSize::new(None);
        assert_eq!(u64::from(size.count()), FIRST);
        let mut large = Measure::default();
        large.element(200 << 10);
        size.saw(large);
        assert_eq!(size.count(), 2);
        let mut small = Measure::default();
        (0..100).for_each(|_| small.element(10));
        size.saw(small);
        assert_eq!(size.count(), 5);
        (0..40).for_each(|_| size.saw(small));
        assert_eq!(size.count(), 40, "one large element was seen, more may follow");
        size.saw(Measure::default());
        large.element(usize::MAX / 4);
        size.saw(large);
        assert_eq!(size.count(), 1);
    }
}
