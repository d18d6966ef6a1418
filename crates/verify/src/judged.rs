//! What was found: counts, examples and beginnings of names, in a space that does not grow with the keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::outcome::{Counts, Example, Kind, PrefixCounts};
use crate::suspects::Judgement;
use crate::verdict::Pair;

/// Beginnings of names that are told apart.
const PREFIXES: usize = 500;

/// Bytes of a name in which its beginning ends, or it has none.
const LONGEST_PREFIX: usize = 64;

/// Results so far.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) counts: Counts,
    pub(crate) examples: Vec<Example>,
    prefixes: Vec<Prefix>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Prefix {
    #[serde(with = "crate::bytes_as_text")]
    prefix: Vec<u8>,
    counts: PrefixCounts,
}

impl Judged {
    /// Enters what a key turned out to be.
    pub(crate) fn enter(&mut self, pair: &Pair, judgement: Judgement, examples: usize) {
        match judgement {
            Judgement::Innocent => {}
            Judgement::NotCompared(reason) => {
                *self.counts.reasons.entry(reason.to_owned()).or_default() += 1;
                self.enter_kind(pair, Kind::NotCompared, examples);
            }
            Judgement::Differs(kinds) => {
                self.counts.keys_differing += u64::from(!kinds.contains(Kind::Unstable));
                kinds.iter().for_each(|kind| self.enter_kind(pair, kind, examples));
            }
        }
    }

    fn enter_kind(&mut self, pair: &Pair, kind: Kind, examples: usize) {
        // An extra key is nobody's on the source, so it is told where it is.
        let (db, name) =
            if kind == Kind::Extra { (pair.target_db, pair.name()) } else { (pair.db, &pair.key[..]) };
        let count = self.counts.found.entry(kind).or_default();
        *count += 1;
        if *count <= examples as u64 {
            self.examples.push(Example { kind, db, key: name.to_vec() });
        }
        *self.prefix(prefix_of(name)).entry(kind).or_default() += 1;
    }

    fn prefix(&mut self, prefix: &[u8]) -> &mut PrefixCounts {
        let find =
            |prefixes: &[Prefix], wanted: &[u8]| prefixes.iter().position(|known| known.prefix == wanted);
        let full = self.prefixes.len() >= PREFIXES;
        let index =
            find(&self.prefixes, prefix).or_else(|| full.then(|| find(&self.prefixes, b"")).flatten());
        let index = index.unwrap_or_else(|| {
            let prefix = if full { Vec::new() } else { prefix.to_vec() };
            self.prefixes.push(Prefix { prefix, counts: PrefixCounts::new() });
            self.prefixes.len() - 1
        });
        &mut self.prefixes[index].counts
    }

    pub(crate) fn prefixes(&self) -> BTreeMap<Vec<u8>, PrefixCounts> {
        self.prefixes.iter().map(|known| (known.prefix.clone(), known.counts.clone())).collect()
    }
}

/// A name up to and with its first separator; empty when it has none. Colons are what most names are divided by,
/// so they come before all others.
pub fn prefix_of(name: &[u8]) -> &[u8] {
    let beginning = &name[..name.len().min(LONGEST_PREFIX)];
    let end = b":/|.-_".iter().find_map(|separator| beginning.iter().position(|byte| byte == separator));
    end.map_or(&[], |end| &name[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Kinds;

    fn enter(judged: &mut Judged, name: &str, kind: Kind) {
        let pair = Pair { db: 1, key: name.as_bytes().into(), target_db: 2, renamed: None, leftover: false };
        judged.enter(&pair, Judgement::Differs(Kinds::default().with(kind)), 2);
    }

    #[test]
    fn a_beginning_ends_at_the_colon_or_else_at_another_separator() {
        let of = |name: &str| String::from_utf8(prefix_of(name.as_bytes()).to_vec()).unwrap();
        assert_eq!(of("user_name:4711:x"), "user_name:");
        assert_eq!(of("session-4711"), "session-");
        assert_eq!((of("4711"), of(""), of(&"x".repeat(100))), Default::default());
    }

    #[test]
    fn examples_and_prefixes_are_bounded_and_counts_are_not() {
        let mut judged = Judged::default();
        for n in 0..2 * PREFIXES {
            enter(&mut judged, &format!("{n}:x"), Kind::Missing);
            enter(&mut judged, "a:b", Kind::Extra);
        }
        assert_eq!(judged.counts.of(Kind::Missing), 2 * PREFIXES as u64);
        assert_eq!(judged.examples.len(), 4);
        assert_eq!((judged.examples[0].db, judged.examples[1].db), (1, 2), "extra keys are on the target");
        let prefixes = judged.prefixes();
        assert!(prefixes.len() <= PREFIXES + 1);
        let sum = |kind| prefixes.values().filter_map(|counts| counts.get(&kind)).sum::<u64>();
        assert_eq!((sum(Kind::Missing), sum(Kind::Extra)), (2 * PREFIXES as u64, 2 * PREFIXES as u64));
        assert_eq!(prefixes[&b"a:"[..]][&Kind::Extra], 2 * PREFIXES as u64);
    }
}
