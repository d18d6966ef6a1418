//! One redferry: the coordinator of a live sync and everything that works for it, as the engine's `follow` does it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use migration::follow::{Facts, Follow, GapReason, Happened, Phase, conditions};

use super::attempt::{Attempt, Moment};
use super::comparing::{Comparison, Groups, Listed};
use super::hearing::{Hearing, Told};
use super::lane::Lane;
use super::outside::Outside;
use super::queue::Queue;
use super::rules::Rule;
use super::source::{Address, KEYS, Layout};

/// What the counters of a node say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    Nothing,
    /// They could not be asked.
    Failed,
    Groups,
    Unseen,
}

#[derive(Debug)]
pub enum News {
    Happened(Happened),
    Counted(Said),
}

/// A node that is followed.
#[derive(Debug)]
pub struct Followee {
    pub number: u64,
    pub lanes: Vec<Lane>,
    pub hearing: Hearing,
    pub comparison: Option<Comparison>,
    /// Its streams are being listed, or are to be.
    pub groups: Option<Groups>,
    pub groups_wanted: bool,
    /// The counters as they were last seen.
    pub seen: Option<[u64; 2]>,
    is_heard: bool,
    /// A lane of it has given up.
    pub is_lost: bool,
    /// What such a lane leaves behind at the target.
    unfenced: Vec<u32>,
    /// Only without the rules: it is not compared after a crash; it was compared before it was heard.
    skips_comparison: bool,
    compared_early: bool,
}

impl Followee {
    /// A look at the counters.
    pub fn look(&mut self, address: Address, out: &mut Outside) -> Said {
        if !out.holds(Rule::CountsTheUnseen) {
            return Said::Nothing;
        }
        let Some(now) = out.calls(address) else { return Said::Failed };
        let said = match self.seen.replace(now) {
            Some(before) if before[1] != now[1] => Said::Unseen,
            Some(before) if before[0] != now[0] => Said::Groups,
            _ => Said::Nothing,
        };
        if said != Said::Nothing {
            out.say(|| format!("the counters of node {address} say {said:?}"));
        }
        said
    }
}

/// How an engine is begun.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub budget: usize,
    pub quiet_us: u64,
}

#[derive(Debug)]
pub struct Engine {
    plan: Plan,
    pub follow: Follow,
    pub layout: Layout,
    pub nodes: BTreeMap<Address, Followee>,
    numbers: u64,
    pub news: VecDeque<(Address, u64, News)>,
    compared: VecDeque<(Address, u64, bool)>,
    pub attempt: Option<Attempt>,
    /// Those that are not followed any more changed last then.
    past_changed_us: u64,
    resumed: bool,
}

impl Engine {
    pub fn begin(plan: Plan, resumed: bool, out: &mut Outside) -> Engine {
        if resumed && out.holds(Rule::FencesOnTakeover) {
            out.target.fence_all();
        }
        let mut engine = Engine {
            plan,
            follow: Follow::default(),
            layout: out.source.owner,
            nodes: BTreeMap::new(),
            numbers: 0,
            news: VecDeque::new(),
            compared: VecDeque::new(),
            attempt: None,
            past_changed_us: out.now_us,
            resumed,
        };
        engine.take_up_nodes(out);
        engine
    }

    /// Nothing that it knew is left; what it sent to the target still is on its way.
    pub fn crash(&mut self, out: &mut Outside) {
        for followee in self.nodes.values_mut() {
            followee.lanes.iter_mut().for_each(|lane| _ = lane.abandoned(out));
            out.source.feeds.remove(&followee.hearing.feed);
        }
    }

    fn happened(&mut self, address: Address, happened: Happened, out: &mut Outside) {
        out.say(|| format!("node {address}: {happened:?}"));
        self.follow.handle(out.now_us, &address.to_string(), happened);
    }

    // What works beside the coordinator.

    pub fn hear(&mut self, out: &mut Outside) -> bool {
        let Some((address, followee)) = out.random.of(self.nodes.iter_mut()) else { return false };
        let (address, number) = (*address, followee.number);
        let Some(told) = followee.hearing.act(address, &mut followee.lanes, out) else { return false };
        for told in told {
            match told {
                Told::Happened(happened) => self.news.push_back((address, number, News::Happened(happened))),
                Told::Passed(barrier) => {
                    self.attempt.iter_mut().for_each(|attempt| attempt.passed(address, barrier));
                }
                Told::Dropped(barrier) => {
                    self.attempt.iter_mut().for_each(|attempt| attempt.dropped(barrier))
                }
            }
        }
        true
    }

