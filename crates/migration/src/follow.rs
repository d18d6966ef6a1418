//! Where a live sync stands: which nodes are followed, which gaps are open, and whether it may be cut over.
//!
//! A node is *whole* when its feed has been heard without interruption since before the last complete comparison of its
//! keys began. Everything else is a gap (design rule R7): the time before the first comparison, a lost connection,
//! another process behind the address, FLUSHALL, marks that were given up. Each of them heals in the same way, by a
//! comparison of the node's keys with the target's, in both directions, that begins after the feed is heard
//! again. So the snapshot at the beginning is nothing special: it heals the first gap.
//!
//! A node may have several feeds; what the loss of one of them means is decided by [`Voices`].

mod voices;

use std::collections::BTreeMap;

pub use voices::Voices;

/// Why it is not known what changed on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GapReason {
    /// It was never compared.
    Beginning,
    /// This process was not running for a while.
    Restart,
    /// The feed's connection was lost or cut off.
    FeedLost,
    /// Another process answers at the node's address: a restart or a failover, which may have lost writes.
    OtherProcess,
    /// Another process answers at a node of the target, which may have lost what was acknowledged there.
    OtherTarget,
    /// The server says that every key may have changed: FLUSHALL, FLUSHDB, a full resynchronisation.
    Everything,
    /// More keys changed than there was room for.
    Overflow,
    /// What the feed cannot see has happened, such as SWAPDB.
    Unseen,
}

impl GapReason {
    /// All of them.
    pub const ALL: [GapReason; 8] = [
        GapReason::Beginning,
        GapReason::Restart,
        GapReason::FeedLost,
        GapReason::OtherProcess,
        GapReason::OtherTarget,
        GapReason::Everything,
        GapReason::Overflow,
        GapReason::Unseen,
    ];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            GapReason::Beginning => "beginning",
            GapReason::Restart => "restart",
            GapReason::FeedLost => "feed_lost",
            GapReason::OtherProcess => "other_process",
            GapReason::OtherTarget => "other_target_process",
            GapReason::Everything => "everything_changed",
            GapReason::Overflow => "too_many_changes",
            GapReason::Unseen => "unseen_by_the_feed",
        }
    }
}

/// A gap, open or healed. Times are microseconds of the run's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub node: String,
    /// Why.
    pub reason: GapReason,
    /// When it was noticed.
    pub since_us: u64,
    /// When it was healed.
    pub healed_us: Option<u64>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// The node belongs to the source from now on.
    NodeAppeared,
    /// The same, and an earlier process of this sync may have followed it.
    NodeReturned,
    /// It does not any more.
    NodeLeft,
    /// Its feed is heard. `process` is the run id of who speaks, where that is told.
    FeedHeard {
        /// Who speaks.
        process: Option<String>,
    },
    /// Its feed is not heard any more.
    FeedLost,
    /// What changed is not known, for this reason, though the feed is heard.
    GapOpened(GapReason),
    /// A comparison of its keys begins.
    ComparisonBegan,
    /// It ended, and every key that it found is marked or equal.
    ComparisonEnded,
    /// It was given up.
    ComparisonFailed,
    /// Somebody else made sure, after the feed was first heard, that both sides are equal: the first comparison is not
    /// needed.
    KnownEqual,
}

/// Which part of its way a sync is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Not every node's feed was ever heard.
    Probing,
    /// Some node was never compared.
    Snapshot,
    /// Every node is whole.
    Following,
    /// Some node is not whole any more.
    Healing,
}

impl Phase {
    /// All of them.
    pub const ALL: [Phase; 4] = [Phase::Probing, Phase::Snapshot, Phase::Following, Phase::Healing];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Probing => "probing",
            Phase::Snapshot => "snapshot",
            Phase::Following => "following",
            Phase::Healing => "healing",
        }
    }
}

#[derive(Debug, Default)]
struct Node {
    heard: bool,
    ever_heard: bool,
    process: Option<String>,
    ever_whole: bool,
    /// Indexes of open gaps.
    open: Vec<usize>,
    /// How many of the open gaps the comparison under way will heal: those that were there when it began.
    heals: Option<usize>,
}

/// All nodes of a source.
#[derive(Debug, Default)]
pub struct Follow {
    nodes: BTreeMap<String, Node>,
    gaps: Vec<Gap>,
}

