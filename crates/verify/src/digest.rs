//! What a value is, in 128 bits, whatever server, version, encoding, order or piece it comes from.
//!
//! `part(x)` is the 128-bit xxh3 of the bytes of `x`; `both(a, b)` is the xxh3 of the 32 bytes of two digests.
//! Every part is digested on its own before it is joined with others, so that no border between two parts can move
//! without another digest: `["ab", "c"]` is not `["a", "bc"]`. The number of elements is compared as well.
//!
//! | Type | Digest |
//! |---|---|
//! | string | length and `part(value)`; pieces are strung together |
//! | list | elements in order: each `d = both(d, part(element))`, from 0 |
//! | set | the sum modulo 2^128 of `part(member)` |
//! | hash | the sum of `both(part(field), part(value))` |
//! | sorted set | the sum of `both(score, part(member))`; `score` is the 64 bits of the number, of which -0 is 0 |
//! | stream | entries in order as in a list, each `part(id)` joined with the number of its texts and with every text; and `part` of the last id |
//! | stream's counters | entries ever added and the largest deleted id, if both sides report them |
//! | groups | the sum over all groups of: name, last delivered id, the sum of the consumers' names, and the pending entries in order of id, each of id, consumer and number of deliveries |
//! | read by groups | how many entries each group has read, if both sides report it for the group |
//! | module | type, version of its encoding and the numbers and texts that the module saved, from DUMP |
//!
//! A sum forgets the order, which those types do not have, and counts an element that is there twice (exclusive or
//! would not). It makes 128 bits as good as the hash does for data that nobody chose in order to deceive; xxh3 is no
//! cryptographic hash.
//!
//! Left out, because servers do not keep it or it passes on its own: encodings, memory, idle times and frequencies, when
//! entries were delivered last, a group's lag.

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// The digest of one text.
#[inline]
pub(crate) fn part(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

/// The digest of two in this order.
#[inline]
pub(crate) fn both(first: u128, second: u128) -> u128 {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(&first.to_le_bytes());
    bytes[16..].copy_from_slice(&second.to_le_bytes());
    xxh3_128(&bytes)
}

/// A member and its score.
#[inline]
pub(crate) fn scored(score: f64, member: u128) -> u128 {
    // Small sorted sets of 7.x cannot hold the sign of a zero.
    let score = if score == 0.0 { 0.0 } else { score };
    both(u128::from(score.to_bits()), member)
}

/// A score as any version prints it: 17 digits, or as few as tell the number.
pub(crate) fn score(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A string that comes in pieces.
#[derive(Default)]
pub(crate) struct Text {
    hasher: Xxh3,
    length: u64,
}

impl Text {
    pub(crate) fn push(&mut self, piece: &[u8]) {
        self.hasher.update(piece);
        self.length += piece.len() as u64;
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The `part` of the whole.
    pub(crate) fn digest(&self) -> u128 {
        self.hasher.digest128()
    }
}

/// Elements whose order counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ordered {
    pub(crate) count: u64,
    digest: u128,
}

impl Ordered {
    #[inline]
    pub(crate) fn push(&mut self, element: u128) {
        self.count += 1;
        self.digest = both(self.digest, element);
    }

    pub(crate) fn digest(&self) -> u128 {
        both(self.digest, u128::from(self.count))
    }
}

/// Elements without an order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Unordered {
    pub(crate) count: u64,
    sum: u128,
}

impl Unordered {
    #[inline]
    pub(crate) fn push(&mut self, element: u128) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(element);
    }

    pub(crate) fn digest(&self) -> u128 {
        both(self.sum, u128::from(self.count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn list(elements: &[Vec<u8>]) -> u128 {
        let mut digest = Ordered::default();
        elements.iter().for_each(|element| digest.push(part(element)));
        digest.digest()
    }

    fn set(elements: &[Vec<u8>]) -> u128 {
        let mut digest = Unordered::default();
        elements.iter().for_each(|element| digest.push(part(element)));
        digest.digest()
    }

    fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn borders_order_and_repetition_count() {
        assert_ne!(list(&texts(&["ab", "c"])), list(&texts(&["a", "bc"])));
        assert_ne!(list(&texts(&["a", "b"])), list(&texts(&["b", "a"])));
        assert_ne!(list(&texts(&["a", ""])), list(&texts(&["a"])));
        assert_ne!(list(&[]), list(&texts(&[""])));
        assert_ne!(set(&texts(&["ab", "c"])), set(&texts(&["a", "bc"])));
        assert_ne!(set(&texts(&["a", "a", "b", "b"])), set(&texts(&["c", "c", "d", "d"])));
        assert_ne!(set(&texts(&["a", "a"])), set(&texts(&["a"])));
        assert_eq!(set(&texts(&["a", "b"])), set(&texts(&["b", "a"])));
        assert_ne!(both(part(b"a"), part(b"b")), both(part(b"b"), part(b"a")));
        assert_ne!(set(&texts(&["a"])), list(&texts(&["a"])));
    }

    #[test]
    fn scores_are_numbers_and_not_their_texts() {
        let same = [
            ("0.1", "0.10000000000000001"),
            ("inf", "inf"),
            ("-inf", "-inf"),
            ("1e+17", "100000000000000000"),
            ("3.0000000000000001e+17", "300000000000000000"),
            ("5e-324", "4.9406564584124654e-324"),
            ("-0", "0"),
            ("1e21", "1000000000000000000000"),
        ];
        let digest = |text: &str| scored(score(text.as_bytes()).unwrap(), part(b"m"));
        for (a, b) in same {
            assert_eq!(digest(a), digest(b), "{a} {b}");
        }
        for (a, b) in [("0.1", "0.10000000000000002"), ("inf", "-inf"), ("5e-324", "0"), ("1", "-1")] {
            assert_ne!(digest(a), digest(b), "{a} {b}");
        }
        assert_eq!(score(b"x"), None);
        assert_eq!(score(b"\xff"), None);
    }

    #[test]
    fn the_definition_is_the_one_that_is_documented() {
        // XXH3_128bits("", 0) as xxHash itself gives it.
        assert_eq!(part(b""), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
        let mut bytes = part(b"field").to_le_bytes().to_vec();
        bytes.extend(part(b"value").to_le_bytes());
        assert_eq!(both(part(b"field"), part(b"value")), part(&bytes));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes in vec(any::<u8>(), 0..3000), cuts in vec(0usize..3000, 0..5)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut text = Text::default();
            cuts.windows(2).for_each(|cut| text.push(&bytes[cut[0]..cut[1]]));
            prop_assert_eq!(text.digest(), part(&bytes));
            prop_assert_eq!(text.length(), bytes.len() as u64);
        }

        #[test]
        fn a_set_is_the_same_in_any_order(
            elements in vec(vec(any::<u8>(), 0..6), 0..40),
            seed in any::<u64>(),
        ) {
            let mut shuffled = elements.clone();
            shuffled.sort_by_key(|element| part(element) ^ u128::from(seed));
            prop_assert_eq!(set(&elements), set(&shuffled));
        }

        #[test]
        fn one_other_byte_is_another_digest(
            elements in vec(vec(any::<u8>(), 1..6), 1..20),
            at in any::<proptest::sample::Index>(),
            change in 1u8..,
        ) {
            let mut other = elements.clone();
            at.get_mut(&mut other)[0] ^= change;
            prop_assert_ne!(list(&elements), list(&other));
            let mut sorted = (elements.clone(), other.clone());
            sorted.0.sort();
            sorted.1.sort();
            prop_assert_eq!(set(&elements) == set(&other), sorted.0 == sorted.1);
        }

        #[test]
        fn every_number_survives_being_printed(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(!number.is_nan());
            let printed = number.to_string();
            let seventeen = format!("{number:.16e}");
            prop_assert_eq!(scored(score(printed.as_bytes()).unwrap(), 1), scored(number, 1));
            prop_assert_eq!(scored(score(seventeen.as_bytes()).unwrap(), 1), scored(number, 1));
        }
    }
}
