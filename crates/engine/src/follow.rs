//! Live sync: the source's keys are carried to the target, and every change after them, until somebody ends it.
//!
//! Feeds say which keys change ([`hearing`]), listings say which keys there are ([`comparing`]), and both mark them in
//! one queue for each node and database ([`queue`]). A lane reads what is marked and makes the target equal, as a copy
//! does; it removes what the source does not have. What is known of each node, and whether anything may
//! have changed unseen, is decided by [`migration::follow`].
//!
//! Nothing is marked twice, read before it is unmarked, or read twice at once
//! ([`migration::dirty`]), so the last thing written to the target was read after the last change.

mod comparing;
mod hearing;
mod queue;
mod witness;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{Endpoint, FeedKind, Node, Topology};
use migration::conflict::OnConflict;
use migration::follow::{Follow, Gap, GapReason, Happened, Phase};
use migration::naming::Naming;
use migration::pages::ScanPosition;
use migration::selection::Selection;
use migration::tally::{Cause, Tally};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

use crate::guardian;
use crate::lane::{Lane, LaneEnd};
use crate::options::CopyOptions;
use crate::run::{Abilities, LaneStatus, Run, Stop, lock};
use crate::stop::Halt;
use hearing::{Barrier, Hearing};
pub(crate) use queue::Queue;
use witness::Witness;

/// How often the coordinator looks around.
const TICK: Duration = Duration::from_millis(100);

/// How often a cluster is asked for its layout.
const LAYOUT_EVERY: Duration = Duration::from_secs(5);

/// How often the counters are read that tell of what no feed sees.
const WITNESS_EVERY: Duration = Duration::from_secs(1);

/// How long the last marks may take to be carried before it is seen whether there are more.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);

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
    /// Bytes of marks, over all nodes.
    pub marks: usize,
    /// Ends by itself when everything is carried and nobody has written for this long.
    pub until_quiet: Option<Duration>,
}

/// One node that is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The node.
    pub node: Node,
    /// Keys that wait to be carried, or are being carried.
    pub dirty: u64,
    /// How long the oldest change is not on the target, in microseconds.
    pub lag_us: u64,
    /// Keys of it that were written to the target, or removed there.
    pub settled: u64,
}

/// Where a sync stands.
#[derive(Debug, Clone)]
pub struct SyncStatus {
    /// Which part of its way it is on.
    pub phase: Phase,
    /// Its nodes.
    pub nodes: Vec<Followed>,
    /// Changes heard of.
    pub changes: u64,
    /// Keys written to the target.
    pub carried: u64,
    /// Keys removed from the target.
    pub removed: u64,
    /// Keys that the target does not take, by cause, each time that they were tried.
    pub refused: BTreeMap<Cause, u64>,
    /// Times when it was not known what changed, healed ones too.
    pub gaps: Vec<Gap>,
    /// Time since it began.
    pub elapsed: Duration,
}

/// How a sync ended.
#[derive(Debug)]
pub enum SyncEnd {
    /// Everything is carried, nobody writes, no gap is open: the target may take over.
    Ready,
    /// Somebody asked for it, or it cannot go on.
    Halted(Halt),
}

/// What a sync came to.
#[derive(Debug)]
pub struct SyncOutcome {
    /// How it ended.
    pub end: SyncEnd,
    /// Where it stood then.
    pub status: SyncStatus,
    /// No expiry was carried with a larger error, in milliseconds.
    pub ttl_error_ms: u32,
}

/// A sync under way, for whoever shows it.
#[derive(Debug, Clone, Default)]
pub struct Watch {
    status: Arc<Mutex<Option<SyncStatus>>>,
}

impl Watch {
    /// Where it stands; `None` before it has begun.
    pub fn status(&self) -> Option<SyncStatus> {
        lock(&self.status).clone()
    }
}

impl Sync {
    /// Follows the source until everything is quiet (if that is wanted), somebody asks to stop, or a side cannot be
    /// used any more.
    ///
    /// # Errors
    /// A side cannot be reached at the very beginning; nothing was written.
    pub async fn run(self, watch: &Watch, stop: Arc<Stop>) -> Result<SyncOutcome, Halt> {
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
        let (news, heard) = mpsc::unbounded_channel();
        let mut coordinator = Coordinator {
            run: Arc::clone(&run),
            feed: self.feed,
            marks: self.marks,
            until_quiet: self.until_quiet,
            watch,
            began: Instant::now(),
            follow: Follow::default(),
            layout,
            nodes: BTreeMap::new(),
            news,
            heard,
            lanes: JoinSet::new(),
            comparisons: JoinSet::new(),
        };
        let end = coordinator.follow().await;
        let status = coordinator.status();
        *lock(&watch.status) = Some(status.clone());
        Ok(SyncOutcome { end, status, ttl_error_ms: run.ttl_error_ms() })
    }
}

