//! What a copy is asked to do.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use migration::conflict::OnConflict;

use crate::fence::LATE_WRITES;

/// Keys and values above this go in pieces unless told otherwise. A `DUMP` of 8 MiB keeps the source
/// busy for some 40 ms, which is about what its other clients will forgive.
pub const BIG_KEY: u64 = 8 * 1024 * 1024;

/// Memory for values in flight unless told otherwise.
pub const MEMORY: u64 = 32 * 1024 * 1024;

/// Keys that one SCAN asks for unless told otherwise. With 10 a scan takes ten times as long as with
/// 1000, beyond it nothing is gained (measured, 1.1 M keys: 9.9 s and 0.85 s).
pub const SCAN_COUNT: u32 = 1000;

/// How slow the source's answers may become before the copy holds back, unless told otherwise.
pub const MAX_LATENCY: Duration = Duration::from_millis(50);

/// How long a side may be unreachable before the copy gives up, unless told otherwise. Azure's
/// maintenance and failovers take up to a minute or two.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

/// How a copy goes about its work. What is copied is said by `Selection` and `Naming`.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// What happens to keys that the target already has.
    pub on_conflict: OnConflict,
    /// Values above this many bytes travel in pieces.
    pub big_key: u64,
    /// Keys asked for by one SCAN, at most.
    pub scan_count: u32,
    /// Bytes of values in flight, over all nodes.
    pub memory: u64,
    /// Keys read per second, over all nodes.
    pub max_keys_per_sec: Option<NonZeroU64>,
    /// Bytes read per second, over all nodes.
    pub max_bytes_per_sec: Option<NonZeroU64>,
    /// The copy holds back when the source takes longer than this to answer.
    pub max_latency: Option<Duration>,
    /// Carries idle time or access frequency.
    pub preserve_idle: bool,
    /// How long a side may be unreachable before the copy gives up.
    pub give_up_after: Duration,
    /// An answer that is due and does not come for this long means that the connection is dead.
    pub silence: Duration,
    /// How long a write of a lost connection may stay alive where the target does not let it be closed: a live sync carries
    /// its key once more after that time.
    pub late_writes: Duration,
    /// Connections that write are named `redferry:` and this, so that a later process of the same run can close them
    /// ([`fence`](crate::fence())). Letters, digits and punctuation.
    pub run_name: Option<String>,
    /// Examples kept per cause.
    pub examples: usize,
    /// Where the checkpoint is kept.
    pub state: PathBuf,
    /// How often the checkpoint is written.
    pub checkpoint_every: Duration,
}

impl CopyOptions {
    /// The defaults, with the checkpoint at `state`.
    pub fn new(state: PathBuf) -> CopyOptions {
        CopyOptions {
            on_conflict: OnConflict::Refuse,
            big_key: BIG_KEY,
            scan_count: SCAN_COUNT,
            memory: MEMORY,
            max_keys_per_sec: None,
            max_bytes_per_sec: None,
            max_latency: Some(MAX_LATENCY),
            preserve_idle: false,
            give_up_after: GIVE_UP_AFTER,
            silence: Duration::from_secs(60),
            late_writes: LATE_WRITES,
            run_name: None,
            examples: 10,
            state,
            checkpoint_every: Duration::from_secs(1),
        }
    }
}
