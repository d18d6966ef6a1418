//! The coordinator of a live sync: who is followed, what is compared, when both sides are equal.

mod settling;
mod standing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{FeedKind, Node, Recovery, Side, Topology};
use migration::follow::{Follow, GapReason, Happened, Voices};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::attempt::Attempted;
use super::comparing;
use super::followee::{Counts, Followee, Following, Writes, carry, lane_status};
use super::hearing::{self, Hearing, News};
use super::queue::Queue;
use super::status::{SyncEnd, TargetMemory, Watch};
use super::steering::{Order, Orders, Steered, Wanted};
use super::watching::{self, SharedWitness};
use super::witness::Said;
use crate::comparer::Comparer;
use crate::guardian;
use crate::lane::LaneEnd;
use crate::run::Run;
use crate::stop::Halt;

/// How often the coordinator looks around.
const TICK: Duration = Duration::from_millis(100);

/// How often a cluster is asked for its layout.
const LAYOUT_EVERY: Duration = Duration::from_secs(5);

/// How changes are listened to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listening {
    pub(super) feed: FeedKind,
    /// Connections to each node.
    pub(super) feeds: usize,
    /// Bytes of marks, over all nodes.
    pub(super) marks: usize,
}

/// When a change was last heard of, in microseconds of the run's clock, and how many gaps there had been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    changed_us: u64,
    gaps: usize,
}

pub(super) struct Coordinator<'w> {
    run: Arc<Run>,
    listening: Listening,
    comparer: Option<Arc<dyn Comparer>>,
    /// Nodes of which nothing can be on the target yet.
    untouched: Vec<Node>,
    /// Expiries that comparisons found equal differ by no more than this.
    compared_ttl_error: Duration,
    watch: &'w Watch,
    began: Instant,
    orders: Orders,
    /// Ends by itself when nobody has written for so long.
    until_quiet: Option<Duration>,
    /// What somebody waits for.
    wanted: Option<Wanted>,
    /// Making sure of it, and what had been heard when that began.
    attempt: Option<(Heard, JoinHandle<Attempted>)>,
    /// An earlier process of this sync may have followed the nodes that are taken up now.
    resumed: bool,
    /// Whether lanes may carry.
    released: tokio::sync::watch::Sender<bool>,
    target_memory: Arc<Mutex<Vec<TargetMemory>>>,
    follow: Follow,
    layout: Topology,
    nodes: BTreeMap<Node, Followee>,
    /// How many were followed, those that left and came back counted each time.
    numbers: u64,
    /// What those that are not followed any more came to.
    past: Counts,
    told: hearing::Told,
    news: mpsc::UnboundedReceiver<(Following, News)>,
    /// Whoever watches how both sides are.
    guards: JoinSet<()>,
    lanes: JoinSet<(Following, LaneEnd)>,
    /// What expiries may differ by; nothing when a node could not be asked for its counters.
    comparisons: JoinSet<(Following, Result<Option<Duration>, client::Error>)>,
}