/// A node with the tasks that work for it.
struct Followee {
    queues: Vec<Arc<Queue>>,
    hearing: AbortHandle,
    barriers: mpsc::UnboundedSender<Barrier>,
    witness: Witness,
}

struct Coordinator<'w> {
    run: Arc<Run>,
    feed: FeedKind,
    marks: usize,
    until_quiet: Option<Duration>,
    watch: &'w Watch,
    began: Instant,
    follow: Follow,
    layout: Topology,
    nodes: BTreeMap<Node, Followee>,
    news: hearing::News,
    heard: mpsc::UnboundedReceiver<(Node, Happened)>,
    lanes: JoinSet<(Node, LaneEnd)>,
    comparisons: JoinSet<(Node, Result<(), client::Error>)>,
}

impl Coordinator<'_> {
    async fn follow(&mut self) -> SyncEnd {
        self.take_up_nodes();
        let _guards = guardian::watch(&self.run, self.layout.primaries().iter());
        let mut tick = tokio::time::interval(TICK);
        let mut layout_at = Instant::now() + LAYOUT_EVERY;
        let mut witness_at = Instant::now();
        loop {
            tokio::select! {
                Some((node, happened)) = self.heard.recv() => self.happened(&node, happened),
                Some(ended) = self.comparisons.join_next() => match ended {
                    Ok((node, Ok(()))) => self.happened(&node, Happened::ComparisonEnded),
                    Ok((node, Err(error))) => {
                        tracing::warn!("the comparison of {node} is begun anew: {error}");
                        self.happened(&node, Happened::ComparisonFailed);
                    }
                    Err(_) => {}
                },
                Some(ended) = self.lanes.join_next() => match ended {
                    Ok((_, LaneEnd::Halted(halt))) => return SyncEnd::Halted(halt),
                    // The layout says who has its slots now.
                    Ok((_, LaneEnd::Done | LaneEnd::NodeLost)) => layout_at = Instant::now(),
                    Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                    Err(_) => {}
                },
                _ = tick.tick() => {}
            }
            if self.run.stop.is_asked() {
                return SyncEnd::Halted(Halt::Asked);
            }
            if layout_at <= Instant::now() && matches!(self.layout, Topology::Cluster(_)) {
                layout_at = Instant::now() + LAYOUT_EVERY;
                self.ask_for_layout().await;
            }
            if witness_at <= Instant::now() {
                witness_at = Instant::now() + WITNESS_EVERY;
                self.ask_witnesses().await;
            }
            self.pass_on_marks();
            self.begin_comparisons();
            *lock(&self.watch.status) = Some(self.status());
            if self.is_quiet() && self.is_ready().await {
                return SyncEnd::Ready;
            }
        }
    }

    fn now_us(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    fn happened(&mut self, node: &Node, happened: Happened) {
        let now_us = self.now_us();
        self.follow.handle(now_us, &node.to_string(), happened);
    }

    /// Follows the nodes of the layout that are not followed yet, and no longer those that left.
    fn take_up_nodes(&mut self) {
        let current = self.layout.primaries().to_vec();
        let left: Vec<Node> = self.nodes.keys().filter(|node| !current.contains(node)).cloned().collect();
        for node in left {
            if let Some(followee) = self.nodes.remove(&node) {
                followee.hearing.abort();
            }
            self.happened(&node, Happened::NodeLeft);
        }
        let budget = self.marks / (current.len() * self.run.naming.source_dbs().count()).max(1);
        for node in current {
            if self.nodes.contains_key(&node) {
                continue;
            }
            self.happened(&node, Happened::NodeAppeared);
            let dbs = self.run.naming.source_dbs();
            let queues: Vec<_> = dbs.map(|db| Queue::new(db, self.began, budget)).collect();
            let (barriers, asked) = mpsc::unbounded_channel();
            let hearing = Hearing {
                endpoint: self.run.source.clone(),
                node: node.clone(),
                kind: self.feed,
                queues: queues.clone(),
                news: self.news.clone(),
                barriers: asked,
            };
            let hearing = tokio::spawn(hearing.listen()).abort_handle();
            for queue in &queues {
                let clustered = matches!(self.layout, Topology::Cluster(_));
                let (run, node, queue) = (Arc::clone(&self.run), node.clone(), Arc::clone(queue));
                self.lanes.spawn(async move {
                    let end = carry(run, node.clone(), Arc::clone(&queue), clustered).await;
                    // Nobody makes room in it any more, and whoever waits for that would hide why.
                    queue.close();
                    (node, end)
                });
            }
            self.nodes.insert(node, Followee { queues, hearing, barriers, witness: Witness::default() });
        }
    }

    async fn ask_for_layout(&mut self) {
        match self.run.source.topology_by_any(&self.layout).await {
            Ok(layout) if layout != self.layout => {
                tracing::info!("the source's cluster has another layout now");
                let grown = gained(&self.layout, &layout);
                self.layout = layout;
                self.take_up_nodes();
                // Keys that came to a node with their slots may have changed while nobody was followed there.
                for node in grown {
                    self.happened(&node, Happened::GapOpened(GapReason::Unseen));
                }
            }
            Ok(_) => {}
            Err(error) => tracing::debug!("the source's layout cannot be had: {error}"),
        }
    }

    /// What no feed sees is seen by the server's own counters.
    async fn ask_witnesses(&mut self) {
        let mut groups = Vec::new();
        let mut unseen = Vec::new();
        for (node, followee) in &mut self.nodes {
            match followee.witness.look(&self.run, node, self.feed).await {
                witness::Said::Nothing => {}
                witness::Said::Groups => groups.push((node.clone(), followee.queues.clone())),
                witness::Said::Unseen => unseen.push(node.clone()),
            }
        }
        for node in unseen {
            self.happened(&node, Happened::GapOpened(GapReason::Unseen));
        }
        for (node, queues) in groups {
            self.mark_groups(&node, &queues).await;
        }
    }

    async fn mark_groups(&mut self, node: &Node, queues: &[Arc<Queue>]) -> bool {
        for queue in queues {
            if let Err(error) = comparing::groups(&self.run, node, queue).await {
                tracing::debug!("streams of {node} are not marked: {error}");
                self.happened(node, Happened::GapOpened(GapReason::Unseen));
                return false;
            }
        }
        true
    }

    /// Marks of keys that moved go to the node that has them; marks that were given up become a gap.
    fn pass_on_marks(&mut self) {
        let mut overflowed = Vec::new();
        for (node, followee) in &self.nodes {
            for queue in &followee.queues {
                if queue.take_overflow() {
                    overflowed.push(node.clone());
                }
                for name in queue.take_left() {
                    let owner = self.layout.owner(&name).map(|owner| &self.layout.primaries()[owner]);
                    let heir = owner.and_then(|owner| self.nodes.get(owner)).unwrap_or(followee);
                    if let Some(queue) = heir.queues.iter().find(|other| other.db() == queue.db()) {
                        queue.suspect([&name[..]]);
                    }
                }
            }
        }
        for node in overflowed {
            self.happened(&node, Happened::GapOpened(GapReason::Overflow));
        }
    }

    fn begin_comparisons(&mut self) {
        let due: Vec<String> = self.follow.to_compare().into_iter().map(str::to_owned).collect();
        for name in due {
            let Some((node, followee)) = self.nodes.iter().find(|(node, _)| node.to_string() == name) else {
                continue;
            };
            let (run, node, queues) = (Arc::clone(&self.run), node.clone(), followee.queues.clone());
            let layout = self.layout.clone();
            self.happened(&node, Happened::ComparisonBegan);
            self.comparisons.spawn(async move {
                let owns =
                    |key: &[u8]| layout.owner(key).is_some_and(|owner| layout.primaries()[owner] == node);
                let ended = comparing::node(&run, &node, &queues, owns).await;
                (node, ended)
            });
        }
    }

    fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.nodes.values().flat_map(|followee| &followee.queues)
    }

    /// Whether it is worth asking if everything is carried.
    fn is_quiet(&self) -> bool {
        let Some(quiet) = self.until_quiet else { return false };
        let since_us = self.queues().map(|queue| queue.changed_us()).max().unwrap_or(0);
        self.follow.phase() == Phase::Following
            && self.queues().all(|queue| queue.is_empty())
            && self.now_us().saturating_sub(since_us) >= quiet.as_micros() as u64
    }

    /// The barrier, streams with groups once more, and still nothing is marked and no gap open.
    async fn is_ready(&mut self) -> bool {
        let before: u64 = self.queues().map(|queue| queue.changed_us()).max().unwrap_or(0);
        if !self.barrier().await {
            return false;
        }
        let nodes: Vec<_> =
            self.nodes.iter().map(|(node, followee)| (node.clone(), followee.queues.clone())).collect();
        for (node, queues) in nodes {
            if !self.mark_groups(&node, &queues).await {
                return false;
            }
        }
        for queue in self.queues() {
            // Somebody may have begun to write again, and this must not wait for the end of that.
            if tokio::time::timeout(DRAIN_WITHIN, queue.room_below(1)).await.is_err() {
                return false;
            }
        }
        if !self.barrier().await {
            return false;
        }
        while let Ok((node, happened)) = self.heard.try_recv() {
            self.happened(&node, happened);
        }
        let after: u64 = self.queues().map(|queue| queue.changed_us()).max().unwrap_or(0);
        before == after
            && self.follow.phase() == Phase::Following
            && self.queues().all(|queue| queue.is_empty())
    }

    /// Whether every feed has told everything up to now.
    async fn barrier(&self) -> bool {
        let mut answers = Vec::new();
        for followee in self.nodes.values() {
            let (asked, answer) = oneshot::channel();
            if followee.barriers.send(asked).is_err() {
                return false;
            }
            answers.push(answer);
        }
        for answer in answers {
            if !matches!(tokio::time::timeout(Duration::from_secs(10), answer).await, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }

    fn status(&self) -> SyncStatus {
        let followed = |(node, followee): (&Node, &Followee)| {
            let settled = |queue: &Arc<Queue>| {
                let numbers = queue.numbers();
                numbers.carried.load(Ordering::Relaxed) + numbers.removed.load(Ordering::Relaxed)
            };
            let loads: Vec<_> = followee.queues.iter().map(|queue| queue.load()).collect();
            Followed {
                node: node.clone(),
                dirty: loads.iter().map(|(dirty, _)| *dirty as u64).sum(),
                lag_us: loads.iter().map(|(_, lag_us)| *lag_us).max().unwrap_or(0),
                settled: followee.queues.iter().map(settled).sum(),
            }
        };
        let sum = |number: &dyn Fn(&Queue) -> u64| self.queues().map(|queue| number(queue)).sum();
        let mut refused: BTreeMap<Cause, u64> = BTreeMap::new();
        for (cause, count) in self.queues().flat_map(|queue| queue.refusals()) {
            *refused.entry(cause).or_default() += count;
        }
        SyncStatus {
            phase: self.follow.phase(),
            nodes: self.nodes.iter().map(followed).collect(),
            changes: sum(&|queue| queue.numbers().marked.load(Ordering::Relaxed)),
            carried: sum(&|queue| queue.numbers().carried.load(Ordering::Relaxed)),
            removed: sum(&|queue| queue.numbers().removed.load(Ordering::Relaxed)),
            refused,
            gaps: self.follow.gaps().to_vec(),
            elapsed: self.began.elapsed(),
        }
    }
}

impl Drop for Coordinator<'_> {
    fn drop(&mut self) {
        self.nodes.values().for_each(|followee| followee.hearing.abort());
    }
}

/// Carries what is marked of one node and database, until it is stopped.
async fn carry(run: Arc<Run>, node: Node, queue: Arc<Queue>, clustered: bool) -> LaneEnd {
    let status = Arc::new(Mutex::new(LaneStatus {
        node,
        db: queue.db(),
        run_id: None,
        position: ScanPosition::default(),
        total: Tally::default(),
        expected: 0,
        restarts: 0,
        waiting: None,
    }));
    match Lane::open_patiently(&run, &status, clustered).await {
        Ok(lane) => lane.of_followed(queue).work().await,
        Err(end) => end,
    }
}

/// Nodes that have slots which they did not have before.
fn gained(before: &Topology, after: &Topology) -> Vec<Node> {
    let (Topology::Cluster(before), Topology::Cluster(after)) = (before, after) else {
        return after.primaries().to_vec();
    };
    let mut grown: Vec<Node> = Vec::new();
    for slot in 0..client::SLOTS as u16 {
        let node = |map: &client::SlotMap| map.owner(slot).map(|owner| map.nodes()[owner].clone());
        let (was, is) = (node(before), node(after));
        if let Some(is) = is
            && was.as_ref() != Some(&is)
            && !grown.contains(&is)
        {
            grown.push(is);
        }
    }
    grown
}