impl Follow {
    /// Something happened at a node.
    pub fn handle(&mut self, now_us: u64, node: &str, happened: Happened) {
        match happened {
            Happened::NodeAppeared => self.take_up(now_us, node, GapReason::Beginning),
            Happened::NodeReturned => self.take_up(now_us, node, GapReason::Restart),
            Happened::NodeLeft => {
                // Its slots are another node's now, which is compared for gaining them.
                if let Some(left) = self.nodes.remove(node) {
                    left.open.iter().for_each(|gap| self.gaps[*gap].healed_us = Some(now_us));
                }
            }
            Happened::FeedHeard { process } => {
                let Some(known) = self.nodes.get_mut(node) else { return };
                let other = known.process.is_some() && process.is_some() && known.process != process;
                known.heard = true;
                known.ever_heard = true;
                known.process = process.or(known.process.take());
                if other {
                    self.open_gap(now_us, node, GapReason::OtherProcess);
                }
            }
            Happened::FeedLost => {
                let Some(known) = self.nodes.get_mut(node) else { return };
                if std::mem::replace(&mut known.heard, false) {
                    self.open_gap(now_us, node, GapReason::FeedLost);
                }
            }
            Happened::GapOpened(reason) => self.open_gap(now_us, node, reason),
            Happened::ComparisonBegan => {
                let Some(known) = self.nodes.get_mut(node) else { return };
                // What is not heard while it is compared may change unseen.
                known.heals = known.heard.then_some(known.open.len());
            }
            Happened::ComparisonEnded => {
                let Some(known) = self.nodes.get_mut(node) else { return };
                let Some(heals) = known.heals.take() else { return };
                for gap in known.open.drain(..heals) {
                    self.gaps[gap].healed_us = Some(now_us);
                }
                known.ever_whole |= known.open.is_empty();
            }
            Happened::ComparisonFailed => {
                if let Some(known) = self.nodes.get_mut(node) {
                    known.heals = None;
                }
            }
            Happened::KnownEqual => {
                let Some(known) = self.nodes.get_mut(node) else { return };
                // A gap besides the beginning came after what that somebody knows.
                let [gap] = known.open[..] else { return };
                if known.heard && self.gaps[gap].reason == GapReason::Beginning {
                    self.gaps[gap].healed_us = Some(now_us);
                    known.open.clear();
                    known.ever_whole = true;
                }
            }
        }
    }

    fn take_up(&mut self, now_us: u64, node: &str, reason: GapReason) {
        if !self.nodes.contains_key(node) {
            self.nodes.insert(node.to_owned(), Node::default());
            self.open_gap(now_us, node, reason);
        }
    }

    fn open_gap(&mut self, now_us: u64, node: &str, reason: GapReason) {
        let Some(known) = self.nodes.get_mut(node) else { return };
        known.open.push(self.gaps.len());
        self.gaps.push(Gap { node: node.to_owned(), reason, since_us: now_us, healed_us: None });
    }

    /// Nodes that have to be compared now: heard, not whole, and not being compared for all of their gaps.
    pub fn to_compare(&self) -> Vec<&str> {
        let due = |node: &Node| node.heard && !node.open.is_empty() && node.heals.is_none();
        self.nodes.iter().filter(|(_, node)| due(node)).map(|(name, _)| name.as_str()).collect()
    }

    /// Which part of its way the sync is on.
    pub fn phase(&self) -> Phase {
        let nodes = || self.nodes.values();
        if self.nodes.is_empty() || nodes().any(|node| !node.ever_heard) {
            Phase::Probing
        } else if nodes().any(|node| !node.ever_whole) {
            Phase::Snapshot
        } else if nodes().all(|node| node.heard && node.open.is_empty()) {
            Phase::Following
        } else {
            Phase::Healing
        }
    }

    /// All gaps, healed ones too, in the order in which they were noticed.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Gaps that are not healed.
    pub fn open_gaps(&self) -> usize {
        self.nodes.values().map(|node| node.open.len()).sum()
    }
}

/// Keys that expire are on their way all the time.
const SMALL_LAG_US: u64 = 1_000_000;

/// What else a cut-over depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Marked keys, those being read included.
    pub dirty: u64,
    /// How long the oldest change is not carried, in microseconds.
    pub lag_us: u64,
    /// Whether nobody has written to the source for as long as is wanted.
    pub quiet: bool,
}

/// One condition of the cut-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its stable name.
    pub name: &'static str,
    /// Whether it is met.
    pub met: bool,
    /// How things stand, in a sentence.
    pub text: String,
}

/// What has to be true before it is worth making sure that both sides are equal.
pub fn conditions(follow: &Follow, facts: &Facts) -> Vec<Condition> {
    let condition = |name, met, text| Condition { name, met, text };
    let open = follow.open_gaps();
    vec![
        condition(
            "followed",
            follow.phase() == Phase::Following,
            match follow.phase() {
                Phase::Following => "every node of the source is followed".into(),
                other => format!("the sync is {}", other.name()),
            },
        ),
        condition(
            "no_gaps",
            open == 0,
            match open {
                0 => "no gap is open".into(),
                open => format!("{open} gaps are open: keys may have changed unseen, and are being compared"),
            },
        ),
        condition(
            "quiet",
            facts.quiet,
            match facts.quiet {
                true => "nobody writes to the source".into(),
                false => "the source is still written to, or was until now: stop the writers".into(),
            },
        ),
        condition(
            "drained",
            facts.lag_us < SMALL_LAG_US,
            match (facts.dirty, facts.lag_us) {
                (0, _) => "every change that was heard of is on the target".into(),
                (dirty, lag_us) => format!(
                    "{dirty} changed keys are not on the target yet, the oldest for {} ms",
                    lag_us / 1000
                ),
            },
        ),
    ]
}

#[cfg(test)]
mod tests;
