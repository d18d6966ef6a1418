//! Switching several clients' ways over from the source to the target.

use std::collections::BTreeSet;

use super::checker::{World, breaks, holds};
use super::{Writes, write};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// One way after the other, without a pause.
    Rolling,
    /// All ways pause; what is under way is not waited for.
    WithoutInFlight,
    /// All ways pause; marked keys are not waited for.
    WithoutMarks,
    /// All ways pause, what is under way comes to its end, and nothing is marked.
    Whole,
}

#[derive(Debug, Clone, Copy)]
struct Cutover {
    how: How,
    /// A way may lose contact with the one who switches.
    cut_off: bool,
    /// A way without contact stops by itself, and the one who switches waits for that.
    leases: bool,
}

const WHOLE: Cutover = Cutover { how: How::Whole, cut_off: false, leases: false };

const WAYS: usize = 2;
const WRITES: u8 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    source: Writes,
    target: Writes,
    ways: Vec<Way>,
    answered: BTreeSet<u8>,
    phase: Phase,
    marked: bool,
    may_be_cut_off: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Way {
    written: u8,
    /// To the target, and executed there.
    under_way: Option<(bool, bool)>,
    to_target: bool,
    paused: bool,
    cut_off: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Before,
    Paused,
    Switching,
}

impl World for Cutover {
    type State = State;

    fn begin(&self) -> State {
        let way = Way { written: 0, under_way: None, to_target: false, paused: false, cut_off: false };
        State {
            source: Vec::new(),
            target: Vec::new(),
            ways: vec![way; WAYS],
            answered: BTreeSet::new(),
            phase: Phase::Before,
            marked: false,
            may_be_cut_off: self.cut_off,
        }
    }

    fn next(&self, state: &State) -> Vec<(String, State)> {
        let mut next = Vec::new();
        let mut add = |name: String, change: &dyn Fn(&mut State)| {
            let mut after = state.clone();
            change(&mut after);
            next.push((name, after));
        };
        for (who, way) in state.ways.iter().enumerate() {
            let op = write(who, way.written);
            match way.under_way {
                None if way.written < WRITES && !way.paused => add(format!("{op} is sent"), &|after| {
                    after.ways[who].under_way = Some((after.ways[who].to_target, false));
                }),
                Some((to_target, false)) => add(format!("{op} is executed"), &|after| {
                    after.ways[who].under_way = Some((to_target, true));
                    if to_target {
                        after.target.push(op);
                    } else {
                        after.source.push(op);
                        after.marked = true;
                    }
                }),
                Some((_, true)) => add(format!("{op} is answered"), &|after| {
                    after.answered.insert(op);
                    after.ways[who].written += 1;
                    after.ways[who].under_way = None;
                }),
                None => {}
            }
            if state.may_be_cut_off && !way.cut_off {
                add(format!("{who} is cut off"), &|after| {
                    (after.may_be_cut_off, after.ways[who].cut_off) = (false, true);
                });
            }
            if self.leases && way.cut_off && !way.paused {
                add(format!("{who} stops, its lease is over"), &|after| after.ways[who].paused = true);
            }
            match (self.how, state.phase) {
                (How::Rolling, _) if !way.to_target => {
                    add(format!("{who} is switched"), &|after| after.ways[who].to_target = true);
                }
                (How::Rolling, _) => {}
                (_, Phase::Before) if !way.paused && !way.cut_off => {
                    add(format!("{who} pauses"), &|after| after.ways[who].paused = true);
                }
                (_, Phase::Switching) if !way.to_target && !way.cut_off => {
                    add(format!("{who} is switched"), &|after| {
                        (after.ways[who].to_target, after.ways[who].paused) = (true, false);
                    });
                }
                _ => {}
            }
        }
        if state.marked && state.phase != Phase::Switching {
            add(format!("the target becomes {:?}", state.source), &|after| {
                after.target = after.source.clone();
                after.marked = false;
            });
        }
        if self.how != How::Rolling {
            if state.phase == Phase::Before && state.ways.iter().all(|way| self.is_quiet(way)) {
                add("all pause".into(), &|after| after.phase = Phase::Paused);
            }
            if state.phase == Phase::Paused && (!state.marked || self.how == How::WithoutMarks) {
                add("nothing is marked".into(), &|after| after.phase = Phase::Switching);
            }
        }
        next
    }

    fn fault(&self, state: &State) -> Option<String> {
        if self.how != How::Rolling && state.phase != Phase::Switching {
            return None;
        }
        let lost: Vec<&u8> = state.answered.iter().filter(|op| !state.target.contains(op)).collect();
        (!lost.is_empty()).then(|| format!("{lost:?} were answered and are lost"))
    }
}

impl Cutover {
    fn is_quiet(&self, way: &Way) -> bool {
        let at_rest = way.under_way.is_none() || self.how == How::WithoutInFlight;
        match (way.cut_off, self.leases) {
            // Nobody hears of it any more, so it is taken to be gone.
            (true, false) => true,
            _ => way.paused && at_rest,
        }
    }
}

#[test]
fn a_rolling_switch_loses_writes() {
    breaks(&Cutover { how: How::Rolling, ..WHOLE });
}

#[test]
fn every_step_of_the_switch_is_needed() {
    breaks(&Cutover { how: How::WithoutInFlight, ..WHOLE });
    breaks(&Cutover { how: How::WithoutMarks, ..WHOLE });
    holds(&WHOLE);
}

#[test]
fn a_way_without_contact_goes_on_writing_unless_it_has_a_lease() {
    breaks(&Cutover { cut_off: true, ..WHOLE });
    holds(&Cutover { cut_off: true, leases: true, ..WHOLE });
}
