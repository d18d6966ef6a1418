//! Making sure that both sides are equal, as `follow/attempt.rs` of the engine does: the barrier, what no feed sees,
//! streams with groups once more, and the barrier again.

use std::collections::{BTreeMap, BTreeSet};

use super::comparing::{Groups, Listed};
use super::engine::{Followee, Said};
use super::outside::Outside;
use super::rules::Rule;
use super::source::Address;

/// What must not have changed when it has succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub changed_us: u64,
    pub gaps: usize,
}

#[derive(Debug)]
enum Stage {
    Barrier,
    Counting,
    Groups(Groups),
    Draining,
    Done(bool),
}

#[derive(Debug)]
pub struct Attempt {
    pub since: Moment,
    /// The nodes, and which of several with one address each was.
    parts: Vec<(Address, u64)>,
    stage: Stage,
    /// Which part it is at.
    part: usize,
    is_last_round: bool,
    /// The barrier under way, and who has passed it.
    barrier: u64,
    passed: BTreeSet<Address>,
    pub began_step: u64,
    /// When the last barrier was asked for, and the groups were.
    pub barrier_step: u64,
    pub groups_step: u64,
}

impl Attempt {
    pub fn new(since: Moment, parts: Vec<(Address, u64)>, out: &Outside) -> Attempt {
        Attempt {
            since,
            parts,
            stage: Stage::Barrier,
            part: 0,
            is_last_round: false,
            barrier: 0,
            passed: BTreeSet::new(),
            began_step: out.step,
            barrier_step: 0,
            groups_step: 0,
        }
    }

    pub fn ended(&self) -> Option<bool> {
        match self.stage {
            Stage::Done(succeeded) => Some(succeeded),
            _ => None,
        }
    }

    pub fn passed(&mut self, address: Address, barrier: u64) {
        if barrier == self.barrier {
            self.passed.insert(address);
        }
    }

    pub fn dropped(&mut self, barrier: u64) {
        if barrier == self.barrier {
            self.stage = Stage::Done(false);
        }
    }

    /// The next thing that it does. `None`: it waits. What the counters said is to be told.
    pub fn step(
        &mut self,
        nodes: &mut BTreeMap<Address, Followee>,
        out: &mut Outside,
    ) -> Option<Vec<(Address, u64, Said)>> {
        if !self
            .parts
            .iter()
            .all(|(address, number)| nodes.get(address).is_some_and(|it| it.number == *number))
        {
            self.stage = Stage::Done(false);
            return Some(Vec::new());
        }
        match &mut self.stage {
            Stage::Barrier if self.barrier != 0 => {
                if self.passed.len() < self.parts.len() {
                    return None;
                }
                self.stage = Stage::Counting;
                self.part = 0;
            }
            Stage::Barrier => {
                self.barrier = out.step;
                self.barrier_step = out.step;
                self.passed.clear();
                for (address, _) in &self.parts {
                    nodes.get_mut(address)?.hearing.asked.push_back(self.barrier);
                }
                out.say(|| format!("barrier {} is asked for", self.barrier));
            }
            Stage::Counting => return Some(self.count(nodes, out)),
            Stage::Groups(groups) => {
                let (address, _) = self.parts[self.part];
                let listed = groups.step(address, &mut nodes.get_mut(&address)?.lanes, out);
                match listed {
                    Listed::Nothing => return None,
                    Listed::Some => {}
                    Listed::Failed => self.stage = Stage::Done(false),
                    Listed::All => {
                        self.part += 1;
                        let has_more = self.part < self.parts.len();
                        self.stage =
                            if has_more { Stage::Groups(Groups::default()) } else { Stage::Draining };
                    }
                }
            }
            Stage::Draining => {
                let mut queues = nodes.values().flat_map(|followee| &followee.lanes);
                if !queues.all(|lane| lane.queue.marked() == 0) {
                    // It gives up some time, since somebody may have begun to write again.
                    if !out.faults || !out.random.percent(1) {
                        return None;
                    }
                    self.stage = Stage::Done(false);
                } else {
                    self.is_last_round = true;
                    self.barrier = 0;
                    self.stage = Stage::Barrier;
                }
            }
            Stage::Done(_) => return None,
        }
        Some(Vec::new())
    }

    fn count(
        &mut self,
        nodes: &mut BTreeMap<Address, Followee>,
        out: &mut Outside,
    ) -> Vec<(Address, u64, Said)> {
        let (address, number) = self.parts[self.part];
        let Some(followee) = nodes.get_mut(&address) else { return Vec::new() };
        let said = followee.look(address, out);
        self.part += 1;
        let bad = match said {
            Said::Nothing => false,
            Said::Failed => out.holds(Rule::KnowsFailedLooks),
            Said::Groups => self.is_last_round,
            Said::Unseen => true,
        };
        if bad {
            self.stage = Stage::Done(false);
        } else if self.part == self.parts.len() {
            self.part = 0;
            self.groups_step = if self.is_last_round { self.groups_step } else { out.step };
            self.stage = match self.is_last_round {
                true => Stage::Done(true),
                false if out.holds(Rule::CarriesGroupsOnceMore) => Stage::Groups(Groups::default()),
                false => Stage::Draining,
            };
        }
        vec![(address, number, said)]
    }
}
