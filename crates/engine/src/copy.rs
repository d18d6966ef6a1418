//! A whole copy: lanes for every node and database, checkpoints, and rounds until the layout stands still.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{Endpoint, Node, Recovery, Side, Topology};
use migration::naming::Naming;
use migration::selection::Selection;
use migration::tally::{Cause, Tally};
use tokio::task::JoinSet;

use crate::checkpoint::{Arguments, Checkpoint, ScanRecord};
use crate::guardian;
use crate::lane::{Lane, LaneEnd, RoundEnd};
use crate::options::CopyOptions;
use crate::run::{Abilities, LaneStatus, Run, Stop, lock};
use crate::stop::Halt;

/// Everything a copy needs to know.
#[derive(Debug)]
pub struct Copy {
    /// Where from.
    pub source: Endpoint,
    /// Where to.
    pub target: Endpoint,
    /// Which keys.
    pub selection: Selection,
    /// Under which names, into which databases.
    pub naming: Naming,
    /// What both sides can do.
    pub abilities: Abilities,
    /// How.
    pub options: CopyOptions,
    /// The arguments by which a checkpoint is recognised.
    pub arguments: Arguments,
}

/// What a copy came to.
#[derive(Debug)]
pub struct CopyOutcome {
    /// What became of the keys, in this run and the ones it resumed.
    pub total: Tally,
    /// Whether a checkpoint of an earlier run was taken up.
    pub resumed: bool,
    /// How often a scan began anew because the process behind a node changed.
    pub restarts: u32,
    /// Time of this run and the ones it resumed.
    pub elapsed: Duration,
    /// Time of this run alone.
    pub elapsed_here: Duration,
    /// Keys copied by this run alone.
    pub copied_here: u64,
    /// Keys by cause, as many as asked for.
    pub examples: BTreeMap<Cause, Vec<Vec<u8>>>,
    /// No expiry was carried with a larger error, in milliseconds.
    pub ttl_error_ms: u32,
    /// Why it ended before it was done.
    pub halt: Option<Halt>,
}

/// The lanes of a copy under way, for whoever shows its progress.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    lanes: Arc<Mutex<Vec<Arc<Mutex<LaneStatus>>>>>,
}

impl Progress {
    /// Where each lane is now.
    pub fn lanes(&self) -> Vec<LaneStatus> {
        lock(&self.lanes).iter().map(|lane| lock(lane).clone()).collect()
    }
}

impl Copy {
    /// Copies until every key is settled, somebody asks to stop, or a side cannot be used any more. The
    /// checkpoint is removed after a complete run and kept otherwise.
    ///
    /// # Errors
    /// The checkpoint is unusable, or a side cannot be reached at the very beginning; nothing was written.
    pub async fn run(self, progress: &Progress, stop: Arc<Stop>) -> Result<CopyOutcome, Halt> {
        let began = Instant::now();
        let loaded = Checkpoint::load(&self.options.state, &self.arguments)?;
        let resumed = loaded.is_some();
        let checkpoint = loaded.unwrap_or_else(|| Checkpoint::new(self.arguments.clone()));
        let copied_before: u64 = checkpoint.scans.iter().map(|scan| scan.position.tally.copied).sum();
        let layout = self.source.topology().await?;
        let target_layout = self.target.topology().await?;
        let run = Arc::new(Run::new(
            self.options,
            self.source,
            self.target,
            self.selection,
            self.naming,
            self.abilities,
            target_layout,
            stop,
            layout.primaries().len(),
        ));
        let mut rounds = Rounds::new(Arc::clone(&run), progress, checkpoint, began, layout);
        let halt = rounds.until_all_is_done().await;
        let (total, restarts) = rounds.total();
        let elapsed_here = began.elapsed();
        let halt = match halt {
            None => Checkpoint::remove(&run.options.state).err().map(Halt::from),
            Some(halt) => rounds.save().err().map(Halt::from).or(Some(halt)),
        };
        Ok(CopyOutcome {
            copied_here: total.copied.saturating_sub(copied_before),
            total,
            resumed,
            restarts,
            elapsed: elapsed_here + Duration::from_millis(rounds.checkpoint.elapsed_ms),
            elapsed_here,
            examples: run.examples(),
            ttl_error_ms: run.ttl_error_ms(),
            halt,
        })
    }
}

/// The rounds over a source's layout, until all of it is done.
pub(crate) struct Rounds<'p> {
    run: Arc<Run>,
    progress: &'p Progress,
    checkpoint: Checkpoint,
    began: Instant,
    layout: Topology,
}

