//! Bringing over exactly the keys that somebody named, for example those that a comparison found to differ,
//! and removing what only the target has.
//!
//! Keys go through the same lanes as in [`Copy`](crate::Copy), big ones in pieces, with the same rates and the
//! same memory; only their names come from a list instead of a scan. Nothing is remembered on disk: naming
//! the same keys again is harmless.

mod extras;

use std::sync::{Arc, Mutex};

use client::{Endpoint, Node, Side, Topology};
use migration::conflict::OnConflict;
use migration::naming::Naming;
use migration::pages::ScanPosition;
use migration::selection::{Selection, SelectionOptions};
use migration::tally::{Cause, Tally};
use tokio::task::JoinSet;

use crate::guardian;
use crate::lane::{Lane, LaneEnd, RoundEnd};
use crate::ledger::{ByDb, Ledger};
use crate::options::CopyOptions;
use crate::patience::Patience;
use crate::run::{Abilities, LaneStatus, Run, Stop};
use crate::stop::Halt;
pub use extras::DeletedOutcome;

/// Everything that is needed to make named keys equal. It can be used again and again, with some ten thousand
/// keys at a time.
///
/// `abilities` are those of [`preflight::probe`](crate::preflight::probe), which changes nothing on either side.
/// For a target that is full of keys on purpose, its wishes are those of the copy with
///
/// ```
/// # use engine::preflight::{DbWish, Wishes};
/// # use migration::conflict::OnConflict;
/// Wishes {
///     databases: DbWish::List(vec![0]), // those of the source that were compared
///     on_conflict: OnConflict::Replace, // keys on the target are no refusal,
///     resuming: true,                   // nor a remark: they were copied before;
///     filters: true,                    // and only some of the source's bytes will be written
///     ..Wishes::default()               // db_map, others_to, skip_checks: as in the copy
/// };
/// ```
///
/// A preflight that refuses something then forbids the repair too, above all one that takes both sides for
/// the same server.
#[derive(Debug, Clone)]
pub struct Repair {
    /// Where from.
    pub source: Endpoint,
    /// Where to.
    pub target: Endpoint,
    /// Under which names, into which databases.
    pub naming: Naming,
    /// What both sides can do.
    pub abilities: Abilities,
    /// How. What the target has is always replaced; state file, checkpoints and examples are not used.
    pub options: CopyOptions,
}

/// What became of named keys.
#[derive(Debug)]
pub struct KeysOutcome {
    /// How often which end was met. A key that was named twice counts once.
    pub total: Tally,
    /// Database and name on the source, and cause, of every key that was not copied. The target's key is as it
    /// was, unless the cause says that its time was over.
    pub not_copied: Vec<(u32, Vec<u8>, Cause)>,
    /// Keys whose end is not known because it ended early; some may be on the target.
    pub left: Vec<(u32, Vec<u8>)>,
    /// No expiry was carried with a larger error, in milliseconds.
    pub ttl_error_ms: u32,
    /// Why it ended before it was done.
    pub halt: Option<Halt>,
}

impl Repair {
    /// Makes these keys (database and name on the source) on the target what they are on the source.
    ///
    /// A key that the source does not have is `gone_before_read`, and what the target has in its place stays:
    /// [`Repair::delete_extras`] is for that. Keys that a filter would leave out are copied too. A key whose
    /// slot is being moved by the source's cluster waits for the end of that, up to `give_up_after` without
    /// any progress. As in a copy, `stop` is asked also when a side makes it impossible to go on.
    pub async fn copy_keys(&self, keys: Vec<(u32, Vec<u8>)>, stop: Arc<Stop>) -> KeysOutcome {
        let ledger = Arc::new(Ledger::new(keys, &self.naming));
        let (ttl_error_ms, halt) = match self.run_for(&ledger, &stop).await {
            Ok(None) => (0, None),
            Ok(Some((run, layout))) => {
                let mut rounds = Rounds { run: Arc::clone(&run), ledger: Arc::clone(&ledger), layout };
                let halt = rounds.until_all_are_settled().await.err();
                (run.ttl_error_ms(), halt)
            }
            Err(halt) => (0, Some(halt)),
        };
        let mut book = ledger.close();
        let left = book.left();
        KeysOutcome { total: book.total, not_copied: book.not_copied, left, ttl_error_ms, halt }
    }

