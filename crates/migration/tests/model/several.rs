//! Two processes at once, which design rule R5 forbids: what it would take.

use super::checker::{World, breaks, holds};
use super::{Writes, apart, write};

#[derive(Debug, Clone, Copy)]
struct Several {
    processes: usize,
    writes: u8,
    /// After its write a process reads the source once more, and repeats what has changed.
    reads_again: bool,
    /// Each process hears what changes on the source, whoever wrote it.
    feed: bool,
    /// Each process hears what others write to the target.
    target_feed: bool,
    /// A process writes only what differs from the target, and looks once more after it has.
    compares: bool,
    crashes: u8,
    /// What a crashed process has sent cannot arrive any more.
    fenced: bool,
}

const PLAIN: Several = Several {
    processes: 2,
    writes: 1,
    reads_again: false,
    feed: false,
    target_feed: false,
    compares: false,
    crashes: 0,
    fenced: false,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    source: Writes,
    target: Writes,
    processes: Vec<Process>,
    sent: Vec<(usize, Writes)>,
    crashes: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Process {
    alive: bool,
    written: u8,
    /// A client's write through this process is executed, and not answered yet.
    under_way: bool,
    marked: bool,
    /// The feeds have something to say, of the source and of the target.
    feeds: [bool; 2],
    /// 0 idle, 1 has read, 2 has sent, 3 is acknowledged.
    step: u8,
    value: Writes,
}

impl World for Several {
    type State = State;

    fn begin(&self) -> State {
        let process = Process {
            alive: true,
            written: 0,
            under_way: false,
            marked: false,
            feeds: [false; 2],
            step: 0,
            value: Vec::new(),
        };
        State {
            source: Vec::new(),
            target: Vec::new(),
            processes: vec![process; self.processes],
            sent: Vec::new(),
            crashes: self.crashes,
        }
    }

    fn next(&self, state: &State) -> Vec<(String, State)> {
        let mut next = Vec::new();
        for (who, process) in state.processes.iter().enumerate().filter(|(_, process)| process.alive) {
            let mut add = |name: String, change: &dyn Fn(&mut State)| {
                let mut after = state.clone();
                change(&mut after);
                next.push((name, after));
            };
            let op = write(who, process.written);
            if process.written < self.writes {
                if process.under_way {
                    add(format!("{who} answers {op} and marks"), &|after| {
                        let process = &mut after.processes[who];
                        (process.under_way, process.marked) = (false, true);
                        process.written += 1;
                    });
                } else {
                    add(format!("the source executes {op}"), &|after| {
                        after.source.push(op);
                        after.processes[who].under_way = true;
                        let heard = after.processes.iter_mut().filter(|process| self.feed && process.alive);
                        heard.for_each(|process| process.feeds[0] = true);
                    });
                }
            }
            for side in 0..2 {
                if process.feeds[side] {
                    add(format!("a feed marks for {who}"), &|after| {
                        after.processes[who].feeds[side] = false;
                        after.processes[who].marked = true;
                    });
                }
            }
            match process.step {
                0 if process.marked => add(format!("{who} reads {:?}", state.source), &|after| {
                    let source = after.source.clone();
                    let process = &mut after.processes[who];
                    (process.marked, process.step, process.value) = (false, 1, source);
                }),
                1 if self.compares && state.target == process.value => {
                    add(format!("{who} finds it equal"), &|after| {
                        after.processes[who].step = 0;
                        after.processes[who].value.clear();
                    });
                }
                1 => add(format!("{who} sends"), &|after| {
                    after.processes[who].step = 2;
                    after.sent.push((who, after.processes[who].value.clone()));
                }),
                3 => add(format!("{who} is done"), &|after| {
                    let changed = self.reads_again && after.source != after.processes[who].value;
                    let process = &mut after.processes[who];
                    process.marked |= changed || self.compares;
                    process.step = 0;
                    process.value.clear();
                }),
                _ => {}
            }
            if state.crashes > 0 {
                add(format!("{who} crashes"), &|after| {
                    after.crashes -= 1;
                    let process = &mut after.processes[who];
                    (process.alive, process.marked, process.feeds, process.step) =
                        (false, false, [false; 2], 0);
                    process.value.clear();
                    if self.fenced {
                        after.sent.retain(|(sender, _)| *sender != who);
                    }
                });
            }
        }
        for (index, (who, value)) in state.sent.iter().enumerate() {
            let mut after = state.clone();
            after.sent.remove(index);
            after.target = value.clone();
            if after.processes[*who].alive {
                after.processes[*who].step = 3;
            }
            let others = after.processes.iter_mut().enumerate().filter(|(other, _)| other != who);
            for (_, process) in others.filter(|(_, process)| self.target_feed && process.alive) {
                process.feeds[1] = true;
            }
            next.push((format!("the target gets {value:?} of {who}"), after));
        }
        next
    }

    fn fault(&self, state: &State) -> Option<String> {
        apart(&state.source, &state.target)
    }
}

#[test]
fn two_processes_overwrite_each_other() {
    breaks(&PLAIN);
}

#[test]
fn two_processes_that_read_again_are_right_until_one_crashes() {
    let again = Several { reads_again: true, ..PLAIN };
    holds(&Several { writes: 2, ..again });
    breaks(&Several { crashes: 1, ..again });
}

#[test]
fn a_feed_of_the_source_does_not_help_against_a_crash() {
    let heard = Several { reads_again: true, feed: true, crashes: 1, ..PLAIN };
    breaks(&Several { fenced: true, ..heard });
    breaks(&heard);
}

#[test]
fn only_who_hears_both_sides_and_compares_needs_no_fence() {
    let compares = Several { feed: true, target_feed: true, compares: true, crashes: 1, ..PLAIN };
    holds(&compares);
    breaks(&Several { target_feed: false, ..compares });
    breaks(&Several { feed: false, target_feed: false, ..compares });
}
