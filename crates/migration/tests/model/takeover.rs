//! A second process takes over while the first one still lives: it was only slow, or cut off, and goes on for a while
//! (design rule R5). As long as it hears every change it does no harm; it may die at any time, with a write on its way.

use super::checker::{World, breaks, holds};
use super::{Step, Writes, apart};

/// What the new process does before it carries anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// It writes to the target that it is in charge. Whoever connects there looks, and stops if it is not in charge.
    Claim,
    /// It has the target close the connections of the old one; what they carry is not executed any more.
    Close,
    /// It marks everything.
    Compare,
}

use Act::{Claim, Close, Compare};

#[derive(Debug, Clone, Copy)]
struct Takeover {
    acts: &'static [Act],
    writes: u8,
}

const RIGHT: Takeover = Takeover { acts: &[Claim, Close, Compare], writes: 2 };

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    source: Writes,
    target: Writes,
    written: u8,
    /// The old one and the new one.
    processes: [Process; 2],
    /// On their way to the target.
    sent: Vec<(usize, Writes)>,
    /// Acts that are done; `None`: the new one is not there yet.
    acts: Option<usize>,
    claimed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Process {
    works: bool,
    connected: bool,
    marked: bool,
    feed: bool,
    step: Step,
    value: Writes,
}

impl World for Takeover {
    type State = State;

    fn begin(&self) -> State {
        let process = |works| Process {
            works,
            connected: works,
            marked: false,
            feed: false,
            step: Step::Idle,
            value: Vec::new(),
        };
        State {
            source: Vec::new(),
            target: Vec::new(),
            written: 0,
            processes: [process(true), process(false)],
            sent: Vec::new(),
            acts: None,
            claimed: false,
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
                after.processes[0].feed |= after.processes[0].works;
                after.processes[1].feed |= after.acts.is_some();
            });
        }
        match state.acts {
            None => add("the new one hears the feed".into(), &|after| after.acts = Some(0)),
            Some(done) if done < self.acts.len() => {
                add(format!("the new one: {:?}", self.acts[done]), &|after| {
                    after.acts = Some(done + 1);
                    match self.acts[done] {
                        Claim => after.claimed = true,
                        Close => after.close_old(),
                        Compare => after.processes[1].marked = true,
                    }
                });
            }
            Some(_) if !state.processes[1].works => add("the new one works".into(), &|after| {
                (after.processes[1].works, after.processes[1].connected) = (true, true);
            }),
            Some(_) => {}
        }
        if state.processes[0].works {
            add("the old one dies".into(), &|after| after.processes[0].stop());
        }
        for (who, process) in state.processes.iter().enumerate().filter(|(_, process)| process.works) {
            if process.feed {
                add(format!("the feed marks for {who}"), &|after| {
                    after.processes[who].feed = false;
                    after.processes[who].marked = true;
                });
            }
            match process.step {
                _ if !process.connected && state.claimed => {
                    add(format!("{who} is not in charge and stops"), &|after| {
                        after.processes[who].stop();
                    })
                }
                _ if !process.connected => {
                    add(format!("{who} connects again"), &|after| after.processes[who].connected = true);
                }
                Step::Idle if process.marked => add(format!("{who} reads {:?}", state.source), &|after| {
                    after.processes[who].marked = false;
                    after.processes[who].value = after.source.clone();
                    after.processes[who].step = Step::HasRead;
                }),
                Step::HasRead => add(format!("{who} sends it"), &|after| {
                    after.processes[who].step = Step::Sent;
                    after.sent.push((who, after.processes[who].value.clone()));
                }),
                Step::Acknowledged => add(format!("{who} is done"), &|after| {
                    after.processes[who].step = Step::Idle;
                    after.processes[who].value.clear();
                }),
                Step::Idle | Step::Sent => {}
            }
        }
        for (index, (who, value)) in state.sent.iter().enumerate() {
            add(format!("the target gets {value:?} of {who}"), &|after| {
                after.sent.remove(index);
                after.target = value.clone();
                if after.processes[*who].works {
                    after.processes[*who].step = Step::Acknowledged;
                }
            });
        }
        next
    }

    fn fault(&self, state: &State) -> Option<String> {
        apart(&state.source, &state.target)
    }
}

impl Process {
    fn stop(&mut self) {
        (self.works, self.marked, self.feed, self.step) = (false, false, false, Step::Idle);
        self.value.clear();
    }
}

impl State {
    /// What the old one had on its way, it reads again.
    fn close_old(&mut self) {
        self.sent.retain(|(who, _)| *who != 0);
        let old = &mut self.processes[0];
        old.connected = false;
        old.marked |= old.works && old.step != Step::Idle;
        old.step = Step::Idle;
        old.value.clear();
    }
}

#[test]
fn who_claims_then_closes_then_compares_takes_over_safely() {
    holds(&RIGHT);
    holds(&Takeover { writes: 3, ..RIGHT });
}

#[test]
fn without_a_comparison_the_marks_of_the_old_one_are_lost() {
    breaks(&Takeover { acts: &[Claim, Close], ..RIGHT });
}

#[test]
fn without_a_fence_the_old_one_writes_on() {
    breaks(&Takeover { acts: &[Claim, Compare], ..RIGHT });
    breaks(&Takeover { acts: &[Compare], ..RIGHT });
}

#[test]
fn an_old_one_that_is_only_cut_off_connects_again() {
    breaks(&Takeover { acts: &[Close, Compare], ..RIGHT });
    breaks(&Takeover { acts: &[Close, Claim, Compare], ..RIGHT });
}