    /// Removes these keys (database and name on the target), each only if the source has none of the keys that
    /// go to its name, as asked right before.
    ///
    /// Keys of target databases that nothing is copied into are left alone. The source is asked again
    /// afterwards: a key that came to be meanwhile is told, so that it can be copied.
    pub async fn delete_extras(&self, names: Vec<(u32, Vec<u8>)>, stop: &Stop) -> DeletedOutcome {
        extras::delete(self, names, stop).await
    }

    /// What the lanes share, and the source's layout; nothing when there is nothing to do.
    async fn run_for(&self, ledger: &Ledger, stop: &Arc<Stop>) -> Result<Option<(Arc<Run>, Topology)>, Halt> {
        if ledger.open() == 0 {
            return Ok(None);
        }
        if stop.is_asked() {
            return Err(Halt::Asked);
        }
        let mut patience = Patience::new(&self.options, stop);
        let layout = patience.topology(&self.source, None).await?;
        let target_layout = patience.topology(&self.target, None).await?;
        let run = Run::new(
            CopyOptions { on_conflict: OnConflict::Replace, examples: 0, ..self.options.clone() },
            self.source.clone(),
            self.target.clone(),
            Selection::new(&SelectionOptions::default()).expect("no filter is a selection"),
            self.naming.clone(),
            self.abilities,
            target_layout,
            Arc::clone(stop),
            layout.primaries().len(),
        );
        Ok(Some((Arc::new(run), layout)))
    }
}

struct Rounds {
    run: Arc<Run>,
    ledger: Arc<Ledger>,
    layout: Topology,
}

impl Rounds {
    /// Asks each key's owner for it, and the cluster for its owners again as long as keys are left.
    async fn until_all_are_settled(&mut self) -> Result<(), Halt> {
        let run = Arc::clone(&self.run);
        let mut patience = Patience::new(&run.options, &run.stop);
        let mut open = self.ledger.open();
        loop {
            self.round().await?;
            let before = std::mem::replace(&mut open, self.ledger.open());
            if open == 0 {
                return Ok(());
            }
            if open < before {
                patience.renew();
            }
            let last =
                format!("the cluster's nodes do not have the slots of {open} keys that it says they have");
            patience.wait(Side::Source, last).await?;
            self.layout = patience.topology(&self.run.source, Some(&self.layout)).await?;
        }
    }

    /// Runs a lane for each node and database with open keys: nodes side by side, a node's databases one by
    /// one.
    async fn round(&self) -> Result<(), Halt> {
        let clustered = matches!(self.layout, Topology::Cluster(_));
        let nodes = self.layout.primaries();
        let owners = self.ledger.open_by_owner(&self.layout);
        let _guards = guardian::watch(&self.run, owners.keys().map(|owner| &nodes[*owner]));
        let mut lanes = JoinSet::new();
        for (owner, names) in owners {
            let (run, ledger) = (Arc::clone(&self.run), Arc::clone(&self.ledger));
            lanes.spawn(copy_from(run, ledger, nodes[owner].clone(), names, clustered));
        }
        let mut end = RoundEnd::default();
        while let Some(ended) = lanes.join_next().await {
            match ended {
                Ok(lane) => end.add(lane, &self.run.stop),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            }
        }
        end.halt.map_or(Ok(()), Err)
    }
}

/// One node's keys, one database after the other.
async fn copy_from(run: Arc<Run>, ledger: Arc<Ledger>, node: Node, names: ByDb, clustered: bool) -> LaneEnd {
    for (db, names) in names {
        let status = Arc::new(Mutex::new(status_of(&node, db)));
        let lane = match Lane::open_patiently(&run, &status, clustered).await {
            Ok(lane) => lane.of_named(names, Arc::clone(&ledger)),
            Err(end) => return end,
        };
        match lane.work().await {
            LaneEnd::Done => {}
            end => return end,
        }
    }
    LaneEnd::Done
}

fn status_of(node: &Node, db: u32) -> LaneStatus {
    LaneStatus {
        node: node.clone(),
        db,
        run_id: None,
        position: ScanPosition::default(),
        total: Tally::default(),
        expected: 0,
        restarts: 0,
        waiting: None,
    }
}