impl<'w> Coordinator<'w> {
    pub(super) fn new(
        run: Arc<Run>,
        listening: Listening,
        layout: Topology,
        watch: &'w Watch,
        steered: Steered,
    ) -> Coordinator<'w> {
        let (told, news) = mpsc::unbounded_channel();
        Coordinator {
            run,
            listening,
            comparer: None,
            untouched: Vec::new(),
            compared_ttl_error: Duration::ZERO,
            watch,
            began: Instant::now(),
            orders: steered.0,
            until_quiet: None,
            wanted: None,
            attempt: None,
            resumed: false,
            released: tokio::sync::watch::Sender::new(true),
            target_memory: Arc::default(),
            follow: Follow::default(),
            layout,
            nodes: BTreeMap::new(),
            numbers: 0,
            past: Counts::default(),
            told,
            news,
            guards: JoinSet::new(),
            lanes: JoinSet::new(),
            comparisons: JoinSet::new(),
        }
    }

    /// What a gap is healed with, and the nodes of which nothing can be on the target yet.
    pub(super) fn compares(&mut self, comparer: Option<Arc<dyn Comparer>>, untouched: Vec<Node>) {
        (self.comparer, self.untouched) = (comparer, untouched);
    }

    /// Expiries that comparisons found equal differ by no more than this.
    pub(super) fn compared_ttl_error(&self) -> Duration {
        self.compared_ttl_error
    }

    /// Ends by itself when nobody has written for so long and both sides are equal.
    pub(super) fn ends_when_quiet(&mut self, quiet: Duration) {
        self.until_quiet = Some(quiet);
    }

    /// It goes on with what an earlier process began.
    pub(super) fn resumes(&mut self) {
        self.resumed = true;
    }

    /// Nothing is carried or compared before it is released.
    pub(super) fn holds(&mut self) {
        self.released.send_replace(false);
    }

    pub(super) async fn follow(&mut self) -> SyncEnd {
        let mut beside = JoinSet::new();
        beside.spawn(watching::target_memory(Arc::clone(&self.run), Arc::clone(&self.target_memory)));
        self.take_up_nodes();
        self.resumed = false;
        self.guards = guardian::watch(&self.run, self.layout.primaries().iter());
        let mut tick = tokio::time::interval(TICK);
        let mut layout_at = Instant::now() + LAYOUT_EVERY;
        loop {
            tokio::select! {
                Some(order) = self.orders.recv() => self.obey(order),
                Some((following, news)) = self.news.recv() => {
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
                    self.guards = guardian::watch(&self.run, self.layout.primaries().iter());
                }
            }
            self.take_up_lost();
            if self.run.fence.take_replaced() {
                // What was acknowledged there before may be lost.
                let nodes: Vec<Node> = self.nodes.keys().cloned().collect();
                nodes
                    .iter()
                    .for_each(|node| self.happened(node, Happened::GapOpened(GapReason::OtherTarget)));
            }
            self.pass_on_marks();
            if *self.released.borrow() {
                self.begin_comparisons();
            }
            self.watch.show(self.status(), self.queues().map(Arc::clone).collect());
            match self.make_sure().await {
                Ok(false) => {}
                Ok(true) => return SyncEnd::Ready,
                Err(halt) => return SyncEnd::Halted(halt),
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Settle(wanted) => {
                self.give_up_attempt();
                self.wanted = Some(wanted);
            }
            Order::Release { equal } => {
                if !self.released.send_replace(true) && equal {
                    let nodes: Vec<Node> = self.nodes.keys().cloned().collect();
                    nodes.iter().for_each(|node| self.happened(node, Happened::KnownEqual));
                }
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
        let began = self.began;
        let Some(followee) = self.followee(following) else { return Ok(()) };
        match news {
            News::Unheard(error) if error.recovery() == Recovery::Operator && !followee.voices.is_heard() => {
                return Err(Halt::Side(error));
            }
            News::Unheard(error) => followee.unheard = Some(error),
            News::Happened(happened) => self.happened(&following.node, happened),
            News::Heard { voice, since, process } => {
                followee.unheard_since = None;
                let is_other = followee.process.is_some() && process.is_some() && followee.process != process;
                // Its lanes may still read from the old one.
                followee.is_lost |= is_other;
                followee.process = process.clone().or(followee.process.take());
                if let Some(happened) = followee.voices.heard(voice, us_since(began, since), process) {
                    self.happened(&following.node, happened);
                }
            }
            News::Lost { voice, proven } => {
                let happened = followee.voices.lost(voice, us_since(began, proven));
                if !followee.voices.is_heard() {
                    followee.unheard_since.get_or_insert_with(Instant::now);
                }
                if let Some(happened) = happened {
                    self.happened(&following.node, happened);
                }
            }
            News::Counted { look, asked } => {
                if let Some(writes) = look.writes {
                    followee.writes.saw(us_since(began, asked), writes);
                }
                match look.said {
                    Said::Nothing | Said::Failed => {}
                    Said::Groups => followee.groups.notify_one(),
                    Said::Unseen => self.happened(&following.node, Happened::GapOpened(GapReason::Unseen)),
                }
            }
        }
        Ok(())
    }

    fn compared(&mut self, following: &Following, ended: Result<Option<Duration>, client::Error>) {
        if self.followee(following).is_none() {
            return;
        }
        match ended {
            Ok(None) => self.happened(&following.node, Happened::ComparisonFailed),
            Ok(Some(ttl_error)) => {
                self.compared_ttl_error = self.compared_ttl_error.max(ttl_error);
                self.happened(&following.node, Happened::ComparisonEnded);
            }
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
        let budget = self.listening.marks / (current.len() * self.run.naming.source_dbs().count()).max(1);
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
        self.happened(&node, if self.resumed { Happened::NodeReturned } else { Happened::NodeAppeared });
        self.numbers += 1;
        let following = Following { node: node.clone(), number: self.numbers };
        let dbs = self.run.naming.source_dbs();
        let queues: Vec<_> = dbs.map(|db| Queue::new(db, self.began, budget)).collect();
        let (witness, groups) = (SharedWitness::default(), Arc::<tokio::sync::Notify>::default());
        let (run, told, feed) = (&self.run, &self.told, self.listening.feed);
        let counting =
            watching::counters(Arc::clone(run), following.clone(), feed, Arc::clone(&witness), told.clone());
        let grouping = watching::groups(
            Arc::clone(run),
            following.clone(),
            queues.clone(),
            Arc::clone(&groups),
            told.clone(),
        );
        let mut tasks = vec![tokio::spawn(counting).abort_handle(), tokio::spawn(grouping).abort_handle()];
        let mut barriers = Vec::new();
        for voice in 0..self.listening.feeds {
            let (ask, asked) = mpsc::unbounded_channel();
            barriers.push(ask);
            let hearing = Hearing {
                endpoint: run.source.clone(),
                following: following.clone(),
                voice,
                kind: feed,
                queues: queues.clone(),
                told: told.clone(),
                barriers: asked,
            };
            tasks.push(tokio::spawn(hearing.listen()).abort_handle());
        }
        let clustered = matches!(self.layout, Topology::Cluster(_));
        let mut lanes = Vec::new();
        for queue in &queues {
            let status = lane_status(following.node.clone(), queue.db());
            lanes.push(Arc::clone(&status));
            let (run, queue, following) = (Arc::clone(&self.run), Arc::clone(queue), following.clone());
            let mut released = self.released.subscribe();
            tasks.push(self.lanes.spawn(async move {
                // An error means that the coordinator is gone, and this task with it.
                let _ = released.wait_for(|released| *released).await;
                let end = carry(run, status, queue, clustered).await;
                (following, end)
            }));
        }
        let followee = Followee {
            number: following.number,
            queues,
            voices: Voices::new(self.listening.feeds),
            barriers,
            witness,
            groups,
            unheard_since: Some(Instant::now()),
            unheard: None,
            process: None,
            writes: Writes::default(),
            is_lost: false,
            lanes,
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
        let due = self.follow.to_compare();
        let is_due = |node: &&Node| due.iter().any(|name| *name == node.to_string());
        let due: Vec<Node> = self.nodes.keys().filter(is_due).cloned().collect();
        for node in due {
            // What the lanes carried is no more exact than they say.
            let ttl_tolerance = Duration::from_millis(self.run.ttl_error_ms().into());
            let untouched = self.untouched.iter().position(|other| *other == node);
            let comparison = match untouched.map(|place| self.untouched.swap_remove(place)) {
                Some(_) => None,
                None => self.comparer.as_ref().map(|comparer| comparer.begin(ttl_tolerance)),
            };
            let Some(followee) = self.nodes.get_mut(&node) else { continue };
            followee.queues.iter().for_each(|queue| queue.lacking().clear());
            let following = Following { node: node.clone(), number: followee.number };
            let (run, queues, layout) = (Arc::clone(&self.run), followee.queues.clone(), self.layout.clone());
            let (witness, told, feed) =
                (Arc::clone(&followee.witness), self.told.clone(), self.listening.feed);
            followee.tasks.retain(|task| !task.is_finished());
            followee.tasks.push(self.comparisons.spawn(async move {
                let node = &following.node;
                // What the counters tell from now on happened after the comparison began.
                if watching::look(&run, &following, feed, &witness, &told).await.said == Said::Failed {
                    return (following, Ok(None));
                }
                let owns =
                    |key: &[u8]| layout.owner(key).is_some_and(|owner| layout.primaries()[owner] == *node);
                let ended = comparing::node(&run, node, &queues, owns, comparison).await.map(Some);
                (following, ended)
            }));
            self.happened(&node, Happened::ComparisonBegan);
        }
    }

    pub(super) fn queues(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.nodes.values().flat_map(|followee| &followee.queues)
    }
}

fn us_since(began: Instant, moment: Instant) -> u64 {
    moment.saturating_duration_since(began).as_micros() as u64
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
