//! Live sync: the source's keys are carried to the target, and every change after them, until somebody ends it.
//!
//! Feeds say which keys change ([`hearing`]), listings say which keys there are ([`comparing`]), and both mark them in
//! one queue for each node and database ([`queue`]). A lane reads what is marked and makes the target equal, as a copy
//! does; it removes what the source does not have. What is known of each node, and whether anything may
//! have changed unseen, is decided by [`migration::follow`].
//!
//! Nothing is marked twice, read before it is unmarked, or read twice at once
//! ([`migration::dirty`]), so the last thing written to the target was read after the last change.

mod attempt;
mod comparing;
mod coordinator;
mod followee;
mod hearing;
mod lacking;
mod late;
mod leftovers;
mod queue;
mod status;
mod steering;
mod watching;
mod witness;

use std::sync::Arc;
use std::time::Duration;

use client::{Endpoint, FeedKind};
use migration::conflict::OnConflict;
use migration::naming::Naming;
use migration::selection::Selection;

use crate::comparer::Comparer;
use crate::options::CopyOptions;
use crate::run::{Abilities, Run, Stop};
use crate::stop::Halt;
use coordinator::{Coordinator, Listening};
pub(crate) use queue::Queue;
pub use status::{ChangedKeys, Followed, SyncEnd, SyncOutcome, SyncStatus, TargetMemory, Watch};
pub use steering::{Equal, Steered, Steering};

/// Everything a live sync needs to know.
#[derive(Debug)]
pub struct Sync {
    /// Where from.
    pub source: Endpoint,
    /// Where to.
    pub target: Endpoint,
    /// Which keys, by name; filters by type or expiry are not for a live sync, since both change.
    pub selection: Selection,
    /// Under which names, into which databases.
    pub naming: Naming,
    /// What both sides can do.
    pub abilities: Abilities,
    /// How keys are read and written. What the target has is replaced.
    pub options: CopyOptions,
    /// How the source says what changes.
    pub feed: FeedKind,
    /// Connections to each node on which it says that; a second one covers for the first while that is lost.
    pub feeds: usize,
    /// Tells which keys differ when a gap is healed. Without it every key of the node is carried.
    pub comparer: Option<Arc<dyn Comparer>>,
    /// Nothing was on the target: the first comparison of a node would find all of its keys missing.
    pub target_was_empty: bool,
    /// It goes on with what an earlier process of the same sync began.
    pub resumed: bool,
    /// Bytes of marks, over all nodes.
    pub marks: usize,
    /// Ends by itself when everything is carried and nobody has written for this long.
    pub until_quiet: Option<Duration>,
    /// It only listens until it is released ([`Steering::release`]). For the way back, which has to listen before the
    /// way there has ended.
    pub held: bool,
}

impl Sync {
    /// Follows the source until everything is quiet (if that is wanted), somebody asks to stop, or a side cannot be
    /// used any more.
    ///
    /// # Errors
    /// A side cannot be reached at the very beginning; nothing was written.
    pub async fn run(self, watch: &Watch, steered: Steered, stop: Arc<Stop>) -> Result<SyncOutcome, Halt> {
        let layout = self.source.topology().await?;
        let target_layout = self.target.topology().await?;
        let options = CopyOptions { on_conflict: OnConflict::Replace, ..self.options };
        let run = Arc::new(Run::new(
            options,
            self.source,
            self.target,
            self.selection,
            self.naming,
            self.abilities,
            target_layout,
            stop,
            layout.primaries().len(),
        ));
        let listening = Listening { feed: self.feed, feeds: self.feeds, marks: self.marks };
        let untouched = if self.target_was_empty { layout.primaries().to_vec() } else { Vec::new() };
        let mut coordinator = Coordinator::new(Arc::clone(&run), listening, layout, watch, steered);
        coordinator.compares(self.comparer, untouched);
        if let Some(quiet) = self.until_quiet {
            coordinator.ends_when_quiet(quiet);
        }
        if self.resumed {
            coordinator.resumes();
        }
        if self.held {
            coordinator.holds();
        }
        let end = coordinator.follow().await;
        let status = coordinator.status();
        watch.show(status.clone(), coordinator.queues().cloned().collect());
        let compared_ms = coordinator.compared_ttl_error().as_micros().div_ceil(1000);
        let ttl_error_ms = run.ttl_error_ms().max(u32::try_from(compared_ms).unwrap_or(u32::MAX));
        Ok(SyncOutcome { end, status, ttl_error_ms, examples: run.examples() })
    }
}
