//! Keys are compared by the verifier before a gap is healed, so that only those that differ are carried.

use std::sync::Arc;
use std::time::Duration;

use client::Endpoint;
use engine::{Compared, Comparer, Comparing, Comparison};
use verify::{Scope, SpotCheck};

/// Begins a comparison of the same two sides for each gap.
#[derive(Debug)]
pub(super) struct ByVerifier {
    pub(super) source: Endpoint,
    pub(super) target: Endpoint,
    pub(super) scope: Arc<dyn Scope>,
    /// Values above this many bytes are read in pieces.
    pub(super) big_key: u64,
    pub(super) silence: Duration,
}

impl Comparer for ByVerifier {
    fn begin(&self, ttl_tolerance: Duration) -> Arc<dyn Comparison> {
        Arc::new(Pages(SpotCheck::new(
            self.source.clone(),
            self.target.clone(),
            Arc::clone(&self.scope),
            ttl_tolerance,
            self.big_key,
            self.silence,
        )))
    }
}

/// One comparison.
struct Pages(SpotCheck);

impl Comparison for Pages {
    fn compare<'c>(&'c self, db: u32, names: &'c [Box<[u8]>]) -> Comparing<'c> {
        Box::pin(async move {
            let spotted = self.0.differing(db, names).await.map_err(|halt| halt.to_string())?;
            let verify::Spotted { differing, ttl_error, bytes_read } = spotted;
            Ok(Compared { differing, ttl_error, bytes_read })
        })
    }
}
