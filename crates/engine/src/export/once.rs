//! Which names a file has already. A scan may list a key twice, and no server loads a file that has one twice.
//!
//! Of each name 64 bits of one hash are kept, in a place that another hash decides: ten bytes for a key. That two names
//! meet, and one of them is lost, has a chance of some 10^-11 with a hundred million keys.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Keys that a table is made for at least.
const LEAST: u64 = 1 << 16;

/// Names seen so far.
#[derive(Debug)]
pub(super) struct Once {
    place: RandomState,
    mark: RandomState,
    /// A full table is followed by another, since marks alone cannot be moved.
    tables: Vec<Table>,
}

#[derive(Debug)]
struct Table {
    /// 0 is empty.
    marks: Vec<u64>,
    used: usize,
}

impl Table {
    fn for_keys(keys: u64) -> Table {
        // A fifth stays empty, so that places are found quickly.
        let places = keys.saturating_add(keys / 4).max(LEAST);
        Table { marks: vec![0; usize::try_from(places).unwrap_or(usize::MAX)], used: 0 }
    }

    /// Where a mark is, or would be.
    fn find(&self, place: u64, mark: u64) -> usize {
        let places = self.marks.len();
        let mut at = ((u128::from(place) * places as u128) >> 64) as usize;
        while self.marks[at] != 0 && self.marks[at] != mark {
            at = (at + 1) % places;
        }
        at
    }

    fn is_full(&self) -> bool {
        self.used >= self.marks.len() / 5 * 4
    }
}

impl Once {
    /// For about so many keys.
    pub(super) fn for_keys(keys: u64) -> Once {
        Once { place: RandomState::new(), mark: RandomState::new(), tables: vec![Table::for_keys(keys)] }
    }

    /// Whether this name in this database is seen for the first time.
    pub(super) fn is_first(&mut self, db: u32, name: &[u8]) -> bool {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write_u32(db);
            hasher.write(name);
            hasher.finish()
        };
        let (place, mark) = (hash(&self.place), hash(&self.mark).max(1));
        if self.tables.iter().any(|table| table.marks[table.find(place, mark)] == mark) {
            return false;
        }
        if self.tables.last().is_none_or(Table::is_full) {
            let size = self.tables.iter().map(|table| table.used as u64).sum();
            self.tables.push(Table::for_keys(size));
        }
        if let Some(table) = self.tables.last_mut() {
            let at = table.find(place, mark);
            table.marks[at] = mark;
            table.used += 1;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_first_once_also_beyond_what_was_expected() {
        let mut once = Once::for_keys(10);
        for round in 0..2 {
            for n in 0..300_000_u32 {
                assert_eq!(once.is_first(n % 3, &n.to_le_bytes()), round == 0, "{n}");
            }
        }
        assert!(once.is_first(9, &0_u32.to_le_bytes()), "another database is another key");
    }
}
