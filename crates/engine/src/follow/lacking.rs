//! Keys that the target does not have as the source has them, though they were tried.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use migration::tally::{Cause, Outcome};

/// Names that are kept, so that they can be told and tried once more.
const NAMES: usize = 10_000;

/// Keys beyond that are known by 64 bits of a hash, 16 bytes each with what the map needs itself.
const HASHES: usize = 1_000_000;

/// The keys of one queue that a side refused when they were last looked at.
#[derive(Debug, Default)]
pub(crate) struct Lacking {
    names: HashMap<Box<[u8]>, Why>,
    /// Those for whose names there was no room.
    hashes: HashMap<u64, Why>,
    /// How many of both are incompatible.
    incompatible: u64,
    hasher: RandomState,
}

/// Why a key is lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// The target's version or its modules have no place for it, in whatever form.
    Incompatible,
    Other,
}

impl Lacking {
    /// A key has come to this end. One that says nothing about the key's value leaves known that it is incompatible.
    pub(crate) fn judge(&mut self, name: &[u8], outcome: Outcome) {
        match outcome {
            Outcome::Copied { .. }
            | Outcome::Not(Cause::GoneBeforeRead | Cause::ExpiredOnTheWay | Cause::Filtered) => {
                self.forget(name);
            }
            Outcome::Not(cause) if cause.is_incompatible() => self.add(name, Why::Incompatible),
            Outcome::Not(_) => self.add(name, Why::Other),
        }
    }

    fn add(&mut self, name: &[u8], why: Why) {
        let before = self.remove(name);
        let why = if before == Some(Why::Incompatible) { Why::Incompatible } else { why };
        if self.names.len() < NAMES {
            self.names.insert(name.into(), why);
        } else if self.hashes.len() < HASHES {
            self.hashes.insert(self.hasher.hash_one(name), why);
        } else {
            return;
        }
        self.incompatible += u64::from(why == Why::Incompatible);
    }

    /// The key is not this queue's any more, or is as it should be.
    pub(crate) fn forget(&mut self, name: &[u8]) {
        self.remove(name);
    }

    fn remove(&mut self, name: &[u8]) -> Option<Why> {
        // As a rule there are none, and nothing is hashed.
        if self.count() == 0 {
            return None;
        }
        let why = self.names.remove(name).or_else(|| self.hashes.remove(&self.hasher.hash_one(name)))?;
        self.incompatible -= u64::from(why == Why::Incompatible);
        Some(why)
    }

    /// All keys are looked at once more from now on.
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.hashes.clear();
        self.incompatible = 0;
    }

    /// How many there are; of more than a million, at least so many.
    pub(crate) fn count(&self) -> u64 {
        (self.names.len() + self.hashes.len()) as u64
    }

    /// How many of them the target has no place for.
    pub(crate) fn incompatible(&self) -> u64 {
        self.incompatible
    }

    /// Those whose names are known, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.names.keys().map(|name| &**name)
    }

    /// Of these, those that the target has no place for.
    pub(crate) fn incompatible_names(&self) -> impl Iterator<Item = &[u8]> {
        self.names.iter().filter(|(_, why)| **why == Why::Incompatible).map(|(name, _)| &**name)
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
        let mut keys = Lacking::default();
        keys.judge(b"a", UNFIT);
        keys.judge(b"a", UNFIT);
        keys.judge(b"b", Outcome::Not(Cause::ModuleTypeUnknown));
        keys.judge(b"c", Outcome::Not(Cause::TargetForbids));
        assert_eq!((keys.count(), keys.incompatible()), (3, 2));
        keys.judge(b"a", Outcome::Not(Cause::ChangedWhileRead));
        assert_eq!((keys.count(), keys.incompatible()), (3, 2), "nothing was learned about its value");
        keys.judge(b"a", COPIED);
        assert_eq!(keys.incompatible_names().collect::<Vec<_>>(), [b"b"]);
        keys.judge(b"c", UNFIT);
        assert_eq!((keys.count(), keys.incompatible()), (2, 2));
        keys.judge(b"c", COPIED);
        assert_eq!(keys.names().collect::<Vec<_>>(), [b"b"]);
        keys.judge(b"b", Outcome::Not(Cause::GoneBeforeRead));
        assert_eq!((keys.count(), keys.incompatible()), (0, 0));
    }

    #[test]
    fn beyond_the_names_the_count_stays_right() {
        let mut keys = Lacking::default();
        let name = |n: usize| n.to_string().into_bytes();
        (0..NAMES + 50).for_each(|n| keys.judge(&name(n), UNFIT));
        (NAMES..NAMES + 10).for_each(|n| keys.judge(&name(n), UNFIT));
        assert_eq!((keys.incompatible(), keys.names().count()), (NAMES as u64 + 50, NAMES));
        (0..20).for_each(|n| keys.judge(&name(n), COPIED));
        (NAMES..NAMES + 20).for_each(|n| keys.judge(&name(n), UNFIT));
        assert_eq!(keys.count(), NAMES as u64 + 30, "a key that gets its name is not counted twice");
        (0..NAMES + 50).for_each(|n| keys.judge(&name(n), COPIED));
        assert_eq!((keys.count(), keys.incompatible()), (0, 0));
    }
}
