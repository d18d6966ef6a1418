//! Which part of a file is done for good.
//!
//! Keys come in the order of the file and end in any order. A checkpoint may only name a place before which every
//! key has come to its end, with the counts of exactly those keys.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::tally::{Outcome, Tally};

/// How many keys at the beginning have come to their end, and to which.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SequencePosition {
    /// Keys from the beginning.
    pub keys: u64,
    /// What became of them.
    pub tally: Tally,
}

/// The keys that are on their way.
#[derive(Debug)]
pub struct Sequence {
    settled: SequencePosition,
    ends: VecDeque<Option<Outcome>>,
    /// Of all keys, also those behind the first that is open.
    total: Tally,
    open: usize,
}

impl Sequence {
    /// Goes on from a position.
    pub fn resume(position: SequencePosition) -> Sequence {
        Sequence { total: position.tally.clone(), settled: position, ends: VecDeque::new(), open: 0 }
    }

    /// The next key has come; its number is that in the file, counted from 0.
    pub fn listed(&mut self) -> u64 {
        self.ends.push_back(None);
        self.open += 1;
        self.total.scanned += 1;
        self.settled.keys + self.ends.len() as u64 - 1
    }

    /// A key has come to its end.
    ///
    /// # Panics
    /// It was never listed, or has ended before: keys would be counted twice.
    pub fn settle(&mut self, number: u64, outcome: Outcome) {
        let index = number.checked_sub(self.settled.keys).and_then(|index| usize::try_from(index).ok());
        let end = index.and_then(|index| self.ends.get_mut(index)).expect("a key that was listed");
        assert!(end.replace(outcome).is_none(), "a key ends once");
        self.open -= 1;
        self.total.count(outcome);
        while let Some(Some(outcome)) = self.ends.front() {
            self.settled.keys += 1;
            self.settled.tally.scanned += 1;
            self.settled.tally.count(*outcome);
            self.ends.pop_front();
        }
    }

    /// Keys that were listed and have not ended.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Keys that are remembered: from the first that has not ended to the last that was listed.
    pub fn span(&self) -> usize {
        self.ends.len()
    }

    /// What a checkpoint may say now.
    pub fn position(&self) -> &SequencePosition {
        &self.settled
    }

    /// What became of all keys so far.
    pub fn total(&self) -> &Tally {
        &self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::{Cause, KeyType};
    use proptest::prelude::*;

    const COPIED: Outcome = Outcome::Copied { kind: KeyType::String, bytes: 10 };

    #[test]
    fn the_position_is_before_the_first_open_key() {
        let mut sequence = Sequence::resume(SequencePosition::default());
        let keys: Vec<u64> = (0..3).map(|_| sequence.listed()).collect();
        sequence.settle(keys[1], COPIED);
        assert_eq!((sequence.position().keys, sequence.total().copied, sequence.open()), (0, 1, 2));
        sequence.settle(keys[0], Outcome::Not(Cause::Filtered));
        assert_eq!((sequence.position().keys, sequence.position().tally.scanned), (2, 2));
        assert_eq!(sequence.span(), 1);
    }

    proptest! {
        /// Whatever order keys end in and wherever the run stops, a resumed run counts every key once.
        #[test]
        fn a_resumed_file_counts_every_key_once(keys in 1u64..200, picks in prop::collection::vec(any::<u16>(), 0..300)) {
            let mut sequence = Sequence::resume(SequencePosition::default());
            let mut open: Vec<u64> = (0..keys).map(|_| sequence.listed()).collect();
            for pick in picks {
                if open.is_empty() { break; }
                let number = open.swap_remove(usize::from(pick) % open.len());
                sequence.settle(number, COPIED);
            }
            let mut resumed = Sequence::resume(sequence.position().clone());
            for number in resumed.position().keys..keys {
                prop_assert_eq!(resumed.listed(), number);
                resumed.settle(number, COPIED);
            }
            prop_assert_eq!(resumed.position().tally.copied, keys);
            prop_assert_eq!(resumed.total(), &resumed.position().tally);
        }
    }
}
