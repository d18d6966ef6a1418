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
mod followee;
mod hearing;
mod incompatible;
mod late;
mod queue;
mod status;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use client::{Endpoint, FeedKind, Node, Recovery, Side, Topology};
use migration::conflict::OnConflict;
use migration::follow::{Follow, GapReason, Happened, Phase};
use migration::naming::Naming;
use migration::selection::Selection;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::guardian;
use crate::lane::LaneEnd;
use crate::options::CopyOptions;
use crate::run::{Abilities, Run, Stop};
use crate::stop::Halt;
use followee::{Counts, Followee, Following, carry};
use hearing::{Hearing, News};
pub(crate) use queue::Queue;
pub use status::{Followed, SyncEnd, SyncOutcome, SyncStatus, Watch};
use witness::{Said, Witness};

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
        let (told, heard) = mpsc::unbounded_channel();
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
            numbers: 0,
            past: Counts::default(),
            told,
            heard,
            lanes: JoinSet::new(),
            comparisons: JoinSet::new(),
        };
        let end = coordinator.follow().await;
        let status = coordinator.status();
        watch.show(status.clone(), coordinator.queues().cloned().collect());
        Ok(SyncOutcome { end, status, ttl_error_ms: run.ttl_error_ms() })
    }
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
    /// How many were followed, those that left and came back counted each time.
    numbers: u64,
    /// What those that are not followed any more came to.
    past: Counts,
    told: hearing::Told,
    heard: mpsc::UnboundedReceiver<(Following, News)>,
    lanes: JoinSet<(Following, LaneEnd)>,
    comparisons: JoinSet<(Following, Result<(), client::Error>)>,
}

