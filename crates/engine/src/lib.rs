//! Reads key state on the source and makes the target equal.
//!
//! [`Copy`] is the one-shot half: it lists every key by SCAN, reads its value and time to live together
//! and writes both to the target. It never forwards a command, so reading a key twice or late is harmless.

mod checkpoint;
mod clocks;
pub mod collisions;
mod copy;
pub mod flush;
mod guardian;
mod guess;
mod lane;
mod names;
mod options;
mod pieces;
pub mod preflight;
mod run;
mod stop;
pub mod temporary;

pub use checkpoint::{Arguments, Checkpoint, CheckpointError, ScanRecord, StateLock};
pub use copy::{Copy, CopyOutcome, Progress};
pub use options::{BIG_KEY, CopyOptions, GIVE_UP_AFTER, MAX_LATENCY, MEMORY, SCAN_COUNT};
pub use run::{Abilities, LaneStatus, Stop};
pub use stop::Halt;
