//! The dirty keys of one node and database, shared by those that mark and the lane that reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use migration::dirty::{DirtyKeys, Settled, Taken, Ticket};
use migration::recent::{Recent, Since};
use migration::tally::Cause;
use tokio::sync::Notify;

use super::lacking::Lacking;
use super::late::Late;
use crate::run::lock;
use crate::temporary;

/// Keys that a listing marks before it looks whether there is room.
const IN_TURN: usize = 16;

/// Marks from now on, and what becomes of them.
#[derive(Debug)]
pub(crate) struct Queue {
    db: u32,
    began: Instant,
    dirty: Mutex<DirtyKeys>,
    marked: Notify,
    settled: Notify,
    numbers: Numbers,
    /// Keys that the target refuses, by cause.
    refused: Mutex<BTreeMap<Cause, u64>>,
    /// Keys that a side refused when they were last tried.
    lacking: Mutex<Lacking>,
    /// Keys that are to be carried once more.
    late: Mutex<Late>,
    /// Names of keys whose slot has left the node.
    left: Mutex<Vec<Vec<u8>>>,
    /// The latest changes, by name.
    recent: Mutex<Recent>,
    /// When a producer that hears of changes last marked something, in microseconds.
    changed_us: AtomicU64,
    /// No key is given out.
    paused: AtomicBool,
    /// Nobody carries its keys any more.
    closed: AtomicBool,
}

/// What became of keys.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) marked: AtomicU64,
    pub(crate) carried: AtomicU64,
    pub(crate) removed: AtomicU64,
    /// Found equal by a comparison, and so not carried.
    pub(crate) equal: AtomicU64,
    /// Keys that the latest comparison has listed, of so many that there were.
    pub(crate) listed: AtomicU64,
    pub(crate) expected: AtomicU64,
}

impl Queue {
    pub(crate) fn new(db: u32, began: Instant, budget: usize) -> Arc<Queue> {
        Arc::new(Queue {
            db,
            began,
            dirty: Mutex::new(DirtyKeys::new(budget)),
            marked: Notify::new(),
            settled: Notify::new(),
            numbers: Numbers::default(),
            refused: Mutex::default(),
            lacking: Mutex::default(),
            late: Mutex::default(),
            left: Mutex::default(),
            recent: Mutex::default(),
            changed_us: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    /// Microseconds of the run's clock.
    pub(crate) fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    /// Somebody changed these keys.
    pub(crate) fn changed<'k>(&self, keys: impl IntoIterator<Item = &'k [u8]>) {
        let now_us = self.now_us();
        let mut count = 0;
        let (mut dirty, mut recent) = (lock(&self.dirty), lock(&self.recent));
        for key in keys.into_iter().filter(|key| !key.starts_with(temporary::PREFIX)) {
            dirty.mark(now_us, self.db, key);
            recent.note(now_us, key);
            count += 1;
        }
        drop((dirty, recent));
        if count == 0 {
            return;
        }
        self.numbers.marked.fetch_add(count, Ordering::Relaxed);
        self.changed_us.store(now_us, Ordering::Relaxed);
        self.marked.notify_one();
    }

    /// These keys are to be looked at, though nobody said that they changed.
    pub(crate) fn suspect<'k>(&self, keys: impl IntoIterator<Item = &'k [u8]>) {
        let now_us = self.now_us();
        let mut dirty = lock(&self.dirty);
        keys.into_iter().for_each(|key| _ = dirty.mark(now_us, self.db, key));
        drop(dirty);
        self.marked.notify_one();
    }

    /// What is being read is to be read once more.
    pub(crate) fn suspect_in_flight(&self) {
        lock(&self.dirty).mark_in_flight(self.now_us());
    }

    /// The same by a listing, which waits for room instead of giving names up: it would have to be done again, and
    /// never come to its end.
    pub(crate) async fn suspect_in_turn(&self, keys: &[&[u8]]) {
        for keys in keys.chunks(IN_TURN) {
            loop {
                let settled = self.settled.notified();
                if !lock(&self.dirty).is_half_full() || self.closed.load(Ordering::Acquire) {
                    break;
                }
                settled.await;
            }
            self.suspect(keys.iter().copied());
        }
    }

    /// Waits until fewer keys than that are marked, or nobody carries them any more.
    pub(crate) async fn room_below(&self, keys: usize) {
        loop {
            let settled = self.settled.notified();
            if lock(&self.dirty).len() < keys || self.closed.load(Ordering::Acquire) {
                return;
            }
            settled.await;
        }
    }

    /// Waits until nothing is left that was marked before this moment, or nobody carries its keys any more.
    pub(crate) async fn carried_until(&self, moment: Instant) {
        let moment_us = moment.saturating_duration_since(self.began).as_micros() as u64;
        loop {
            let settled = self.settled.notified();
            if self.is_carried_until(moment_us) || self.closed.load(Ordering::Acquire) {
                return;
            }
            // Keys that come once more later are not marked before their time.
            let _ = tokio::time::timeout(Duration::from_millis(100), settled).await;
        }
    }

    fn is_carried_until(&self, moment_us: u64) -> bool {
        let nothing_is_late = lock(&self.late).is_empty();
        let now_us = self.now_us();
        let lag_us = lock(&self.dirty).lag_us(now_us);
        nothing_is_late && lock(&self.left).is_empty() && (lag_us == 0 || now_us - lag_us > moment_us)
    }

    /// Nobody carries its keys any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.settled.notify_waiters();
    }

