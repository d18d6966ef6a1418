//! The marks themselves, in little memory: a slab of entries, a table of their positions, and a queue that runs
//! through the entries.
//!
//! A `HashMap` of names with a `VecDeque` of the same names beside it would need more than twice as much (measured: see
//! the memory of ten million dirty keys in docs/benchmarks.md).

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// What an entry takes besides its name: the entry, its place in the table, and the allocator's overhead.
const OVERHEAD: usize = size_of::<Entry>() + 8 + 16;

/// Where a key is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing is here.
    Free,
    /// In the queue.
    Ready,
    /// Not to be read before some time.
    Resting,
    /// Being read.
    InFlight,
    /// Being read, and changed since.
    Again,
}

/// A marked key.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: Box<[u8]>,
    /// When the oldest change that is not carried was seen.
    pub(super) since_us: u64,
    /// When the first change during the reading was seen.
    pub(super) again_since_us: u64,
    pub(super) db: u32,
    /// The next one in the queue, or the next free place.
    next: u32,
    pub(super) state: State,
}

const NONE: u32 = u32::MAX;

#[derive(Debug)]
pub(super) struct Slab {
    entries: Vec<Entry>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    free: u32,
    first: u32,
    last: u32,
    names: usize,
}

impl Default for Slab {
    fn default() -> Slab {
        Slab {
            entries: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            free: NONE,
            first: NONE,
            last: NONE,
            names: 0,
        }
    }
}

impl Slab {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.table.len() * OVERHEAD + self.names
    }

    pub(super) fn find(&self, db: u32, key: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one((db, key));
        self.table.find(hash, |&index| self.entries[index as usize].is(db, key)).copied()
    }

    /// Takes up a key that is not there, ready to be read.
    pub(super) fn insert(&mut self, db: u32, key: &[u8], now_us: u64) {
        let entry = Entry {
            key: key.into(),
            since_us: now_us,
            again_since_us: 0,
            db,
            next: NONE,
            state: State::Free,
        };
        let index = if self.free == NONE {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        } else {
            let index = self.free;
            self.free = self.entries[index as usize].next;
            self.entries[index as usize] = entry;
            index
        };
        self.names += key.len();
        let hash = self.hasher.hash_one((db, key));
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.table.insert_unique(hash, index, |&index| {
            let entry = &entries[index as usize];
            hasher.hash_one((entry.db, &entry.key[..]))
        });
        self.push_ready(index);
    }

    pub(super) fn get_mut(&mut self, index: u32) -> &mut Entry {
        &mut self.entries[index as usize]
    }

    pub(super) fn in_flight(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut().filter(|entry| entry.state == State::InFlight)
    }

    pub(super) fn remove(&mut self, index: u32) {
        let entry = &self.entries[index as usize];
        let hash = self.hasher.hash_one((entry.db, &entry.key[..]));
        if let Ok(place) = self.table.find_entry(hash, |&other| other == index) {
            place.remove();
        }
        self.names -= entry.key.len();
        let free = self.free;
        let entry = self.get_mut(index);
        entry.key = Box::default();
        entry.state = State::Free;
        entry.next = free;
        self.free = index;
    }

    /// To the end of the queue.
    pub(super) fn push_ready(&mut self, index: u32) {
        let entry = self.get_mut(index);
        entry.state = State::Ready;
        entry.next = NONE;
        match self.last {
            NONE => self.first = index,
            last => self.get_mut(last).next = index,
        }
        self.last = index;
    }

    /// From the front of the queue.
    pub(super) fn pop_ready(&mut self) -> Option<u32> {
        let index = self.first;
        if index == NONE {
            return None;
        }
        self.first = self.get_mut(index).next;
        if self.first == NONE {
            self.last = NONE;
        }
        Some(index)
    }
}

impl Entry {
    fn is(&self, db: u32, key: &[u8]) -> bool {
        self.db == db && *self.key == *key
    }
}
