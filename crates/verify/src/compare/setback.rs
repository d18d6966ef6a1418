//! Why nothing was decided about a batch.

use std::fmt;

use client::reply::ReplyKind;
use client::{Error, Kind, Recovery, Side};

use crate::halt::Halt;

/// A batch failed as a whole; a new attempt needs a new look at the layout first.
#[derive(Debug)]
pub(crate) enum Setback {
    /// A node failed or would not answer.
    Side(Error),
    /// No node of this side owns the slot of a key.
    Unserved(Side),
}

impl Setback {
    /// Whether trying again, with a new layout, can help.
    pub(crate) fn recovery(&self) -> Recovery {
        match self {
            Setback::Unserved(_) => Recovery::Reconnect,
            Setback::Side(error) => match &*error.kind {
                Kind::Reply { kind: ReplyKind::Moved { .. } | ReplyKind::Ask { .. }, .. } => {
                    Recovery::Reconnect
                }
                _ => error.recovery(),
            },
        }
    }

    /// Whose fault it is, in words, when trying again can help.
    ///
    /// # Errors
    /// It cannot.
    pub(crate) fn passing(self) -> Result<(Side, String), Halt> {
        match self.recovery() {
            Recovery::Reconnect => Ok((self.side(), self.to_string())),
            Recovery::Operator => Err(self.into_halt()),
        }
    }

    /// The same for a run that does not want to try again.
    pub(crate) fn into_halt(self) -> Halt {
        match self {
            Setback::Unserved(side) => Halt::Outage { side, seconds: 0, last: self.to_string() },
            Setback::Side(error) => Halt::Side(error),
        }
    }

    /// The side that failed.
    pub(crate) fn side(&self) -> Side {
        match self {
            Setback::Side(error) => error.peer.side,
            Setback::Unserved(side) => *side,
        }
    }
}

impl From<Error> for Setback {
    fn from(error: Error) -> Setback {
        Setback::Side(error)
    }
}

impl fmt::Display for Setback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setback::Side(error) => error.fmt(f),
            Setback::Unserved(side) => {
                write!(f, "{side}: the cluster is not whole: no node serves the slot of a key")
            }
        }
    }
}