    /// Waits for the next mark; one that was made since the last call counts.
    pub(crate) async fn marked(&self) {
        self.marked.notified().await;
    }

    pub(crate) fn take(&self, most: usize) -> Vec<Taken> {
        if self.paused.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut late = lock(&self.late);
        let due = late.take(self.now_us());
        if !due.is_empty() {
            self.suspect(due.iter().map(|name| &**name));
        }
        // Only now: at no moment are they in neither place.
        drop(late);
        lock(&self.dirty).take(self.now_us(), most)
    }

    pub(crate) fn settle(&self, ticket: Ticket, settled: Settled) {
        lock(&self.dirty).settle(self.now_us(), ticket, settled);
        self.settled.notify_waiters();
    }

    pub(crate) fn carried(&self) {
        self.numbers.carried.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn removed(&self) {
        self.numbers.removed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn equal(&self, keys: u64) {
        self.numbers.equal.fetch_add(keys, Ordering::Relaxed);
    }

    /// A comparison begins, of so many keys.
    pub(crate) fn begins_listing(&self, keys: u64) {
        self.numbers.listed.store(0, Ordering::Relaxed);
        self.numbers.expected.store(keys, Ordering::Relaxed);
    }

    /// It has listed so many more.
    pub(crate) fn listed(&self, keys: u64) {
        self.numbers.listed.fetch_add(keys, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, cause: Cause) {
        *lock(&self.refused).entry(cause).or_default() += 1;
    }

    pub(crate) fn lacking(&self) -> MutexGuard<'_, Lacking> {
        lock(&self.lacking)
    }

    /// Keys that were refused are to be tried once more.
    pub(crate) fn suspect_lacking(&self) {
        let names: Vec<Box<[u8]>> = self.lacking().names().map(Box::from).collect();
        self.suspect(names.iter().map(|name| &**name));
    }

    /// This key is to be carried once more after some time.
    pub(crate) fn once_more_after(&self, time: Duration, name: &[u8]) {
        lock(&self.late).add(self.now_us() + time.as_micros() as u64, name);
    }

    /// All keys are to be compared once more after some time.
    pub(crate) fn all_once_more_after(&self, time: Duration) {
        lock(&self.late).add_everything(self.now_us() + time.as_micros() as u64);
    }

    pub(crate) fn has_left(&self, name: &[u8]) {
        lock(&self.left).push(name.to_vec());
    }

    /// Names whose slot has left the node since the last call.
    pub(crate) fn take_left(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *lock(&self.left))
    }

    pub(crate) fn db(&self) -> u32 {
        self.db
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn refusals(&self) -> BTreeMap<Cause, u64> {
        lock(&self.refused).clone()
    }

    /// Keys marked, being read or to be carried once more, and the lag in microseconds.
    pub(crate) fn load(&self) -> (usize, u64) {
        let late = lock(&self.late).len();
        let dirty = lock(&self.dirty);
        (dirty.len() + late, dirty.lag_us(self.now_us()))
    }

    /// Gives out no more keys, or does so again.
    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
        self.marked.notify_one();
    }

    /// Whether no key is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.dirty).in_flight() == 0
    }

    /// Whether names were given up; they are forgotten by that, since the whole node is compared then.
    pub(crate) fn take_overflow(&self) -> bool {
        let everything = lock(&self.late).take_everything(self.now_us());
        !lock(&self.dirty).take_overflow().is_empty() || everything
    }

    /// What changed since then.
    pub(crate) fn recent(&self, since_us: u64) -> Since {
        lock(&self.recent).since(since_us)
    }

    /// When somebody last said that a key changed, in microseconds of the run's clock.
    pub(crate) fn changed_us(&self) -> u64 {
        self.changed_us.load(Ordering::Relaxed)
    }
}