    /// # Errors
    /// A key is handed out twice.
    pub fn carry(&mut self, out: &mut Outside) -> Result<bool, String> {
        let Some((address, followee)) = out.random.of(self.nodes.iter_mut()) else { return Ok(false) };
        if followee.is_lost {
            return Ok(false);
        }
        match out.random.of(followee.lanes.iter_mut()) {
            Some(lane) => lane.act(*address, out),
            None => Ok(false),
        }
    }

    pub fn compare(&mut self, out: &mut Outside) -> bool {
        let Some((address, followee)) = out.random.of(self.nodes.iter_mut()) else { return false };
        let (address, number) = (*address, followee.number);
        let Some(mut comparison) = followee.comparison.take() else { return false };
        if !comparison.has_looked {
            // What the counters tell from now on happened after the comparison began.
            let said = followee.look(address, out);
            self.news.push_back((address, number, News::Counted(said)));
            comparison.has_looked = true;
            if said == Said::Failed && out.holds(Rule::KnowsFailedLooks) {
                self.compared.push_back((address, number, false));
            } else {
                followee.comparison = Some(comparison);
            }
            return true;
        }
        let listed = comparison.step(address, &mut followee.lanes, out);
        match listed {
            Listed::All if comparison.early && !followee.is_heard => followee.compared_early = true,
            Listed::All | Listed::Failed => {
                self.compared.push_back((address, number, listed == Listed::All));
            }
            Listed::Some | Listed::Nothing => followee.comparison = Some(comparison),
        }
        listed != Listed::Nothing
    }

    pub fn count(&mut self, out: &mut Outside) -> bool {
        let Some((address, followee)) = out.random.of(self.nodes.iter_mut()) else { return false };
        let said = followee.look(*address, out);
        let tells = !matches!(said, Said::Nothing | Said::Failed);
        if tells {
            self.news.push_back((*address, followee.number, News::Counted(said)));
        }
        tells
    }

    pub fn list_groups(&mut self, out: &mut Outside) -> bool {
        let Some((address, followee)) = out.random.of(self.nodes.iter_mut()) else { return false };
        if followee.groups.is_none() && std::mem::take(&mut followee.groups_wanted) {
            followee.groups = Some(Groups::default());
        }
        let Some(mut groups) = followee.groups.take() else { return false };
        let listed = groups.step(*address, &mut followee.lanes, out);
        match listed {
            Listed::Failed => {
                self.news.push_back((*address, followee.number, News::Counted(Said::Unseen)));
            }
            Listed::All => {}
            Listed::Some | Listed::Nothing => followee.groups = Some(groups),
        }
        listed != Listed::Nothing
    }

    pub fn attempt(&mut self, out: &mut Outside) -> bool {
        let Some(attempt) = &mut self.attempt else { return false };
        let Some(said) = attempt.step(&mut self.nodes, out) else { return false };
        for (address, number, said) in said {
            self.news.push_back((address, number, News::Counted(said)));
        }
        true
    }

    /// A lane gives up.
    pub fn loses_lane(&mut self, out: &mut Outside) -> Option<String> {
        let (address, followee) = out.random.of(self.nodes.iter_mut())?;
        followee.is_lost = true;
        for lane in &mut followee.lanes {
            followee.unfenced.extend(lane.abandoned(out));
        }
        Some(format!("the lanes of node {address} give up"))
    }

    /// A connection breaks.
    pub fn breaks(&mut self, side: usize, out: &mut Outside) -> Option<String> {
        let (address, followee) = out.random.of(self.nodes.iter_mut())?;
        if side == 0
            && out.random.percent(20)
            && let Some(comparison) = &mut followee.comparison
        {
            comparison.breaks();
            return Some(format!("the connection of the comparison of node {address} breaks"));
        }
        out.random.of(followee.lanes.iter_mut())?.breaks(side, out)
    }

    // The coordinator.

    /// One round: whether it changed anything, and the attempt that has shown that both sides are equal.
    pub fn coordinate(&mut self, out: &mut Outside) -> (bool, Option<Attempt>) {
        let stands = |engine: &Engine| {
            let comparisons = engine.nodes.values().filter(|followee| followee.comparison.is_some()).count();
            let waiting = (engine.news.len(), engine.compared.len());
            (waiting, comparisons, engine.follow.gaps().len(), engine.layout, engine.attempt.is_some())
        };
        let before = stands(self);
        match out.random.below(3) {
            0 => {
                if let Some(news) = self.news.pop_front() {
                    self.told(news, out);
                }
            }
            1 => {
                if let Some(compared) = self.compared.pop_front() {
                    self.compared(compared, out);
                }
            }
            _ => {}
        }
        if out.source.clustered && (out.random.percent(20) || self.nodes.values().any(|node| node.is_lost)) {
            self.ask_for_layout(out);
        }
        self.take_up_lost(out);
        self.pass_on_marks(out);
        self.begin_comparisons(out);
        let ready = self.make_sure(out);
        (stands(self) != before, ready)
    }

