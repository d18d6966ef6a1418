//! Which of the two caches is in charge.

use serde::{Deserialize, Serialize};

/// Which way keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    /// From the source to the target: the source is in charge.
    Forward,
    /// From the target back to the source, after a cut-over: the target is in charge.
    Back,
}

impl Direction {
    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Direction::Forward => "forward",
            Direction::Back => "back",
        }
    }

    /// The other way.
    pub(crate) fn turned(self) -> Direction {
        match self {
            Direction::Forward => Direction::Back,
            Direction::Back => Direction::Forward,
        }
    }
}

/// Putting the other cache in charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Turn {
    /// The target takes over.
    CutOver,
    /// The source takes over again.
    RollBack,
}

impl Turn {
    /// The name in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Turn::CutOver => "cut_over",
            Turn::RollBack => "roll_back",
        }
    }

    /// The direction that it ends.
    pub(crate) fn ends(self) -> Direction {
        match self {
            Turn::CutOver => Direction::Forward,
            Turn::RollBack => Direction::Back,
        }
    }
}
