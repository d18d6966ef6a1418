//! Small worlds, explored in every interleaving: one key, one or two redferries, some writes. They show why keys' states
//! are replicated and not commands, and what each rule of the design is for: without it, the checker finds the way to
//! lose a write.
//!
//! Both sides' values are lists that grow by one entry a write, so a write that is lost, doubled or out of order shows.

#[path = "model/checker.rs"]
mod checker;
#[path = "model/cutover.rs"]
mod cutover;
#[path = "model/forwarding.rs"]
mod forwarding;
#[path = "model/several.rs"]
mod several;
#[path = "model/state_sync.rs"]
mod state_sync;
#[path = "model/takeover.rs"]
mod takeover;

/// A value: the writes that it has seen.
type Writes = Vec<u8>;

/// How far a process is with the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    HasRead,
    Sent,
    Acknowledged,
}

/// The fault that both sides are not equal at the end.
fn apart(source: &Writes, target: &Writes) -> Option<String> {
    (source != target).then(|| format!("{source:?} is not {target:?}"))
}

/// Each write has a number of its own.
fn write(who: usize, count: u8) -> u8 {
    who as u8 * 10 + count
}
