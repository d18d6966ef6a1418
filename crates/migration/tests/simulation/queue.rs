//! The dirty keys of one node and database: the real ones, with a copy beside them that can be asked about single keys.

use std::collections::{BTreeMap, VecDeque};

use migration::dirty::{DirtyKeys, Settled, Taken, Ticket};

use super::outside::Outside;
use super::rules::Rule;
use super::source::{key_of, name};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Waits,
    IsRead { again: bool },
}

#[derive(Debug)]
pub struct Queue {
    pub db: u32,
    dirty: DirtyKeys,
    pub marks: BTreeMap<u8, Mark>,
    /// Keys whose slot has left the node.
    pub left: Vec<u8>,
    /// When the feed last marked something.
    pub changed_us: u64,
    /// Only without rule R2: keys to be read though they are being read.
    pub twice: VecDeque<u8>,
    /// And how many of them are on their way.
    pub second_readings: usize,
}

impl Queue {
    pub fn new(db: u32, budget: usize) -> Queue {
        let dirty = DirtyKeys::new(budget);
        Queue {
            db,
            dirty,
            marks: BTreeMap::new(),
            left: Vec::new(),
            changed_us: 0,
            twice: VecDeque::new(),
            second_readings: 0,
        }
    }

    /// The feed says that it changed.
    pub fn changed(&mut self, key: u8, out: &Outside) {
        self.changed_us = out.now_us;
        self.suspect(key, out);
    }

    /// It is to be looked at.
    pub fn suspect(&mut self, key: u8, out: &Outside) {
        if let Some(Mark::IsRead { .. }) = self.marks.get(&key) {
            if !out.holds(Rule::UnmarksBeforeReading) {
                // It still is marked.
                return;
            }
            if !out.holds(Rule::ReadsOneAtATime) {
                self.twice.push_back(key);
                return;
            }
        }
        if self.dirty.mark(out.now_us, self.db, &name(key)) {
            let mark = self.marks.entry(key).or_insert(Mark::Waits);
            if let Mark::IsRead { again } = mark {
                *again = true;
            }
        }
    }

    pub fn has_room(&self) -> bool {
        self.dirty.has_room()
    }

    pub fn mark_in_flight(&mut self, now_us: u64) {
        self.dirty.mark_in_flight(now_us);
        for mark in self.marks.values_mut() {
            if let Mark::IsRead { again } = mark {
                *again = true;
            }
        }
    }

    /// # Errors
    /// A key is handed out that is being read.
    pub fn take(&mut self, now_us: u64, most: usize) -> Result<Vec<Taken>, String> {
        let taken = self.dirty.take(now_us, most);
        for taken in &taken {
            let before = self.marks.insert(key_of(&taken.key), Mark::IsRead { again: false });
            if before != Some(Mark::Waits) {
                return Err(format!("{taken:?} is read though it is {before:?}"));
            }
        }
        Ok(taken)
    }

    pub fn settle(&mut self, now_us: u64, key: u8, ticket: Ticket, settled: Settled) {
        self.dirty.settle(now_us, ticket, settled);
        match (settled, self.marks.get(&key)) {
            (Settled::Synced { .. }, Some(Mark::IsRead { again: false })) => _ = self.marks.remove(&key),
            _ => _ = self.marks.insert(key, Mark::Waits),
        }
    }

    pub fn take_overflow(&mut self) -> bool {
        !self.dirty.take_overflow().is_empty()
    }

    pub fn has_overflow(&self) -> bool {
        self.dirty.has_overflow()
    }

    /// Whether nothing is marked, being read or given up.
    pub fn is_empty(&self) -> bool {
        self.dirty.is_empty() && self.left.is_empty() && self.twice.is_empty() && self.second_readings == 0
    }

    pub fn marked(&self) -> usize {
        self.dirty.len()
    }

    pub fn next_wake_us(&self) -> Option<u64> {
        self.dirty.next_wake_us()
    }

    pub fn lag_us(&self, now_us: u64) -> u64 {
        self.dirty.lag_us(now_us)
    }

    /// # Errors
    /// The real marks and their copy disagree.
    pub fn check(&self) -> Result<(), String> {
        let read = self.marks.values().filter(|mark| **mark != Mark::Waits).count();
        if (self.dirty.len(), self.dirty.in_flight()) == (self.marks.len(), read) {
            return Ok(());
        }
        Err(format!(
            "{} keys are marked and {} read, not {:?}",
            self.dirty.len(),
            self.dirty.in_flight(),
            self.marks
        ))
    }
}
