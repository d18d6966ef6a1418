//! What all lanes of one copy share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use client::{Endpoint, Node, Side, Topology};
use migration::expiry::Clock;
use migration::naming::Naming;
use migration::pace::{LatencyGuard, Throttle};
use migration::pages::ScanPosition;
use migration::selection::Selection;
use migration::tally::{Cause, Tally};

use crate::export::{Destination, FileSink};
use crate::fence::Fence;
use crate::options::CopyOptions;

/// What the two caches can do, found out by probing and not by their versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Abilities {
    /// The source answers MEMORY USAGE.
    pub memory_usage: bool,
    /// The source knows hash-field expiry.
    pub hash_field_expiry: bool,
    /// The target takes RESTORE.
    pub restore: bool,
    /// The target takes SET with PXAT (Redis 6.2).
    pub set_pxat: bool,
    /// The newest RDB version whose payloads the target takes; `None` when that is not known. Newer ones are written
    /// anew for it.
    pub rdb_version: Option<u16>,
}

/// One copy: its two sides, its rules and what it has seen. What comes from a file has no source that could be
/// asked, so its type there is `()`.
#[derive(Debug)]
pub(crate) struct Run<S = Endpoint> {
    pub(crate) options: CopyOptions,
    pub(crate) source: S,
    target: Destination,
    pub(crate) selection: Selection,
    pub(crate) naming: Naming,
    pub(crate) abilities: Abilities,
    pub(crate) stop: Arc<Stop>,
    /// Connections that write to the target.
    pub(crate) fence: Arc<Fence>,
    pub(crate) memory_per_lane: u64,
    /// Whether two keys of the source may get one name on the target.
    pub(crate) names_may_meet: bool,
    /// Whether any rate is limited, so that nobody takes a lock to find out that none is.
    pub(crate) throttled: bool,
    clocks: Mutex<HashMap<(Side, Node), Clock>>,
    target_layout: Mutex<Arc<Topology>>,
    throttle: Mutex<Throttle>,
    guard: Mutex<LatencyGuard>,
    examples: Mutex<BTreeMap<Cause, Vec<Vec<u8>>>>,
    ttl_error_ms: AtomicU32,
    began: Instant,
}

impl<S> Run<S> {
    #[allow(clippy::too_many_arguments, reason = "one value per decision, made once")]
    pub(crate) fn new(
        options: CopyOptions,
        source: S,
        target: impl Into<Destination>,
        selection: Selection,
        naming: Naming,
        abilities: Abilities,
        target_layout: Topology,
        stop: Arc<Stop>,
        lanes: usize,
    ) -> Run<S> {
        let threshold = options.max_latency.map_or(u64::MAX, |time| time.as_micros() as u64);
        Run {
            // One half may be in flight on the source, the other may wait for the target.
            memory_per_lane: (options.memory / 2 / lanes.max(1) as u64).max(1024 * 1024),
            throttled: options.max_keys_per_sec.is_some() || options.max_bytes_per_sec.is_some(),
            names_may_meet: may_meet(&naming),
            fence: Arc::default(),
            clocks: Mutex::default(),
            throttle: Mutex::new(Throttle::new(options.max_keys_per_sec, options.max_bytes_per_sec)),
            guard: Mutex::new(LatencyGuard::new(threshold)),
            target_layout: Mutex::new(Arc::new(target_layout)),
            examples: Mutex::default(),
            ttl_error_ms: AtomicU32::new(0),
            began: Instant::now(),
            options,
            source,
            target: target.into(),
            selection,
            naming,
            abilities,
            stop,
        }
    }

    /// The cache that keys go to.
    ///
    /// # Panics
    /// They go into files, which no connection leads to.
    pub(crate) fn target(&self) -> &Endpoint {
        match &self.target {
            Destination::Cache(endpoint) => endpoint,
            Destination::Files(_) => unreachable!("files have no connections"),
        }
    }

