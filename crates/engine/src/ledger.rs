//! What became of each of the keys that somebody named.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use client::Topology;
use migration::naming::Naming;
use migration::tally::{Cause, Outcome, Tally};

use crate::run::lock;

/// Names, by the database they are in.
pub(crate) type ByDb = BTreeMap<u32, Vec<Vec<u8>>>;

/// Each key is open until its end is known; one that has left its node stays open for the node that has it
/// now.
pub(crate) struct Ledger {
    book: Mutex<Book>,
}

/// The entries of a ledger.
#[derive(Debug, Default)]
pub(crate) struct Book {
    open: BTreeMap<u32, HashSet<Vec<u8>>>,
    /// How often which end was met.
    pub(crate) total: Tally,
    /// Database, name and cause of every key that was not copied.
    pub(crate) not_copied: Vec<(u32, Vec<u8>, Cause)>,
}

impl Ledger {
    /// Opens an entry for each key, once for those that are named twice. Keys of databases that are not
    /// copied have their end already.
    pub(crate) fn new(keys: Vec<(u32, Vec<u8>)>, naming: &Naming) -> Ledger {
        let mut book = Book::default();
        for (db, name) in keys {
            book.total.scanned += u64::from(book.open.entry(db).or_default().insert(name));
        }
        let foreign: Vec<u32> =
            book.open.keys().copied().filter(|db| naming.target_db(*db).is_none()).collect();
        for db in foreign {
            for name in book.open.remove(&db).unwrap_or_default() {
                book.end(db, name, Outcome::Not(Cause::Filtered));
            }
        }
        Ledger { book: Mutex::new(book) }
    }

    /// A key has come to its end.
    pub(crate) fn settle(&self, db: u32, name: &[u8], outcome: Outcome) {
        let mut book = lock(&self.book);
        if let Some(name) = book.open.get_mut(&db).and_then(|names| names.take(name)) {
            book.end(db, name, outcome);
        }
    }

    /// How many keys are open.
    pub(crate) fn open(&self) -> usize {
        lock(&self.book).open.values().map(HashSet::len).sum()
    }

    /// The open keys, by the index of the node that owns them; without those that nobody owns now.
    pub(crate) fn open_by_owner(&self, layout: &Topology) -> BTreeMap<usize, ByDb> {
        let mut owners: BTreeMap<usize, ByDb> = BTreeMap::new();
        for (db, names) in &lock(&self.book).open {
            for name in names {
                if let Some(owner) = layout.owner(name) {
                    owners.entry(owner).or_default().entry(*db).or_default().push(name.clone());
                }
            }
        }
        owners
    }

    /// Takes all entries out.
    pub(crate) fn close(&self) -> Book {
        std::mem::take(&mut *lock(&self.book))
    }
}

impl Book {
    /// The keys whose end is not known.
    pub(crate) fn left(&mut self) -> Vec<(u32, Vec<u8>)> {
        let open = std::mem::take(&mut self.open);
        open.into_iter().flat_map(|(db, names)| names.into_iter().map(move |name| (db, name))).collect()
    }

    fn end(&mut self, db: u32, name: Vec<u8>, outcome: Outcome) {
        self.total.count(outcome);
        if let Outcome::Not(cause) = outcome {
            self.not_copied.push((db, name, cause));
        }
    }
}

#[cfg(test)]
mod tests {
    use client::Node;
    use migration::tally::KeyType;

    use super::*;

    #[test]
    fn a_key_is_open_until_its_end_and_counted_once() {
        let naming = Naming::identity([0, 2]).unwrap();
        let named = [(0, "a"), (2, "a"), (0, "a"), (0, "b"), (7, "c")];
        let keys = named.iter().map(|(db, name)| (*db, name.as_bytes().to_vec())).collect();
        let ledger = Ledger::new(keys, &naming);
        assert_eq!(ledger.open(), 3);
        let copied = Outcome::Copied { kind: KeyType::String, bytes: 5 };
        ledger.settle(0, b"a", copied);
        ledger.settle(0, b"a", copied);
        ledger.settle(2, b"a", Outcome::Not(Cause::GoneBeforeRead));
        let layout = Topology::Single(Node { host: "h".into(), port: 1 });
        assert_eq!(ledger.open_by_owner(&layout)[&0], ByDb::from([(0, vec![b"b".to_vec()])]));
        let mut book = ledger.close();
        assert_eq!(book.left(), [(0, b"b".to_vec())]);
        assert_eq!((book.total.scanned, book.total.copied, book.total.settled()), (4, 1, 3));
        let causes = [(7, b"c".to_vec(), Cause::Filtered), (2, b"a".to_vec(), Cause::GoneBeforeRead)];
        assert_eq!(book.not_copied, causes);
    }
}