impl<'p> Rounds<'p> {
    pub(crate) fn new(
        run: Arc<Run>,
        progress: &'p Progress,
        checkpoint: Checkpoint,
        began: Instant,
        layout: Topology,
    ) -> Rounds<'p> {
        Rounds { run, progress, checkpoint, began, layout }
    }

    /// Scans every node that is not done; asks for the layout again and goes on while that brings new work.
    pub(crate) async fn until_all_is_done(&mut self) -> Option<Halt> {
        let mut lost_since: Option<Instant> = None;
        loop {
            let pending = self.plan();
            if pending == 0 {
                return None;
            }
            let lost = match self.round().await {
                Ok(lost) => lost,
                Err(halt) => return Some(halt),
            };
            if lost {
                let since = *lost_since.get_or_insert_with(Instant::now);
                if since.elapsed() > self.run.options.give_up_after {
                    let last = "a node of the cluster left and nothing took its slots".to_owned();
                    return Some(Halt::Outage {
                        side: Side::Source,
                        seconds: since.elapsed().as_secs(),
                        last,
                    });
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            match self.run.source.topology_by_any(&self.layout).await {
                Ok(layout) => self.layout = layout,
                Err(error) if lost && error.recovery() == Recovery::Reconnect => {}
                Err(error) => return Some(Halt::Side(error)),
            }
        }
    }

    /// Makes a status for every node and database of the current layout; returns how many are not done.
    fn plan(&mut self) -> usize {
        self.keep_positions();
        let slots: Vec<Vec<(u16, u16)>> = match &self.layout {
            Topology::Single(_) => vec![Vec::new()],
            Topology::Cluster(map) => (0..map.nodes().len()).map(|node| map.ranges(node)).collect(),
        };
        let mut records = Vec::new();
        for (node, slots) in self.layout.primaries().iter().zip(slots) {
            for db in self.run.naming.source_dbs() {
                let known = self.checkpoint.scans.iter().find(|scan| scan.node() == *node && scan.db == db);
                // A node that gained slots has keys that its scan may have passed already.
                let usable = known.filter(|scan| slots.iter().all(|range| covers(&scan.slots, *range)));
                records.push(usable.cloned().unwrap_or_else(|| ScanRecord {
                    host: node.host.clone(),
                    port: node.port,
                    db,
                    run_id: None,
                    slots: slots.clone(),
                    position: Default::default(),
                    restarts: known.map_or(0, |scan| scan.restarts + 1),
                }));
            }
        }
        self.checkpoint.scans = records;
        let statuses =
            self.checkpoint.scans.iter().map(|scan| Arc::new(Mutex::new(status_of(scan)))).collect();
        *lock(&self.progress.lanes) = statuses;
        self.checkpoint.scans.iter().filter(|scan| !scan.position.done).count()
    }

    /// Runs a lane for every scan that is not done: nodes side by side, a node's databases one by one.
    async fn round(&mut self) -> Result<bool, Halt> {
        let clustered = matches!(self.layout, Topology::Cluster(_));
        let mut nodes: BTreeMap<Node, Vec<Arc<Mutex<LaneStatus>>>> = BTreeMap::new();
        for status in lock(&self.progress.lanes).iter() {
            let (node, done) = {
                let status = lock(status);
                (status.node.clone(), status.position.done)
            };
            if !done {
                nodes.entry(node).or_default().push(Arc::clone(status));
            }
        }
        let _guards = guardian::watch(&self.run, nodes.keys());
        let mut lanes = JoinSet::new();
        for statuses in nodes.into_values() {
            lanes.spawn(scan_node(Arc::clone(&self.run), statuses, clustered));
        }
        let mut end = RoundEnd::default();
        let mut checkpoints = tokio::time::interval(self.run.options.checkpoint_every);
        loop {
            tokio::select! {
                ended = lanes.join_next() => match ended {
                    None => break,
                    Some(Ok(lane)) => end.add(lane, &self.run.stop),
                    Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()),
                },
                _ = checkpoints.tick() => {
                    if let Err(error) = self.save() {
                        end.add(LaneEnd::Halted(error.into()), &self.run.stop);
                    }
                }
            }
        }
        self.keep_positions();
        match end.halt {
            Some(halt) => Err(halt),
            None => Ok(end.lost),
        }
    }

    fn keep_positions(&mut self) {
        for status in self.progress.lanes() {
            let node = &status.node;
            if let Some(scan) =
                self.checkpoint.scans.iter_mut().find(|scan| scan.node() == *node && scan.db == status.db)
            {
                scan.run_id = status.run_id;
                scan.position = status.position;
                scan.restarts = status.restarts;
            }
        }
    }

    fn save(&mut self) -> Result<(), crate::checkpoint::CheckpointError> {
        self.keep_positions();
        // A file cannot be taken up again where it broke off.
        if self.run.writes_files() {
            return Ok(());
        }
        let mut checkpoint = self.checkpoint.clone();
        checkpoint.elapsed_ms += self.began.elapsed().as_millis() as u64;
        checkpoint.save(&self.run.options.state)
    }

    pub(crate) fn total(&self) -> (Tally, u32) {
        let mut total = Tally::default();
        let mut restarts = 0;
        for status in self.progress.lanes() {
            total.add(&status.total);
            restarts += status.restarts;
        }
        (total, restarts)
    }
}

fn covers(known: &[(u16, u16)], (first, last): (u16, u16)) -> bool {
    known.iter().any(|(from, to)| *from <= first && last <= *to)
}

fn status_of(scan: &ScanRecord) -> LaneStatus {
    LaneStatus {
        node: scan.node(),
        db: scan.db,
        run_id: scan.run_id.clone(),
        position: scan.position.clone(),
        total: scan.position.tally.clone(),
        expected: 0,
        restarts: scan.restarts,
        waiting: None,
    }
}

/// One node's databases, one after the other.
async fn scan_node(run: Arc<Run>, statuses: Vec<Arc<Mutex<LaneStatus>>>, clustered: bool) -> LaneEnd {
    for status in statuses {
        let lane = match Lane::open_patiently(&run, &status, clustered).await {
            Ok(lane) => lane,
            Err(end) => return end,
        };
        match lane.work().await {
            LaneEnd::Done => {}
            end => return end,
        }
    }
    LaneEnd::Done
}
