//! An independent comparison of two caches: every key, both ways, by typed reads.
//!
//! It shares no code with redferry: the `redis` crate speaks to the servers, values are read by the commands of
//! their type and compared as what they mean, so another encoding of equal data is equal. Both caches should be
//! at rest; only keys that expire meanwhile are allowed for.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use crate::access::Access;

mod judge;
mod modules;
mod read;
mod reply;
mod side;
mod streams;
mod value;

use side::Side;

const PAIRS_AT_ONCE: usize = 500;

/// From a source key to where it belongs on the target.
type Mapping = Box<dyn Fn(u16, &[u8]) -> (u16, Vec<u8>) + Send + Sync>;
/// Whether a key of a database takes part.
type Filter = Box<dyn Fn(u16, &[u8]) -> bool + Send + Sync>;

/// How to compare. The default maps every key to itself and leaves nothing out.
pub struct Options {
    /// Allowed difference of remaining times: keys, hash fields, idle time of pending entries. Half the time that
    /// the question took is added. Default 50 ms.
    pub ttl_tolerance_ms: u64,
    /// Stop after this many differences. Default 100.
    pub max_differences: usize,
    map: Mapping,
    source_filter: Filter,
    target_filter: Filter,
}

impl Options {
    /// Says where a source key (database, name) belongs on the target.
    #[must_use]
    pub fn map(mut self, map: impl Fn(u16, &[u8]) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        self.map = Box::new(map);
        self
    }

    /// Leaves out source keys for which `keep` is false. What they map to then counts as extra on the target.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(u16, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        self.source_filter = Box::new(keep);
        self
    }

    /// Target keys for which `keep` is false are not reported as extra.
    #[must_use]
    pub fn only_on_target(mut self, keep: impl Fn(u16, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        self.target_filter = Box::new(keep);
        self
    }

    /// Another tolerance for remaining times.
    #[must_use]
    pub fn ttl_tolerance_ms(mut self, milliseconds: u64) -> Self {
        self.ttl_tolerance_ms = milliseconds;
        self
    }

    fn tolerance(&self) -> Duration {
        Duration::from_millis(self.ttl_tolerance_ms)
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            ttl_tolerance_ms: 50,
            max_differences: 100,
            map: Box::new(|db, key| (db, key.to_vec())),
            source_filter: Box::new(|_, _| true),
            target_filter: Box::new(|_, _| true),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("ttl_tolerance_ms", &self.ttl_tolerance_ms)
            .field("max_differences", &self.max_differences)
            .finish_non_exhaustive()
    }
}

/// What is different about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// On the source only.
    Missing,
    /// On the target only.
    Extra,
    /// Both have it, with other types.
    Type,
    /// Same type, other content.
    Value,
    /// Another remaining time to live, or one where the other side has none.
    Ttl,
    /// A server refused to give the value.
    Unreadable,
}

/// One difference of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The source's database; the target's for an extra key.
    pub db: u16,
    /// The source's key name; the target's for an extra key.
    pub key: Vec<u8>,
    /// What is different.
    pub kind: DifferenceKind,
    /// Both sides in words, shortened.
    pub detail: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} db{} {}: {}", self.kind, self.db, value::shown(&self.key), self.detail)
    }
}

/// The outcome of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Keys found on the source that take part.
    pub source_keys: u64,
    /// Keys found on the target that take part.
    pub target_keys: u64,
    /// What is different, at most [`Options::max_differences`].
    pub differences: Vec<Difference>,
    /// Whether the comparison stopped at [`Options::max_differences`].
    pub truncated: bool,
    /// Greatest difference of remaining times to live over all keys that have one on both sides.
    pub max_ttl_error_ms: u64,
}

impl Report {
    /// Panics with all differences, unless there are none.
    #[track_caller]
    pub fn assert_equal(&self) {
        assert!(self.differences.is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if self.truncated { " or more" } else { "" };
        write!(
            f,
            "{}{more} differences; {} keys on the source, {} on the target, time to live off by {} ms at most",
            self.differences.len(),
            self.source_keys,
            self.target_keys,
            self.max_ttl_error_ms
        )?;
        self.differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

/// A source key and where it belongs on the target, in the databases they are judged for.
struct Pair {
    source: Vec<u8>,
    target: Vec<u8>,
}

/// Compares all keys of two caches, all databases and all primaries.
///
/// # Panics
/// When a server cannot be reached or the connection to it fails.
pub async fn caches(source: &Access, target: &Access, options: &Options) -> Report {
    let (mut source, mut target) = tokio::join!(Side::open(source), Side::open(target));
    let (source_keys, target_keys) = tokio::join!(source.keys(), target.keys());
    let mut report = Report::default();
    let mut expected = HashSet::new();
    let mut pairs: BTreeMap<(u16, u16), Vec<Pair>> = BTreeMap::new();
    for (db, key) in source_keys {
        if (options.source_filter)(db, &key) {
            report.source_keys += 1;
            let (target_db, target_key) = (options.map)(db, &key);
            expected.insert((target_db, target_key.clone()));
            pairs.entry((db, target_db)).or_default().push(Pair { source: key, target: target_key });
        }
    }
    let mut extra: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
    for (db, key) in target_keys {
        let is_expected = expected.contains(&(db, key.clone()));
        if is_expected || (options.target_filter)(db, &key) {
            report.target_keys += 1;
        }
        if !is_expected && (options.target_filter)(db, &key) {
            extra.entry(db).or_default().push(key);
        }
    }
    for ((source_db, target_db), pairs) in pairs {
        let sides = (source.database(source_db).await, target.database(target_db).await);
        for pairs in pairs.chunks(PAIRS_AT_ONCE) {
            judge::pairs(source_db, &sides.0, &sides.1, pairs, options, &mut report).await;
            if report.differences.len() >= options.max_differences {
                return truncated(report, options);
            }
        }
    }
    for (db, keys) in extra {
        judge::extra(db, &target.database(db).await, keys, options, &mut report).await;
    }
    truncated(report, options)
}

fn truncated(mut report: Report, options: &Options) -> Report {
    report.truncated = report.differences.len() >= options.max_differences;
    report.differences.truncate(options.max_differences);
    report
}