    /// The file that keys of this node go to; `None` where they go to a cache.
    pub(crate) fn file(&self, node: &Node) -> Option<Arc<FileSink>> {
        match &self.target {
            Destination::Cache(_) => None,
            // A node that came later writes to the file of the first.
            Destination::Files(files) => files.get(node).or_else(|| files.values().next()).map(Arc::clone),
        }
    }

    /// No more keys come for the files, which are whole or not.
    pub(crate) fn close_files(&self, whole: bool) {
        if let Destination::Files(files) = &self.target {
            files.values().for_each(|file| file.close(whole));
        }
    }

    /// Whether keys go into files.
    pub(crate) fn writes_files(&self) -> bool {
        matches!(self.target, Destination::Files(_))
    }

    /// Microseconds of this machine's monotonic clock since the run began.
    pub(crate) fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    pub(crate) fn target_layout(&self) -> Arc<Topology> {
        Arc::clone(&lock(&self.target_layout))
    }

    pub(crate) fn set_target_layout(&self, layout: Topology) {
        *lock(&self.target_layout) = Arc::new(layout);
    }

    pub(crate) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        lock(&self.throttle)
    }

    pub(crate) fn guard(&self) -> MutexGuard<'_, LatencyGuard> {
        lock(&self.guard)
    }

    /// The newest estimate of a node's clock, where one was made since the lanes began.
    pub(crate) fn clock_of(&self, side: Side, node: &Node) -> Option<Clock> {
        lock(&self.clocks).get(&(side, node.clone())).copied()
    }

    pub(crate) fn set_clock(&self, side: Side, node: &Node, clock: Clock) {
        lock(&self.clocks).insert((side, node.clone()), clock);
    }

    /// Keeps a key as an example of a cause, if there is room for one more.
    pub(crate) fn example(&self, cause: Cause, key: &[u8]) {
        let mut examples = lock(&self.examples);
        let keys = examples.entry(cause).or_default();
        if keys.len() < self.options.examples {
            keys.push(key.to_vec());
        }
    }

    pub(crate) fn examples(&self) -> BTreeMap<Cause, Vec<Vec<u8>>> {
        lock(&self.examples).clone()
    }

    /// A key's expiry was carried with at most this error.
    pub(crate) fn saw_ttl_error(&self, ms: u32) {
        self.ttl_error_ms.fetch_max(ms, Ordering::Relaxed);
    }

    pub(crate) fn ttl_error_ms(&self) -> u32 {
        self.ttl_error_ms.load(Ordering::Relaxed)
    }
}

/// Whether keys of two databases may get one name.
fn may_meet(naming: &Naming) -> bool {
    let dbs: Vec<u32> = naming.source_dbs().collect();
    // Files that are not looked at first may have any database, which is too many pairs to ask about: then yes.
    dbs.len() > 64
        || dbs
            .iter()
            .enumerate()
            .any(|(index, one)| dbs[index + 1..].iter().any(|other| naming.may_collide(*one, *other)))
}

/// A lock whose holder panicked still guards plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The wish to end the run before it is done.
#[derive(Debug, Default)]
pub struct Stop {
    wanted: AtomicBool,
}

impl Stop {
    /// Asks all lanes to finish what is in flight and end.
    pub fn ask(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Waits, but not longer than until somebody asks.
    pub(crate) async fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.is_asked() {
            tokio::time::sleep(Duration::from_millis(50).min(until - Instant::now())).await;
        }
    }
}

/// Where one lane is, for progress and checkpoint.
#[derive(Debug, Clone)]
pub struct LaneStatus {
    /// The node that is read.
    pub node: Node,
    /// The database that is read.
    pub db: u32,
    /// The process that the cursor belongs to; `None` where the server hides it.
    pub run_id: Option<String>,
    /// What a checkpoint may say.
    pub position: ScanPosition,
    /// What became of all keys so far.
    pub total: Tally,
    /// Keys expected, from DBSIZE at the beginning.
    pub expected: u64,
    /// How often the scan began anew because the process behind the node changed.
    pub restarts: u32,
    /// Why nothing moves, where that is so.
    pub waiting: Option<String>,
}
