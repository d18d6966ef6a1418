//! Which part of a scan is done for good.
//!
//! A scan hands out keys page by page; each page is asked for with a cursor. Keys of several pages are in
//! flight at once and finish in any order, but a checkpoint may only name a cursor behind which every key
//! is settled: the cursor that the oldest unfinished page was asked for with. The counts in a checkpoint
//! cover exactly those finished pages, so that a resumed run does not count a key twice.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::tally::{Outcome, Tally};

/// Where a scan goes on, together with what was counted before that point.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ScanPosition {
    /// The cursor to ask for next; 0 is the beginning.
    pub cursor: u64,
    /// All pages are settled.
    pub done: bool,
    /// What became of the keys before the cursor.
    pub tally: Tally,
}

/// The pages of one scan.
#[derive(Debug)]
pub struct Pages {
    open: VecDeque<Page>,
    first: u64,
    /// `None` once the server has said that there are no more pages.
    next: Option<u64>,
    settled: Tally,
}

#[derive(Debug)]
struct Page {
    cursor: u64,
    keys: u64,
    tally: Tally,
}

impl Pages {
    /// Goes on from a position.
    pub fn resume(position: ScanPosition) -> Pages {
        let next = (!position.done).then_some(position.cursor);
        Pages { open: VecDeque::new(), first: 0, next, settled: position.tally }
    }

    /// The cursor that the next page is asked for with; `None` when the scan has ended.
    pub fn next_cursor(&self) -> Option<u64> {
        self.next
    }

    /// A page has arrived: it holds `keys` keys and the server named `next` for the page after it.
    /// Returns the page's number, to settle its keys with.
    pub fn opened(&mut self, keys: u64, next: u64) -> u64 {
        let cursor = self.next.unwrap_or(0);
        self.next = (next != 0).then_some(next);
        self.open.push_back(Page { cursor, keys, tally: Tally::listed(keys) });
        let number = self.first + self.open.len() as u64 - 1;
        self.close_finished();
        number
    }

    /// One key of a page has come to its end.
    ///
    /// # Panics
    /// The page was never opened or is finished already: keys would be counted twice.
    pub fn settle(&mut self, page: u64, outcome: Outcome) {
        let index = page.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let page = index.and_then(|index| self.open.get_mut(index)).expect("an open page");
        page.tally.count(outcome);
        self.close_finished();
    }

    /// The number of the oldest unfinished page; all before it are gone.
    pub fn oldest(&self) -> u64 {
        self.first
    }

    /// Keys that were listed and have not come to their end.
    pub fn unsettled(&self) -> u64 {
        self.open.iter().map(|page| page.keys - page.tally.settled()).sum()
    }

    /// Whether every page is asked for, and every key settled.
    pub fn is_done(&self) -> bool {
        self.next.is_none() && self.open.is_empty()
    }

    /// What a checkpoint may say now.
    pub fn position(&self) -> ScanPosition {
        let cursor = self.open.front().map(|page| page.cursor).or(self.next).unwrap_or(0);
        ScanPosition { cursor, done: self.is_done(), tally: self.settled.clone() }
    }

    /// What became of all keys so far, also those behind the checkpoint.
    pub fn total(&self) -> Tally {
        let mut total = self.settled.clone();
        for page in &self.open {
            total.add(&page.tally);
        }
        total
    }

    fn close_finished(&mut self) {
        while self.open.front().is_some_and(|page| page.tally.settled() == page.keys) {
            if let Some(page) = self.open.pop_front() {
                self.settled.add(&page.tally);
                self.first += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Cause, KeyType};
    use proptest::prelude::*;

    const COPIED: Outcome = Outcome::Copied { kind: KeyType::String, bytes: 10 };

    #[test]
    fn the_checkpoint_names_the_oldest_unfinished_page() {
        let mut pages = Pages::resume(ScanPosition::default());
        let first = pages.opened(2, 48);
        let second = pages.opened(1, 7);
        pages.settle(second, COPIED);
        assert_eq!(pages.position(), ScanPosition::default(), "the second page is done, the first is not");
        pages.settle(first, COPIED);
        assert_eq!(pages.position().cursor, 0);
        pages.settle(first, Outcome::Not(Cause::GoneBeforeRead));
        assert_eq!((pages.position().cursor, pages.position().tally.scanned), (7, 3));
    }

    #[test]
    fn empty_pages_finish_at_once_and_the_last_cursor_ends_the_scan() {
        let mut pages = Pages::resume(ScanPosition::default());
        pages.opened(0, 12);
        assert_eq!(pages.position().cursor, 12);
        pages.opened(0, 0);
        assert!(pages.is_done() && pages.position().done);
    }

    proptest! {
        /// Whatever order keys settle in and wherever the run stops, a resumed run counts every key once.
        #[test]
        fn a_resumed_scan_counts_every_key_once(
            sizes in prop::collection::vec(0u64..5, 1..12),
            picks in prop::collection::vec(any::<u16>(), 0..60),
        ) {
            let last = sizes.len() as u64;
            let mut pages = Pages::resume(ScanPosition::default());
            let mut open = Vec::new();
            for (index, size) in sizes.iter().enumerate() {
                let next = if index as u64 + 1 == last { 0 } else { index as u64 + 1 };
                let page = pages.opened(*size, next);
                open.extend(std::iter::repeat_n(page, *size as usize));
            }
            for pick in picks {
                if open.is_empty() { break; }
                let page = open.swap_remove(usize::from(pick) % open.len());
                pages.settle(page, COPIED);
            }
            let stopped = pages.position();
            let mut resumed = Pages::resume(stopped.clone());
            while let Some(cursor) = resumed.next_cursor() {
                let size = sizes[cursor as usize];
                let page = resumed.opened(size, if cursor + 1 == last { 0 } else { cursor + 1 });
                for _ in 0..size { resumed.settle(page, COPIED); }
            }
            prop_assert!(resumed.is_done());
            prop_assert_eq!(resumed.position().tally.copied, sizes.iter().sum::<u64>());
            prop_assert_eq!(resumed.position().tally.scanned, sizes.iter().sum::<u64>());
        }
    }
}