impl Coordinator<'_> {
    async fn follow(&mut self) -> SyncEnd {
        self.take_up_nodes();
        let mut guards = guardian::watch(&self.run, self.layout.primaries().iter());
        let mut tick = tokio::time::interval(TICK);
        let mut layout_at = Instant::now() + LAYOUT_EVERY;
        let mut witness_at = Instant::now();
        loop {
            tokio::select! {
                Some((following, news)) = self.heard.recv() => {
                    if let Err(halt) = self.told(&following, news) {
                        return SyncEnd::Halted(halt);
                    }
                }
                Some(ended) = self.comparisons.join_next() => match ended {
                    Ok((following, ended)) => self.compared(&following, ended),
                    Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                    Err(_) => {}
                },
                Some(ended) = self.lanes.join_next() => match ended {
                    Ok((_, LaneEnd::Halted(halt))) => return SyncEnd::Halted(halt),
                    Ok((following, LaneEnd::Done | LaneEnd::NodeLost)) => {
                        if let Some(followee) = self.followee(&following) {
                            followee.is_lost = true;
                        }
                        // The layout says who has its slots now.
                        layout_at = Instant::now();
                    }
                    Err(panic) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
                    Err(_) => {}
                },
                _ = tick.tick() => {}
            }
            if self.run.stop.is_asked() {
                return SyncEnd::Halted(Halt::Asked);
            }
            if let Some(halt) = self.unheard_for_too_long() {
                return SyncEnd::Halted(halt);
            }
            if layout_at <= Instant::now() && matches!(self.layout, Topology::Cluster(_)) {
                layout_at = Instant::now() + LAYOUT_EVERY;
                if self.ask_for_layout().await {
                    guards = guardian::watch(&self.run, self.layout.primaries().iter());
                }
            }
            self.take_up_lost();
            if witness_at <= Instant::now() {
                witness_at = Instant::now() + WITNESS_EVERY;
                self.ask_witnesses().await;
            }
            self.pass_on_marks();
            self.begin_comparisons().await;
            self.watch.show(self.status(), self.queues().cloned().collect());
            if self.is_quiet() && self.is_ready().await {
                drop(guards);
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

    fn followee(&mut self, following: &Following) -> Option<&mut Followee> {
        self.nodes.get_mut(&following.node).filter(|followee| followee.number == following.number)
    }

    /// Listens to what is told of a node.
    fn told(&mut self, following: &Following, news: News) -> Result<(), Halt> {
        let Some(followee) = self.followee(following) else { return Ok(()) };
        match news {
            News::Unheard(error) if error.recovery() == Recovery::Operator => return Err(Halt::Side(error)),
            News::Unheard(error) => followee.unheard = Some(error),
            News::Happened(happened) => {
                match happened {
                    Happened::FeedHeard { .. } => followee.unheard_since = None,
                    Happened::FeedLost => followee.unheard_since = Some(Instant::now()),
                    _ => {}
                }
                self.happened(&following.node, happened);
            }
        }
        Ok(())
    }

    fn compared(&mut self, following: &Following, ended: Result<(), client::Error>) {
        if self.followee(following).is_none() {
            return;
        }
        match ended {
            Ok(()) => self.happened(&following.node, Happened::ComparisonEnded),
            Err(error) => {
                tracing::warn!("the comparison of {} is begun anew: {error}", following.node);
                self.happened(&following.node, Happened::ComparisonFailed);
            }
        }
    }

    fn unheard_for_too_long(&self) -> Option<Halt> {
        let limit = self.run.options.give_up_after;
        self.nodes.iter().find_map(|(node, followee)| {
            let unheard = followee.unheard_since?.elapsed();
            let last = followee.unheard.as_ref().map_or_else(
                || format!("source {node}: its changes are not heard"),
                |error| error.to_string(),
            );
            (unheard > limit).then(|| Halt::Outage { side: Side::Source, seconds: unheard.as_secs(), last })
        })
    }

    /// Follows the nodes of the layout that are not followed yet, and no longer those that left.
    fn take_up_nodes(&mut self) {
        let current = self.layout.primaries().to_vec();
        let left: Vec<Node> = self.nodes.keys().filter(|node| !current.contains(node)).cloned().collect();
        left.iter().for_each(|node| self.leave(node));
        let budget = self.marks / (current.len() * self.run.naming.source_dbs().count()).max(1);
        for node in current {
            if !self.nodes.contains_key(&node) {
                self.take_up(node, budget);
            }
        }
    }

    fn leave(&mut self, node: &Node) {
        if let Some(followee) = self.nodes.remove(node) {
            followee.queues.iter().for_each(|queue| self.past.add(queue));
        }
        self.happened(node, Happened::NodeLeft);
    }

    fn take_up(&mut self, node: Node, budget: usize) {
        self.happened(&node, Happened::NodeAppeared);
        self.numbers += 1;
        let following = Following { node: node.clone(), number: self.numbers };
        let dbs = self.run.naming.source_dbs();
        let queues: Vec<_> = dbs.map(|db| Queue::new(db, self.began, budget)).collect();
        let (barriers, asked) = mpsc::unbounded_channel();
        let hearing = Hearing {
            endpoint: self.run.source.clone(),
            following: following.clone(),
            kind: self.feed,
            queues: queues.clone(),
            told: self.told.clone(),
            barriers: asked,
        };
        let mut tasks = vec![tokio::spawn(hearing.listen()).abort_handle()];
        let clustered = matches!(self.layout, Topology::Cluster(_));
        for queue in &queues {
            let (run, queue, following) = (Arc::clone(&self.run), Arc::clone(queue), following.clone());
            tasks.push(self.lanes.spawn(async move {
                let end = carry(run, following.node.clone(), queue, clustered).await;
                (following, end)
            }));
        }
        let followee = Followee {
            number: following.number,
            queues,
            barriers,
            witness: Witness::default(),
            unheard_since: Some(Instant::now()),
            unheard: None,
            is_lost: false,
            tasks,
        };
        self.nodes.insert(node, followee);
    }

    /// Begins anew with nodes whose lanes gave up, as soon as they are heard again: what they had read is unknown.
    fn take_up_lost(&mut self) {
        let lost = |followee: &Followee| followee.is_lost && followee.unheard_since.is_none();
        let nodes: Vec<Node> =
            self.nodes.iter().filter(|(_, followee)| lost(followee)).map(|(node, _)| node.clone()).collect();
        if !nodes.is_empty() {
            nodes.iter().for_each(|node| self.leave(node));
            self.take_up_nodes();
        }
    }

    /// Asks the cluster; says whether its layout is another one.
    async fn ask_for_layout(&mut self) -> bool {
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
                true
            }
            Ok(_) => false,
            Err(error) => {
                tracing::debug!("the source's layout cannot be had: {error}");
                false
            }
        }
    }

    /// What no feed sees is seen by the server's own counters.
    async fn ask_witnesses(&mut self) {
        let nodes: Vec<Node> = self.nodes.keys().cloned().collect();
        for node in nodes {
            self.ask_witness(&node).await;
        }
    }

    async fn ask_witness(&mut self, node: &Node) {
        let Some(followee) = self.nodes.get_mut(node) else { return };
        match followee.witness.look(&self.run, node, self.feed).await {
            Said::Nothing => {}
            Said::Groups => {
                let queues = followee.queues.clone();
                self.mark_groups(node, &queues).await;
            }
            Said::Unseen => self.happened(node, Happened::GapOpened(GapReason::Unseen)),
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

    async fn begin_comparisons(&mut self) {
        let due = self.follow.to_compare();
        let is_due = |node: &&Node| due.iter().any(|name| *name == node.to_string());
        let due: Vec<Node> = self.nodes.keys().filter(is_due).cloned().collect();
        for node in due {
            // What the counters tell from now on happened after the comparison began.
            self.ask_witness(&node).await;
            let Some(followee) = self.nodes.get_mut(&node) else { continue };
            followee.queues.iter().for_each(|queue| queue.incompatible().clear());
            let following = Following { node: node.clone(), number: followee.number };
            let (run, queues, layout) = (Arc::clone(&self.run), followee.queues.clone(), self.layout.clone());
            followee.tasks.retain(|task| !task.is_finished());
            followee.tasks.push(self.comparisons.spawn(async move {
                let node = &following.node;
                let owns =
                    |key: &[u8]| layout.owner(key).is_some_and(|owner| layout.primaries()[owner] == *node);
                let ended = comparing::node(&run, node, &queues, owns).await;
                (following, ended)
            }));
            self.happened(&node, Happened::ComparisonBegan);
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

    /// The barrier, what no feed sees, streams with groups once more, and still nothing is marked and no gap open.
    async fn is_ready(&mut self) -> bool {
        let before: u64 = self.queues().map(|queue| queue.changed_us()).max().unwrap_or(0);
        if !self.barrier().await {
            return false;
        }
        self.ask_witnesses().await;
        let nodes: Vec<_> =
            self.nodes.iter().map(|(node, followee)| (node.clone(), followee.queues.clone())).collect();
        for (node, queues) in nodes {
            if !self.mark_groups(&node, &queues).await {
                return false;
            }
        }
        for queue in self.queues() {
            queue.suspect_incompatible();
            // Somebody may have begun to write again, and this must not wait for the end of that.
            if tokio::time::timeout(DRAIN_WITHIN, queue.room_below(1)).await.is_err() {
                return false;
            }
        }
        if !self.barrier().await {
            return false;
        }
        while let Ok((following, news)) = self.heard.try_recv() {
            if self.told(&following, news).is_err() {
                return false;
            }
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
        let mut counts = self.past.clone();
        self.queues().for_each(|queue| counts.add(queue));
        SyncStatus {
            phase: self.follow.phase(),
            nodes: self.nodes.iter().map(followed).collect(),
            changes: counts.changes,
            carried: counts.carried,
            removed: counts.removed,
            refused: counts.refused,
            incompatible: self.queues().map(|queue| queue.incompatible().count()).sum(),
            gaps: self.follow.gaps().to_vec(),
            elapsed: self.began.elapsed(),
        }
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
