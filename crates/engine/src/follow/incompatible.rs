//! Keys that the target cannot hold as they are now: its version or its modules have no place for them.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use migration::tally::{Cause, Outcome};

/// Names that are kept, so that they can be told.
const NAMES: usize = 10_000;

/// Keys beyond that are known by 64 bits of a hash, 16 bytes each with what the set needs itself.
const HASHES: usize = 1_000_000;

/// The keys of one queue that were found to be incompatible when they were last read.
#[derive(Debug, Default)]
pub(crate) struct Incompatible {
    names: HashSet<Box<[u8]>>,
    /// Those for whose names there was no room.
    hashes: HashSet<u64>,
    hasher: RandomState,
}

impl Incompatible {
    /// A key has come to this end. One that says nothing about the key's value leaves what is known of it.
    pub(crate) fn judge(&mut self, name: &[u8], outcome: Outcome) {
        match outcome {
            Outcome::Not(cause) if cause.is_incompatible() => self.add(name),
            Outcome::Copied { .. }
            | Outcome::Not(Cause::GoneBeforeRead | Cause::ExpiredOnTheWay | Cause::Filtered) => {
                self.forget(name);
            }
            Outcome::Not(_) => {}
        }
    }

    fn add(&mut self, name: &[u8]) {
        if self.names.contains(name) {
            return;
        }
        if self.names.len() < NAMES {
            self.hashes.remove(&self.hasher.hash_one(name));
            self.names.insert(name.into());
        } else if self.hashes.len() < HASHES {
            self.hashes.insert(self.hasher.hash_one(name));
        }
    }

    /// The key is not this queue's any more, or fits.
    pub(crate) fn forget(&mut self, name: &[u8]) {
        // As a rule there are none, and nothing is hashed.
        if self.count() > 0 && !self.names.remove(name) {
            self.hashes.remove(&self.hasher.hash_one(name));
        }
    }

    /// All keys are looked at once more from now on.
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.hashes.clear();
    }

    /// How many there are; of more than a million, at least so many.
    pub(crate) fn count(&self) -> u64 {
        (self.names.len() + self.hashes.len()) as u64
    }

    /// Names of at most so many of them, in no order.
    pub(crate) fn names(&self, most: usize) -> impl Iterator<Item = &[u8]> {
        self.names.iter().take(most).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use migration::tally::KeyType;

    use super::*;

    const UNFIT: Outcome = Outcome::Not(Cause::FormatUnfit);
    const COPIED: Outcome = Outcome::Copied { kind: KeyType::Hash, bytes: 1 };

    #[test]
    fn what_counts_is_how_a_key_was_found_last() {
        let mut keys = Incompatible::default();
        keys.judge(b"a", UNFIT);
        keys.judge(b"a", UNFIT);
        keys.judge(b"b", Outcome::Not(Cause::ModuleTypeUnknown));
        keys.judge(b"c", Outcome::Not(Cause::TargetForbids));
        assert_eq!(keys.count(), 2);
        keys.judge(b"a", Outcome::Not(Cause::ChangedWhileRead));
        assert_eq!(keys.count(), 2, "nothing was learned about its value");
        keys.judge(b"a", COPIED);
        keys.judge(b"c", COPIED);
        assert_eq!(keys.names(9).collect::<Vec<_>>(), [b"b"]);
        keys.judge(b"b", Outcome::Not(Cause::GoneBeforeRead));
        assert_eq!(keys.count(), 0);
    }

    #[test]
    fn beyond_the_names_the_count_stays_right() {
        let mut keys = Incompatible::default();
        let name = |n: usize| n.to_string().into_bytes();
        (0..NAMES + 50).for_each(|n| keys.judge(&name(n), UNFIT));
        (NAMES..NAMES + 10).for_each(|n| keys.judge(&name(n), UNFIT));
        assert_eq!((keys.count(), keys.names(usize::MAX).count()), (NAMES as u64 + 50, NAMES));
        (0..20).for_each(|n| keys.judge(&name(n), COPIED));
        (NAMES..NAMES + 20).for_each(|n| keys.judge(&name(n), UNFIT));
        assert_eq!(keys.count(), NAMES as u64 + 30, "a key that gets its name is not counted twice");
        (0..NAMES + 50).for_each(|n| keys.judge(&name(n), COPIED));
        assert_eq!(keys.count(), 0);
    }
}
