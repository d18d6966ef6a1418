//! Which keys a side has, in a space that does not grow with them.
//!
//! Each side's names are hashed and added up in 1024 buckets. Equal sums mean the same names (up to a chance of
//! one in 2^128 a bucket), so what only the target has is in buckets that differ, and only keys of those
//! are asked for on the source, in a second listing of the target. Caches that hold the same keys need none.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128_with_seed;

const BUCKETS: usize = 1024;

/// A name on the target as a number, the same for both sides. The database is part of it.
pub(crate) fn name_hash(target_db: u32, name: &[u8]) -> u128 {
    xxh3_128_with_seed(name, u64::from(target_db))
}

/// Where a hash is between 0 and 1, for samples; independent of its bucket.
pub(crate) fn fraction(hash: u128) -> f64 {
    (hash >> 64) as u64 as f64 / (u64::MAX as f64 + 1.0)
}

fn bucket_of(hash: u128) -> usize {
    hash as usize % BUCKETS
}

/// The names of one side or of one scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Sums(Vec<u128>);

impl Default for Sums {
    fn default() -> Sums {
        Sums(vec![0; BUCKETS])
    }
}

impl Sums {
    /// Adds a name. Adding does not cancel a name that comes twice, as exclusive or would.
    pub(crate) fn add(&mut self, hash: u128) {
        let bucket = &mut self.0[bucket_of(hash)];
        *bucket = bucket.wrapping_add(hash);
    }

    /// Adds the names of another scan.
    pub(crate) fn add_all(&mut self, other: &Sums) {
        for (bucket, more) in self.0.iter_mut().zip(&other.0) {
            *bucket = bucket.wrapping_add(*more);
        }
    }

    /// The buckets in which two sides differ.
    pub(crate) fn differing(&self, other: &Sums) -> Buckets {
        Buckets(self.0.iter().zip(&other.0).map(|(one, two)| one != two).collect())
    }
}

/// Some of the buckets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Buckets(Vec<bool>);

impl Buckets {
    pub(crate) fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    /// Whether a name is in one of them.
    pub(crate) fn contain(&self, hash: u128) -> bool {
        self.0[bucket_of(hash)]
    }
}

impl From<Sums> for String {
    /// Most scans of a cluster's nodes touch all buckets, so nothing is gained by leaving zeros out.
    fn from(sums: Sums) -> String {
        use std::fmt::Write;
        sums.0.iter().fold(String::with_capacity(32 * BUCKETS), |mut text, sum| {
            _ = write!(text, "{sum:032x}");
            text
        })
    }
}

impl TryFrom<String> for Sums {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Sums, &'static str> {
        const WRONG: &str = "sums of names are not as they were written";
        if text.len() != 32 * BUCKETS || !text.is_ascii() {
            return Err(WRONG);
        }
        let numbers = (0..BUCKETS).map(|n| u128::from_str_radix(&text[32 * n..32 * (n + 1)], 16));
        numbers.collect::<Result<_, _>>().map(Sums).map_err(|_| WRONG)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sums(names: &[Vec<u8>]) -> Sums {
        let mut sums = Sums::default();
        names.iter().for_each(|name| sums.add(name_hash(0, name)));
        sums
    }

    #[test]
    fn the_database_is_part_of_a_name() {
        assert_ne!(name_hash(0, b"a"), name_hash(1, b"a"));
    }

    #[test]
    fn a_name_that_comes_twice_is_not_one_that_never_came() {
        let [none, twice] = [sums(&[]), sums(&[b"a".to_vec(), b"a".to_vec()])];
        assert!(none.differing(&twice).contain(name_hash(0, b"a")));
    }

    #[test]
    fn samples_are_even() {
        let chosen = (0..100_000u32).filter(|n| fraction(name_hash(0, &n.to_le_bytes())) < 0.1).count();
        assert!((9_500..10_500).contains(&chosen), "{chosen} of 100,000");
    }

    proptest! {
        /// In whatever order and in however many scans names come, equal sides have equal sums, and a name
        /// that one side lacks is always in a differing bucket.
        #[test]
        fn what_one_side_lacks_is_in_a_differing_bucket(
            mut names in prop::collection::hash_set(prop::collection::vec(any::<u8>(), 0..9), 1..200),
            cut in any::<prop::sample::Index>(),
        ) {
            let all: Vec<Vec<u8>> = names.drain().collect();
            let at = cut.index(all.len());
            let mut parts = sums(&all[at..]);
            parts.add_all(&sums(&all[..at]));
            prop_assert_eq!(&parts, &sums(&all));
            prop_assert!(parts.differing(&sums(&all)).is_empty());
            let lacking = [&all[..at], &all[at + 1..]].concat();
            prop_assert!(parts.differing(&sums(&lacking)).contain(name_hash(0, &all[at])));
            let kept = Sums::try_from(String::from(parts.clone())).unwrap();
            prop_assert_eq!(kept, parts);
        }
    }
}
