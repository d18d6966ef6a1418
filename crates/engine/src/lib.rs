//! Reads key state on the source and makes the target equal.
//!
//! [`Copy`] is the one-shot half: it lists every key by SCAN, reads its value and time to live together
//! and writes both to the target. [`Repair`] does the same for keys that somebody names. It never forwards a command, so reading a key twice or late is harmless.

mod checkpoint;
mod clocks;
pub mod collisions;
mod copy;
pub mod flush;
mod guardian;
mod guess;
mod lane;
mod ledger;
mod names;
mod options;
mod pieces;
pub mod preflight;
mod repair;
mod run;
mod stop;
pub mod temporary;
mod unlink;

pub use checkpoint::{Arguments, Checkpoint, CheckpointError, ScanRecord, StateLock};
pub use copy::{Copy, CopyOutcome, Progress};
pub use options::{BIG_KEY, CopyOptions, GIVE_UP_AFTER, MAX_LATENCY, MEMORY, SCAN_COUNT};
pub use repair::{DeletedOutcome, KeysOutcome, Repair};
pub use run::{Abilities, LaneStatus, Stop};
pub use stop::Halt;
