//! Reads key state on the source and makes the target equal.
//!
//! [`Copy`] is the one-shot half: it lists every key by SCAN, reads its value and time to live together
//! and writes both to the target. [`Repair`] does the same for keys that somebody names. It never forwards a command, so reading a key twice or late is harmless.

mod aside;
mod checkpoint;
mod clocks;
pub mod collisions;
mod comparer;
mod copy;
pub mod export;
mod feed;
mod fence;
pub mod flush;
mod follow;
mod guardian;
mod guess;
pub mod import;
mod lane;
mod ledger;
pub mod meet;
mod names;
mod options;
mod patience;
mod pieces;
pub mod preflight;
pub mod rebuild;
mod refusal;
mod repair;
mod route;
mod run;
mod stop;
pub mod temporary;
mod unlink;
mod writer;

pub use aside::Aside;
pub use checkpoint::{
    Arguments, Checkpoint, CheckpointError, ScanRecord, StateLock, load_state, write_whole,
};
pub use comparer::{Compared, Comparer, Comparing, Comparison};
pub use copy::{Copy, CopyOutcome, Progress};
pub use feed::{Chunks, Feed, FeedError};
pub use fence::{LATE_WRITES, fence};
pub use follow::{
    ChangedKeys, Equal, Followed, Steered, Steering, Sync, SyncEnd, SyncOutcome, SyncStatus, TargetMemory,
    Watch,
};
pub use options::{BIG_KEY, CopyOptions, GIVE_UP_AFTER, MAX_LATENCY, MEMORY, SCAN_COUNT};
pub use repair::{DeletedOutcome, KeysOutcome, Repair};
pub use run::{Abilities, LaneStatus, Stop};
pub use stop::Halt;
