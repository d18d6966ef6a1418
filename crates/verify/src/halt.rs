//! Why a comparison ended before it was done.

use client::{Error, Side};

/// An end before the end. With a state file the same command goes on after any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// Somebody asked for it.
    #[error("stopped on request")]
    Asked,
    /// A side cannot be used and waiting does not help.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Side(Error),
    /// A side did not come back in time.
    #[error("gave up after {seconds} s without the {side}: {last}")]
    Outage {
        /// Which side.
        side: Side,
        /// How long it was tried.
        seconds: u64,
        /// What the last attempt said.
        last: String,
    },
    /// The repair cannot go on.
    #[error("the repair stopped: {0}")]
    Repair(String),
    /// The state of an earlier run cannot be used, or this one's cannot be kept.
    #[error("{0}")]
    State(#[from] crate::state::StateError),
}
