//! What a comparison is asked to do.

use std::path::PathBuf;
use std::time::Duration;

/// How closely each key is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Totals only, no key by key.
    Count,
    /// Existence, type, size and time to live.
    Quick,
    /// Also every value.
    Full,
}

impl Level {
    /// As it is typed and reported.
    pub fn name(self) -> &'static str {
        match self {
            Level::Count => "count",
            Level::Quick => "quick",
            Level::Full => "full",
        }
    }
}

/// A part of all keys, chosen by a hash of their names: the same ones on both sides and in every run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    share: f64,
}

impl Sample {
    /// A share of more than 0 and at most 1.
    pub fn new(share: f64) -> Option<Sample> {
        (share > 0.0 && share <= 1.0).then_some(Sample { share })
    }

    /// Between 0 and 1.
    pub fn share(self) -> f64 {
        self.share
    }
}

/// How one look at a key is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closeness {
    pub(crate) level: Level,
    pub(crate) ttl_tolerance: Duration,
    pub(crate) big_key: u64,
    pub(crate) silence: Duration,
}

/// How a comparison goes about its work. Which keys are meant is said by [`Scope`](crate::Scope).
#[derive(Debug, Clone)]
pub struct Options {
    /// How closely.
    pub level: Level,
    /// Which share of the keys; all of them when there is none.
    pub sample: Option<Sample>,
    /// Expiries that differ by no more are equal.
    pub ttl_tolerance: Duration,
    /// How long keys that differ are looked at again before they are reported; zero reports them at once.
    pub until_stable: Duration,
    /// Values above this many bytes are read in pieces.
    pub big_key: u64,
    /// Keys asked for by one SCAN, at most.
    pub scan_count: u32,
    /// How long a side may be unreachable before the comparison gives up.
    pub give_up_after: Duration,
    /// An answer that is due and does not come for this long means that the connection is dead.
    pub silence: Duration,
    /// Examples kept for each kind of difference.
    pub examples: usize,
    /// Where the state is kept, if it is.
    pub state: Option<PathBuf>,
    /// How often the state is written.
    pub save_every: Duration,
}

impl Options {
    pub(crate) fn closeness(&self) -> Closeness {
        let Options { level, ttl_tolerance, big_key, silence, .. } = *self;
        Closeness { level, ttl_tolerance, big_key, silence }
    }
}
