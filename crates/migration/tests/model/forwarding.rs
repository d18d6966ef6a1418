//! What other tools do: every command is sent to both sides.

use super::checker::{World, breaks, holds};
use super::{Writes, apart, write};

/// A background copy of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Copier {
    None,
    Replaces,
    LeavesWhatIsThere,
}

#[derive(Debug, Clone)]
struct Forwarding {
    connections: usize,
    writes: u8,
    /// The target gets a command only when the source has executed it.
    after_source: bool,
    /// Whoever writes holds a lock until both sides have executed it.
    locked: bool,
    /// Commands that the target may fail to execute.
    failures: u8,
    copier: Copier,
}

const PLAIN: Forwarding = Forwarding {
    connections: 2,
    writes: 1,
    after_source: false,
    locked: false,
    failures: 0,
    copier: Copier::None,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    source: Writes,
    target: Writes,
    /// For each connection: writes done, whether one is under way, commands on their way to the target.
    connections: Vec<(u8, bool, Writes)>,
    lock: Option<usize>,
    /// What the copier has read.
    copied: Option<Writes>,
    copier_done: bool,
    failures: u8,
}

impl World for Forwarding {
    type State = State;

    fn begin(&self) -> State {
        State {
            source: Vec::new(),
            target: Vec::new(),
            connections: vec![(0, false, Vec::new()); self.connections],
            lock: None,
            copied: None,
            copier_done: self.copier == Copier::None,
            failures: self.failures,
        }
    }

    fn next(&self, state: &State) -> Vec<(String, State)> {
        let mut next = Vec::new();
        for who in 0..self.connections {
            let (count, under_way, queue) = &state.connections[who];
            let op = write(who, *count);
            if *count < self.writes {
                self.write(state, who, op, *under_way, queue.is_empty(), &mut next);
            }
            if let Some(first) = queue.first() {
                let mut after = state.clone();
                after.connections[who].2.remove(0);
                if state.failures > 0 {
                    let mut failed = after.clone();
                    failed.failures -= 1;
                    next.push((format!("the target fails {first}"), failed));
                }
                after.target.push(*first);
                next.push((format!("the target executes {first}"), after));
            }
        }
        self.copy(state, &mut next);
        next
    }

    fn fault(&self, state: &State) -> Option<String> {
        apart(&state.source, &state.target)
    }
}

impl Forwarding {
    fn write(
        &self,
        state: &State,
        who: usize,
        op: u8,
        under_way: bool,
        arrived: bool,
        next: &mut Vec<(String, State)>,
    ) {
        let mut after = state.clone();
        match (self.after_source, under_way) {
            (false, false) => {
                after.connections[who].1 = true;
                after.connections[who].2.push(op);
                next.push((format!("{op} is sent to both"), after));
            }
            (false, true) => {
                after.source.push(op);
                after.connections[who].0 += 1;
                after.connections[who].1 = false;
                next.push((format!("the source executes {op}"), after));
            }
            (true, false) if !self.locked || state.lock.is_none() => {
                after.source.push(op);
                after.connections[who].1 = true;
                after.connections[who].2.push(op);
                after.lock = self.locked.then_some(who);
                next.push((format!("the source executes {op}"), after));
            }
            (true, true) if !self.locked || arrived => {
                after.connections[who].0 += 1;
                after.connections[who].1 = false;
                after.lock = None;
                next.push((format!("{op} is answered"), after));
            }
            _ => {}
        }
    }

    fn copy(&self, state: &State, next: &mut Vec<(String, State)>) {
        if state.copier_done {
            return;
        }
        let mut after = state.clone();
        match &state.copied {
            None => {
                after.copied = Some(state.source.clone());
                next.push((format!("the copier reads {:?}", state.source), after));
            }
            Some(value) => {
                if self.copier == Copier::Replaces || state.target.is_empty() {
                    after.target = value.clone();
                }
                after.copier_done = true;
                next.push((format!("the copier writes {value:?}"), after));
            }
        }
    }
}

#[test]
fn one_connection_is_right_by_luck_of_being_alone() {
    holds(&Forwarding { connections: 1, writes: 3, ..PLAIN });
}

#[test]
fn two_connections_are_executed_in_another_order() {
    breaks(&PLAIN);
    breaks(&Forwarding { after_source: true, ..PLAIN });
}

#[test]
fn one_lock_for_all_writers_helps_until_something_fails() {
    let locked = Forwarding { after_source: true, locked: true, writes: 2, ..PLAIN };
    holds(&locked);
    breaks(&Forwarding { connections: 1, failures: 1, ..locked });
}

#[test]
fn a_key_that_is_not_copied_yet_is_changed_twice_or_on_nothing() {
    let locked = Forwarding { connections: 1, after_source: true, locked: true, ..PLAIN };
    breaks(&Forwarding { copier: Copier::Replaces, ..locked.clone() });
    breaks(&Forwarding { copier: Copier::LeavesWhatIsThere, ..locked });
}