    fn followee(&mut self, address: Address, number: u64) -> Option<&mut Followee> {
        self.nodes.get_mut(&address).filter(|followee| followee.number == number)
    }

    fn told(&mut self, (address, number, news): (Address, u64, News), out: &mut Outside) {
        let Some(followee) = self.followee(address, number) else { return };
        match news {
            News::Happened(Happened::FeedHeard { process }) => {
                followee.is_heard = true;
                let early = followee.comparison.as_ref().is_some_and(|comparison| comparison.early);
                let compared_early = std::mem::take(&mut followee.compared_early);
                self.happened(address, Happened::FeedHeard { process }, out);
                if early || compared_early {
                    self.happened(address, Happened::ComparisonBegan, out);
                }
                if compared_early {
                    self.happened(address, Happened::ComparisonEnded, out);
                }
            }
            News::Happened(Happened::FeedLost) => {
                followee.is_heard = false;
                if out.holds(Rule::ComparesAfterLostFeed) {
                    self.happened(address, Happened::FeedLost, out);
                }
            }
            News::Happened(happened) => self.happened(address, happened, out),
            News::Counted(Said::Nothing | Said::Failed) => {}
            News::Counted(Said::Groups) => followee.groups_wanted = true,
            News::Counted(Said::Unseen) => {
                self.happened(address, Happened::GapOpened(GapReason::Unseen), out);
            }
        }
    }

    fn compared(&mut self, (address, number, whole): (Address, u64, bool), out: &mut Outside) {
        if self.followee(address, number).is_some() {
            let ended = if whole { Happened::ComparisonEnded } else { Happened::ComparisonFailed };
            self.happened(address, ended, out);
        }
    }

    fn take_up_nodes(&mut self, out: &mut Outside) {
        let current: BTreeSet<Address> = self.layout.into_iter().collect();
        let left: Vec<Address> = self.nodes.keys().filter(|node| !current.contains(node)).copied().collect();
        left.into_iter().for_each(|node| self.leave(node, out));
        for node in current {
            if !self.nodes.contains_key(&node) {
                self.take_up(node, out);
            }
        }
    }

    fn leave(&mut self, address: Address, out: &mut Outside) {
        if let Some(mut followee) = self.nodes.remove(&address) {
            out.source.feeds.remove(&followee.hearing.feed);
            for lane in &mut followee.lanes {
                self.past_changed_us = self.past_changed_us.max(lane.queue.changed_us);
                followee.unfenced.extend(lane.abandoned(out));
            }
            if out.holds(Rule::FencesAbandonedLanes) {
                followee.unfenced.iter().for_each(|connection| out.target.fence(*connection));
            }
        }
        self.happened(address, Happened::NodeLeft, out);
    }

    fn take_up(&mut self, address: Address, out: &mut Outside) {
        self.happened(address, Happened::NodeAppeared, out);
        if self.resumed {
            self.happened(address, Happened::GapOpened(GapReason::Restart), out);
        }
        self.numbers += 1;
        let early = !out.holds(Rule::HearsBeforeComparing);
        let followee = Followee {
            number: self.numbers,
            lanes: (0..out.source.dbs).map(|db| Lane::new(Queue::new(db, self.plan.budget))).collect(),
            hearing: Hearing::new(),
            comparison: early.then(|| Comparison::new(self.owned(address), true)),
            groups: None,
            groups_wanted: false,
            seen: None,
            is_heard: false,
            is_lost: false,
            unfenced: Vec::new(),
            skips_comparison: self.resumed && !out.holds(Rule::ComparesAfterCrash),
            compared_early: false,
        };
        self.nodes.insert(address, followee);
    }

    fn owned(&self, address: Address) -> Vec<u8> {
        (0..KEYS).filter(|key| self.layout[*key as usize] == address).collect()
    }

    /// Begins anew with nodes whose lanes gave up, as soon as they are heard again.
    fn take_up_lost(&mut self, out: &mut Outside) {
        let lost = self.nodes.iter().filter(|(_, followee)| followee.is_lost && followee.is_heard);
        let lost: Vec<Address> = lost.map(|(address, _)| *address).collect();
        if !lost.is_empty() {
            lost.into_iter().for_each(|address| self.leave(address, out));
            self.take_up_nodes(out);
        }
    }

