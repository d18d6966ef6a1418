//! What redferry does: one process reads the state of marked keys and writes it; it may crash and be started again,
//! and a write of the crashed one may arrive late.

use super::checker::{World, breaks, holds};
use super::{Step, Writes, apart};

#[derive(Debug, Clone, Copy)]
struct Sync {
    writes: u8,
    /// R1: the mark goes before the state is read.
    unmark_first: bool,
    crashes: u8,
    /// R5: what an earlier process has sent cannot arrive any more.
    fenced: bool,
    /// R7: a new process compares everything.
    compares: bool,
    /// Writes of others to the target mark the key.
    target_feed: bool,
}

const RIGHT: Sync =
    Sync { writes: 3, unmark_first: true, crashes: 0, fenced: true, compares: true, target_feed: false };

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    source: Writes,
    target: Writes,
    written: u8,
    alive: bool,
    marked: bool,
    step: Step,
    value: Writes,
    /// The feed has something to say, of the source and of the target.
    feed: [bool; 2],
    generation: u8,
    /// On their way to the target, by the process that sent them.
    sent: Vec<(u8, Writes)>,
    crashes: u8,
}

impl World for Sync {
    type State = State;

    fn begin(&self) -> State {
        State {
            source: Vec::new(),
            target: Vec::new(),
            written: 0,
            alive: true,
            marked: false,
            step: Step::Idle,
            value: Vec::new(),
            feed: [false; 2],
            generation: 0,
            sent: Vec::new(),
            crashes: self.crashes,
        }
    }

    fn next(&self, state: &State) -> Vec<(String, State)> {
        let mut next = Vec::new();
        let mut add = |name: String, change: &dyn Fn(&mut State)| {
            let mut after = state.clone();
            change(&mut after);
            next.push((name, after));
        };
        if state.written < self.writes {
            add(format!("write {}", state.written), &|after| {
                after.source.push(after.written);
                after.written += 1;
                after.feed[0] = after.alive;
            });
        }
        if state.alive {
            for side in 0..2 {
                if state.feed[side] {
                    add("the feed marks".into(), &|after| {
                        after.feed[side] = false;
                        after.marked = true;
                    });
                }
            }
            match state.step {
                Step::Idle if state.marked => add(format!("read {:?}", state.source), &|after| {
                    after.marked = !self.unmark_first;
                    after.value = after.source.clone();
                    after.step = Step::HasRead;
                }),
                Step::HasRead => add("send it".into(), &|after| {
                    after.sent.push((after.generation, after.value.clone()));
                    after.step = Step::Sent;
                }),
                Step::Acknowledged => add("done".into(), &|after| {
                    after.marked &= self.unmark_first;
                    after.step = Step::Idle;
                    after.value.clear();
                }),
                Step::Idle | Step::Sent => {}
            }
            if state.crashes > 0 {
                add("crash".into(), &|after| {
                    after.crashes -= 1;
                    (after.alive, after.marked, after.step, after.feed) =
                        (false, false, Step::Idle, [false; 2]);
                    after.value.clear();
                });
            }
        } else {
            add("another process starts".into(), &|after| {
                (after.alive, after.marked) = (true, self.compares);
                after.generation += 1;
                if self.fenced {
                    after.sent.clear();
                }
            });
        }
        for (index, (generation, value)) in state.sent.iter().enumerate() {
            add(format!("the target gets {value:?} of process {generation}"), &|after| {
                after.sent.remove(index);
                after.target = value.clone();
                let own = after.alive && after.generation == *generation;
                if own {
                    after.step = Step::Acknowledged;
                } else if self.target_feed && after.alive {
                    after.feed[1] = true;
                }
            });
        }
        next
    }

    fn fault(&self, state: &State) -> Option<String> {
        apart(&state.source, &state.target)
    }
}

#[test]
fn one_process_is_right() {
    holds(&RIGHT);
}

#[test]
fn a_mark_that_goes_after_the_reading_loses_a_write() {
    breaks(&Sync { unmark_first: false, writes: 2, ..RIGHT });
}

#[test]
fn a_crash_takes_the_marks_with_it() {
    breaks(&Sync { crashes: 1, compares: false, ..RIGHT });
}

#[test]
fn a_write_of_a_crashed_process_arrives_late() {
    breaks(&Sync { crashes: 1, fenced: false, ..RIGHT });
}

#[test]
fn fenced_and_compared_a_crash_loses_nothing() {
    holds(&Sync { crashes: 1, ..RIGHT });
    holds(&Sync { crashes: 2, ..RIGHT });
}

#[test]
fn a_feed_of_the_target_stands_in_for_the_fence() {
    holds(&Sync { crashes: 2, fenced: false, target_feed: true, ..RIGHT });
}
