//! What tells which keys differ, so that healing a gap does not carry those that are equal. The caller decides: a
//! comparison shares no code with what copies.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Compares keys of the source with the target's.
pub trait Comparer: Debug + Send + Sync {
    /// Begins a comparison: what both sides can do, and where their keys are, is found out after this and not before.
    /// Expiries that differ by no more than `ttl_tolerance`, as far as that can be measured, are equal.
    fn begin(&self, ttl_tolerance: Duration) -> Arc<dyn Comparison>;
}

/// A comparison under way. Pages may be compared at the same time.
pub trait Comparison: Send + Sync {
    /// Compares these keys, given by their names on the source; nothing about them is remembered.
    fn compare<'c>(&'c self, db: u32, names: &'c [Box<[u8]>]) -> Comparing<'c>;
}

/// The answer when it comes. An error says why nothing is known of any of the keys.
pub type Comparing<'c> = Pin<Box<dyn Future<Output = Result<Compared, String>> + Send + 'c>>;

/// What a comparison of some keys says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Names of those that differ, and of those that may: what a side would not show, or what was measured too vaguely.
    pub differing: Vec<Box<[u8]>>,
    /// Expiries of the other keys differ by no more than this.
    pub ttl_error: Duration,
    /// Bytes that were read from the source for it.
    pub bytes_read: u64,
}
