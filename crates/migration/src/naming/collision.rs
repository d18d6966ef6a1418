//! Whether two keys can meet under one name.
//!
//! The keys that one rename applies to, or none, go to a set of names of one shape: all names with a
//! certain beginning, but for those with certain longer beginnings (their keys belong to an earlier
//! rename). Within such a set no two keys meet. Two sets share a name if and only if one's beginning
//! is a beginning of the other's and that longer one is itself a name of both.

use super::Naming;

/// The names that keys of one database get by one rename, or by none.
struct Names {
    beginning: Vec<u8>,
    except: Vec<Vec<u8>>,
}

impl Names {
    fn contains(&self, name: &[u8]) -> bool {
        name.starts_with(&self.beginning) && !self.except.iter().any(|except| name.starts_with(except))
    }

    /// A name in both sets, if there is any.
    fn shared_with<'a>(&'a self, other: &'a Names) -> Option<&'a [u8]> {
        let mut beginnings = [self.beginning.as_slice(), other.beginning.as_slice()].into_iter();
        beginnings.find(|name| self.contains(name) && other.contains(name))
    }
}

impl Naming {
    /// A name at which a key of one source database can meet a different key of the other.
    pub(super) fn collision(&self, db_a: u32, db_b: u32) -> Option<Vec<u8>> {
        let (a, b) = (self.rule(db_a)?, self.rule(db_b)?);
        if a.target != b.target {
            return None;
        }
        let (of_a, of_b) = (self.name_sets(&a.prefix), self.name_sets(&b.prefix));
        for (i, names_a) in of_a.iter().enumerate() {
            for (j, names_b) in of_b.iter().enumerate() {
                let one_and_the_same = db_a == db_b && i == j;
                if !one_and_the_same && let Some(name) = names_a.shared_with(names_b) {
                    return Some(name.to_vec());
                }
            }
        }
        None
    }

    /// One set for every rename, and the last for keys that none applies to.
    fn name_sets(&self, prefix: &[u8]) -> Vec<Names> {
        let renamed = self.renames.iter().map(|rename| (rename.from.as_slice(), rename.to.as_slice()));
        let unchanged = (&[][..], &[][..]);
        renamed
            .chain([unchanged])
            .enumerate()
            .map(|(i, (from, to))| {
                let taken_earlier =
                    self.renames[..i].iter().filter_map(|rename| rename.from.strip_prefix(from));
                Names {
                    beginning: [prefix, to].concat(),
                    except: taken_earlier.map(|tail| [prefix, to, tail].concat()).collect(),
                }
            })
            .collect()
    }
}
