//! Keys that may differ between source and target, from the change to the acknowledged repair: the work queue of
//! live sync.
//!
//! Every producer marks keys here, whether or not the target takes writes at the moment (design rule R6). A key is
//! marked once, however often it changes: what is carried is its state, not its changes. The rules that make this
//! right, each with a counterexample when it is missing (`model` in the tests of this crate):
//!
//! - R1 A key stops being marked *before* its state is read ([`DirtyKeys::take`]). A change that comes after the
//!   read marks it again.
//! - R2 One reading of a key is under way at most. A mark that comes meanwhile waits until it is settled.
//! - R6 The marks have a budget. Beyond it the slot of a key is remembered instead of its name
//!   ([`DirtyKeys::take_overflow`]): everything in it is to be compared then. Nothing is ever forgotten.
//!
//! A key that is dear to read and changes all the time is read again only after it has rested for a multiple of what
//! the last reading cost, so a value of 10 MB that changes a hundred times a second is not read a hundred times.

mod ages;
mod slab;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use ages::Ages;
use slab::{Slab, State};

/// A key rests for so many times as long as reading it took.
const REST: u64 = 4;

/// Readings that are shorter than this need no rest.
const CHEAP_US: u64 = 2_000;

/// Nobody waits longer than this for a key that changes all the time.
const LONGEST_REST_US: u64 = 2_000_000;

/// Stands for a key that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(u32);

/// A key to be read now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// To settle it with.
    pub ticket: Ticket,
    /// Database on the source.
    pub db: u32,
    /// Name on the source.
    pub key: Box<[u8]>,
}

/// How the reading of a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The target has acknowledged what was read; the reading took both servers so long, in microseconds.
    Synced {
        /// How long.
        cost_us: u64,
    },
    /// It did not work; to be tried again after this time, in microseconds.
    Failed {
        /// How long.
        retry_after_us: u64,
    },
}

/// The queue. All times are microseconds of one monotonic clock.
#[derive(Debug)]
pub struct DirtyKeys {
    slab: Slab,
    /// Keys that have to rest, by the time at which that is over.
    resting: BinaryHeap<Reverse<(u64, u32)>>,
    ages: Ages,
    overflow: BTreeSet<u16>,
    overflow_since_us: Option<u64>,
    budget: usize,
    in_flight: usize,
}

impl DirtyKeys {
    /// A queue that holds about so many bytes of marks.
    pub fn new(budget: usize) -> DirtyKeys {
        DirtyKeys {
            slab: Slab::default(),
            resting: BinaryHeap::new(),
            ages: Ages::default(),
            overflow: BTreeSet::new(),
            overflow_since_us: None,
            budget,
            in_flight: 0,
        }
    }

    /// The key may differ from now on. Returns whether its name was kept; if not, its slot was.
    pub fn mark(&mut self, now_us: u64, db: u32, key: &[u8]) -> bool {
        if let Some(index) = self.slab.find(db, key) {
            let entry = self.slab.get_mut(index);
            if entry.state == State::InFlight {
                entry.state = State::Again;
                // The age of what is being read ends with it; this is another change.
                entry.again_since_us = now_us;
                self.ages.add(now_us);
            }
            return true;
        }
        if !self.has_room() {
            self.overflow.insert(commands::slot(key));
            self.overflow_since_us.get_or_insert(now_us);
            return false;
        }
        self.slab.insert(db, key, now_us);
        self.ages.add(now_us);
        true
    }

    /// Whether the name of one more key would be kept. Who can wait, such as a listing, waits for that instead of
    /// giving names up: a listing that gives up names has to be done again, and would never come to its end.
    pub fn has_room(&self) -> bool {
        self.slab.bytes() < self.budget
    }

    /// Whether half of the room is taken: the other half is for those who cannot wait.
    pub fn is_half_full(&self) -> bool {
        self.slab.bytes() >= self.budget / 2
    }

    /// What is being read may have been read before a change that nobody told: each such key is read once more.
    pub fn mark_in_flight(&mut self, now_us: u64) {
        for entry in self.slab.in_flight() {
            entry.state = State::Again;
            entry.again_since_us = now_us;
            self.ages.add(now_us);
        }
    }

    /// Takes keys that are to be read now, the oldest first, at most so many.
    pub fn take(&mut self, now_us: u64, most: usize) -> Vec<Taken> {
        self.wake(now_us);
        let mut taken = Vec::new();
        while taken.len() < most {
            let Some(index) = self.slab.pop_ready() else { break };
            let entry = self.slab.get_mut(index);
            entry.state = State::InFlight;
            taken.push(Taken { ticket: Ticket(index), db: entry.db, key: entry.key.clone() });
        }
        self.in_flight += taken.len();
        taken
    }

    /// The reading of a key has ended.
    ///
    /// # Panics
    /// The ticket was settled already: two readings of a key would have been under way.
    pub fn settle(&mut self, now_us: u64, ticket: Ticket, settled: Settled) {
        let entry = self.slab.get_mut(ticket.0);
        let again = match entry.state {
            State::InFlight => false,
            State::Again => true,
            State::Ready | State::Resting | State::Free => panic!("a ticket is settled once"),
        };
        self.in_flight -= 1;
        match settled {
            Settled::Synced { .. } if !again => {
                self.ages.remove(entry.since_us);
                self.slab.remove(ticket.0);
            }
            Settled::Synced { cost_us } => {
                self.ages.remove(entry.since_us);
                entry.since_us = entry.again_since_us;
                let rest = if cost_us < CHEAP_US { 0 } else { (cost_us * REST).min(LONGEST_REST_US) };
                self.queue_after(now_us, ticket.0, rest);
            }
            Settled::Failed { retry_after_us } => {
                if again {
                    // The older change is still not carried.
                    self.ages.remove(entry.again_since_us);
                }
                self.queue_after(now_us, ticket.0, retry_after_us);
            }
        }
    }

    /// Slots of which names were given up since the last call. Everything in them is to be compared, both ways.
    pub fn take_overflow(&mut self) -> BTreeSet<u16> {
        self.overflow_since_us = None;
        std::mem::take(&mut self.overflow)
    }

    /// Whether names were given up.
    pub fn has_overflow(&self) -> bool {
        !self.overflow.is_empty()
    }

    /// When the next resting key may be read; `None` when none rests.
    pub fn next_wake_us(&self) -> Option<u64> {
        self.resting.peek().map(|Reverse((at_us, _))| *at_us)
    }

    /// How long the oldest change is not carried, in microseconds: the lag.
    pub fn lag_us(&self, now_us: u64) -> u64 {
        let oldest = [self.ages.oldest(), self.overflow_since_us].into_iter().flatten().min();
        oldest.map_or(0, |since| now_us.saturating_sub(since))
    }

    /// Keys that are marked or being read.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether nothing is marked, being read, or given up.
    pub fn is_empty(&self) -> bool {
        self.slab.len() == 0 && self.overflow.is_empty()
    }

    /// Keys that are being read.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Bytes that the marks take, about.
    pub fn bytes(&self) -> usize {
        self.slab.bytes()
    }

    fn queue_after(&mut self, now_us: u64, index: u32, rest_us: u64) {
        if rest_us == 0 {
            self.slab.push_ready(index);
        } else {
            self.slab.get_mut(index).state = State::Resting;
            self.resting.push(Reverse((now_us + rest_us, index)));
        }
    }

    fn wake(&mut self, now_us: u64) {
        while let Some(Reverse((at_us, index))) = self.resting.peek().copied()
            && at_us <= now_us
        {
            self.resting.pop();
            self.slab.push_ready(index);
        }
    }
}

#[cfg(test)]
mod tests;