    fn ask_for_layout(&mut self, out: &mut Outside) {
        let layout = out.source.owner;
        if layout == self.layout {
            return;
        }
        out.say(|| format!("the layout is {layout:?} now"));
        let changed = layout.iter().zip(self.layout).filter(|(is, was)| **is != *was);
        let grown: BTreeSet<Address> = changed.map(|(is, _)| *is).collect();
        self.layout = layout;
        self.take_up_nodes(out);
        for address in grown {
            self.happened(address, Happened::GapOpened(GapReason::Unseen), out);
        }
    }

    /// Marks of keys that moved go to the node that has them; marks that were given up become a gap.
    fn pass_on_marks(&mut self, out: &mut Outside) {
        let (mut overflowed, mut left) = (Vec::new(), Vec::new());
        for (address, followee) in &mut self.nodes {
            for (db, lane) in followee.lanes.iter_mut().enumerate() {
                if lane.queue.take_overflow() {
                    overflowed.push(*address);
                }
                left.extend(lane.queue.left.drain(..).map(|key| (*address, db, key)));
            }
        }
        for (address, db, key) in left {
            let owner = self.layout[key as usize];
            let heir = if self.nodes.contains_key(&owner) { owner } else { address };
            if let Some(followee) = self.nodes.get_mut(&heir) {
                followee.lanes[db].queue.suspect(key, out);
            }
        }
        if !out.holds(Rule::RemembersOverflow) {
            return;
        }
        for address in overflowed {
            self.happened(address, Happened::GapOpened(GapReason::Overflow), out);
        }
    }

    fn begin_comparisons(&mut self, out: &mut Outside) {
        let due: Vec<Address> =
            self.follow.to_compare().iter().filter_map(|node| node.parse().ok()).collect();
        for address in due {
            let owned = self.owned(address);
            let Some(followee) = self.nodes.get_mut(&address) else { continue };
            if out.holds(Rule::RereadsForComparison) {
                followee.lanes.iter_mut().for_each(|lane| lane.queue.mark_in_flight(out.now_us));
            }
            let skips = std::mem::take(&mut followee.skips_comparison);
            followee.comparison = (!skips).then(|| Comparison::new(owned, false));
            self.happened(address, Happened::ComparisonBegan, out);
            if skips {
                self.happened(address, Happened::ComparisonEnded, out);
            }
        }
    }

    pub fn queues(&self) -> impl Iterator<Item = &Queue> {
        self.nodes.values().flat_map(|followee| &followee.lanes).map(|lane| &lane.queue)
    }

    fn moment(&self) -> Moment {
        let changed_us = self.queues().map(|queue| queue.changed_us).max().unwrap_or(0);
        Moment { changed_us: changed_us.max(self.past_changed_us), gaps: self.follow.gaps().len() }
    }

    fn quiet_us(&self, now_us: u64) -> u64 {
        let healed_us = self.follow.gaps().iter().map(|gap| gap.healed_us.unwrap_or(u64::MAX)).max();
        now_us.saturating_sub(self.moment().changed_us.max(healed_us.unwrap_or(0)))
    }

    fn is_carried(&self) -> bool {
        self.follow.phase() == Phase::Following && self.queues().all(Queue::is_empty)
    }

    fn make_sure(&mut self, out: &mut Outside) -> Option<Attempt> {
        let Some(attempt) = self.attempt.take() else {
            if self.is_carried() && self.quiet_us(out.now_us) >= self.plan.quiet_us {
                out.say(|| "everything is carried and quiet".into());
                let parts =
                    self.nodes.iter().map(|(address, followee)| (*address, followee.number)).collect();
                self.attempt = Some(Attempt::new(self.moment(), parts, out));
            }
            return None;
        };
        let Some(succeeded) = attempt.ended() else {
            self.attempt = Some(attempt);
            return None;
        };
        // What was told until then counts before it does.
        while let Some(news) = self.news.pop_front() {
            self.told(news, out);
        }
        let is_ready = succeeded && self.moment() == attempt.since && self.is_carried();
        out.say(|| format!("the attempt has ended: {succeeded}, ready: {is_ready}"));
        is_ready.then_some(attempt)
    }

    /// Conditions that are not met, as they are shown to people.
    pub fn unmet(&self, now_us: u64) -> Vec<&'static str> {
        let facts = Facts {
            dirty: self.queues().map(|queue| queue.marked() as u64).sum(),
            lag_us: self.queues().map(|queue| queue.lag_us(now_us)).max().unwrap_or(0),
            quiet: true,
        };
        let conditions = conditions(&self.follow, &facts);
        conditions.iter().filter(|condition| !condition.met).map(|condition| condition.name).collect()
    }
}
