//! The coordinator of a live sync: who is followed, what is compared, when both sides are equal.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client::{FeedKind, Node, Recovery, Side, Topology};
use migration::follow::{Facts, Follow, GapReason, Happened, Phase, Voices, conditions};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::attempt::{Attempt, Attempted, Part};
use super::comparing;
use super::followee::{Counts, Followee, Following, Writes, carry};
use super::hearing::{self, Hearing, News};
use super::queue::{Numbers, Queue};
use super::status::{Followed, SyncEnd, SyncStatus, TargetMemory, Watch};
use super::steering::{Equal, Order, Orders, Steered, Wanted};
use super::watching::{self, SharedWitness};
use super::witness::Said;
use crate::comparer::Comparer;
use crate::guardian;
use crate::lane::LaneEnd;
use crate::run::{Run, lock};
use crate::stop::Halt;

/// How often the coordinator looks around.
const TICK: Duration = Duration::from_millis(100);

/// How long keys that are on their way may take at the end.
const REST_WITHIN: Duration = Duration::from_secs(5);

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
        self.wanted = Some(Wanted { quiet, since: None, ends: true, answer: None });
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
        for queue in &queues {
            let (run, queue, following) = (Arc::clone(&self.run), Arc::clone(queue), following.clone());
            let mut released = self.released.subscribe();
            tasks.push(self.lanes.spawn(async move {
                // An error means that the coordinator is gone, and this task with it.
                let _ = released.wait_for(|released| *released).await;
                let end = carry(run, following.node.clone(), queue, clustered).await;
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
            followee.queues.iter().for_each(|queue| queue.incompatible().clear());
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

    /// When a change was last heard of, and how often it was not known what changed.
    fn heard(&self) -> Heard {
        let changed_us = self.queues().map(|queue| queue.changed_us()).max().unwrap_or(0);
        Heard { changed_us: changed_us.max(self.past.changed_us), gaps: self.follow.gaps().len() }
    }

    /// For how long nobody has written to the source, in microseconds: no feed told a change, or, since keys also expire,
    /// no counter of a command that writes has risen. Nobody knows it of the time before a gap was healed.
    fn quiet_us(&self) -> u64 {
        let now_us = self.now_us();
        let healed_us =
            self.follow.gaps().iter().map(|gap| gap.healed_us.unwrap_or(u64::MAX)).max().unwrap_or(0);
        let silent_us = now_us.saturating_sub(self.heard().changed_us);
        let counted_us = self.nodes.values().map(|followee| followee.writes.still_us()).min().unwrap_or(0);
        silent_us.max(counted_us).min(now_us.saturating_sub(healed_us))
    }

    fn is_followed(&self) -> bool {
        self.follow.phase() == Phase::Following
    }

    /// Makes sure, beside everything else, that both sides are equal, if somebody waits for that. `true`: they are, and the
    /// sync is to end.
    async fn make_sure(&mut self) -> Result<bool, Halt> {
        let Some(wanted) = &self.wanted else { return Ok(false) };
        let gaps = self.follow.gaps().len();
        if wanted.is_given_up() || wanted.since.is_some_and(|since| since.gaps != gaps) {
            self.wanted = None;
            self.give_up_attempt();
            return Ok(false);
        }
        match self.attempt.take() {
            None => {
                if self.is_followed() && u128::from(self.quiet_us()) >= wanted.quiet.as_micros() {
                    self.attempt = Some((self.heard(), tokio::spawn(self.attempt().succeeds())));
                }
                Ok(false)
            }
            Some((heard, attempt)) if attempt.is_finished() => {
                let attempted = attempt.await.unwrap_or(Attempted::Failed);
                self.judge(heard, attempted).await
            }
            Some((heard, attempt)) => {
                // A gap came meanwhile.
                match heard.gaps == gaps {
                    true => self.attempt = Some((heard, attempt)),
                    false => attempt.abort(),
                }
                Ok(false)
            }
        }
    }

    fn attempt(&self) -> Attempt {
        let part = |(node, followee): (&Node, &Followee)| Part {
            following: Following { node: node.clone(), number: followee.number },
            queues: followee.queues.clone(),
            barriers: followee.voices.speaking().map(|voice| followee.barriers[voice].clone()).collect(),
            witness: Arc::clone(&followee.witness),
        };
        Attempt {
            run: Arc::clone(&self.run),
            feed: self.listening.feed,
            told: self.told.clone(),
            parts: self.nodes.iter().map(part).collect(),
        }
    }

    /// An attempt has ended: what was told until then counts before it does.
    async fn judge(&mut self, before: Heard, attempted: Attempted) -> Result<bool, Halt> {
        while let Ok((following, news)) = self.news.try_recv() {
            self.told(&following, news)?;
        }
        let heard = self.heard();
        let Attempted::Equal { writes } = attempted else {
            // Whoever wants that nothing has changed since a moment does not wait for another one.
            self.wanted.take_if(|wanted| wanted.since.is_some());
            return Ok(false);
        };
        // Where nobody counts what writes, nothing at all may have been heard.
        let is_still = heard.gaps == before.gaps && (writes.is_some() || heard == before);
        if !is_still || !self.is_followed() {
            return Ok(false);
        }
        let equal = Equal { writes: writes.unwrap_or(heard.changed_us), gaps: heard.gaps };
        let Some(Wanted { ends, answer, since, .. }) = self.wanted.take() else { return Ok(false) };
        if since.is_some_and(|since| since != equal) {
            return Ok(false);
        }
        if ends && !self.comes_to_rest().await {
            return Ok(false);
        }
        // Whoever does not listen any more does not want it to end.
        let is_heard = answer.is_none_or(|answer| answer.send(equal).is_ok());
        self.queues().for_each(|queue| queue.pause(ends && is_heard));
        Ok(ends && is_heard)
    }

    /// Lets no more keys be carried, and waits until none is on its way: what is written to the target after the end is
    /// not redferry's. `false`: it takes too long, and everything goes on.
    async fn comes_to_rest(&self) -> bool {
        self.queues().for_each(|queue| queue.pause(true));
        let until = Instant::now() + REST_WITHIN;
        while !self.queues().all(|queue| queue.is_idle()) {
            if Instant::now() > until {
                self.queues().for_each(|queue| queue.pause(false));
                return false;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        true
    }

    fn give_up_attempt(&mut self) {
        if let Some((_, attempt)) = self.attempt.take() {
            attempt.abort();
        }
    }

    pub(super) fn status(&self) -> SyncStatus {
        let followed = |(node, followee): (&Node, &Followee)| {
            let settled = |queue: &Arc<Queue>| {
                let numbers = queue.numbers();
                let settled = [&numbers.carried, &numbers.removed, &numbers.equal];
                settled.iter().map(|number| number.load(Ordering::Relaxed)).sum::<u64>()
            };
            let sum = |number: &dyn Fn(&Numbers) -> &AtomicU64| {
                followee.queues.iter().map(|queue| number(queue.numbers()).load(Ordering::Relaxed)).sum()
            };
            let loads: Vec<_> = followee.queues.iter().map(|queue| queue.load()).collect();
            Followed {
                node: node.clone(),
                dirty: loads.iter().map(|(dirty, _)| *dirty as u64).sum(),
                lag_us: loads.iter().map(|(_, lag_us)| *lag_us).max().unwrap_or(0),
                settled: followee.queues.iter().map(settled).sum(),
                heard: followee.unheard_since.is_none(),
                listed: sum(&|numbers| &numbers.listed),
                expected: sum(&|numbers| &numbers.expected),
            }
        };
        let mut counts = self.past.clone();
        self.queues().for_each(|queue| counts.add(queue));
        let nodes: Vec<Followed> = self.nodes.iter().map(followed).collect();
        let (dirty, quiet_us) = (nodes.iter().map(|node| node.dirty).sum(), self.quiet_us());
        let facts = Facts {
            dirty,
            lag_us: nodes.iter().map(|node| node.lag_us).max().unwrap_or(0),
            quiet: self
                .wanted
                .as_ref()
                .is_some_and(|wanted| u128::from(quiet_us) >= wanted.quiet.as_micros()),
        };
        SyncStatus {
            phase: self.follow.phase(),
            nodes,
            changes: counts.changes,
            carried: counts.carried,
            removed: counts.removed,
            refused: counts.refused,
            incompatible: self.queues().map(|queue| queue.incompatible().count()).sum(),
            gaps: self.follow.gaps().to_vec(),
            target_memory: lock(&self.target_memory).clone(),
            conditions: conditions(&self.follow, &facts),
            quiet_us,
            writes_per_sec: self.nodes.values().map(|followee| followee.writes.per_sec()).sum(),
            elapsed: self.began.elapsed(),
        }
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
