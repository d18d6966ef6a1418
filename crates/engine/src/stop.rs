//! Why a copy ended before it was done.

use client::Error;
use client::reply::{ReplyKind, remedy};

/// An end before the end. All of these leave a checkpoint behind, so that the same command goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// Somebody asked for it.
    #[error("stopped on request")]
    Asked,
    /// A side cannot be used and waiting does not help.
    #[error("{0}")]
    Side(#[from] Error),
    /// A side did not come back in time.
    #[error("gave up after {seconds} s without {side}: {last}")]
    Outage {
        /// Which side.
        side: client::Side,
        /// How long it was tried.
        seconds: u64,
        /// What the last attempt said.
        last: String,
    },
    /// The target has no memory left.
    #[error(
        "target {node}: it is full ({text}); scale the target up or set an eviction policy, then run the same \
         command again: it goes on where it stopped"
    )]
    TargetFull {
        /// The node that refused.
        node: String,
        /// Its words.
        text: String,
    },
    /// The target refuses every write, not this key's.
    #[error("target {node}: it refuses to be written to ({text}); {}", remedy(.kind))]
    TargetRefuses {
        /// The node that refused.
        node: String,
        /// What kind of refusal.
        kind: ReplyKind,
        /// Its words.
        text: String,
    },
    /// The source does not let itself be scanned.
    #[error("source {node}: SCAN was refused ({text}); {}", remedy(.kind))]
    ScanRefused {
        /// The node that refused.
        node: String,
        /// What kind of refusal.
        kind: ReplyKind,
        /// Its words.
        text: String,
    },
    /// A file cannot be read on.
    #[error("{0}")]
    File(#[from] crate::feed::FeedError),
    /// A file cannot be written.
    #[error("{0}")]
    Unwritable(String),
    /// A file is not the one that the state file tells of.
    #[error(
        "{0} is another file than the one that an earlier run began with: its head differs; give that file, or name \
         another state file with --state"
    )]
    OtherFile(String),
    /// The checkpoint cannot be written, so a later run could not go on.
    #[error("{0}")]
    Checkpoint(#[from] crate::checkpoint::CheckpointError),
}
