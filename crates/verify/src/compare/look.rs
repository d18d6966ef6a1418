//! What is known of one key of a batch.

use super::job::{Finding, Job};
use super::kind::ValueKind;
use super::line::Refusal;

/// What the replies that are due answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Expiry, and the size by the guessed type.
    First,
    /// TYPE, because the guess was wrong.
    Type,
    /// The size by the type.
    Size,
    /// STRLEN of a string that is longer than its beginning.
    Length,
    Job,
}

/// How a look ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Neither side has the key.
    Gone,
    /// This side does not have the key, the other one does.
    OnlyNotOn(usize),
    NotCompared(&'static str),
    /// The key changed between two questions in a way that leaves nothing to judge.
    Torn,
    /// The finding says it.
    Judged,
}

/// One side of a key, as far as it was asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Milliseconds, -1 without an expiry, -2 without the key.
    pub(super) pttl_ms: i64,
    /// Position of the moment before PTTL.
    pub(super) mark: u32,
    /// Bytes or elements.
    pub(super) size: u64,
    /// Of a string's beginning.
    pub(super) digest: u128,
    pub(super) type_name: Option<Box<[u8]>>,
    pub(super) refusal: Option<Refusal>,
}

pub(super) struct Look {
    pub(super) routes: [u16; 2],
    pub(super) kind: ValueKind,
    pub(super) step: Step,
    /// Replies that are due.
    pub(super) waiting: u32,
    /// How often the type turned out to be another one.
    pub(super) surprises: u8,
    pub(super) sides: [Seen; 2],
    /// Bytes on the source; `None` when it was not asked or not told.
    pub(super) memory: Option<u64>,
    pub(super) memory_asked: bool,
    pub(super) fields_asked: bool,
    pub(super) job: Option<Box<dyn Job>>,
    pub(super) load: Load,
    pub(super) finding: Finding,
    pub(super) end: Option<End>,
}

/// What a job of a key costs while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Load {
    #[default]
    None,
    /// About so many bytes are on their way.
    Bytes(u64),
    /// One of the few that are in pieces.
    Pieces,
}

impl Look {
    pub(super) fn new(routes: [u16; 2], kind: ValueKind) -> Look {
        Look {
            routes,
            kind,
            step: Step::First,
            waiting: 0,
            surprises: 0,
            sides: Default::default(),
            memory: None,
            memory_asked: false,
            fields_asked: false,
            job: None,
            load: Load::None,
            finding: Finding::default(),
            end: None,
        }
    }

    /// The gravest refusal of either side.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let gravity = |refusal: &Refusal| match refusal {
            Refusal::WrongType => 0,
            Refusal::Vanished => 1,
            Refusal::Other => 2,
            Refusal::NotAllowed => 3,
        };
        self.sides.iter().filter_map(|seen| seen.refusal).max_by_key(gravity)
    }

    /// Ends because a side would not answer, where that is final.
    pub(super) fn refused(refusal: Refusal) -> End {
        match refusal {
            Refusal::NotAllowed => End::NotCompared("no_permission"),
            Refusal::Other => End::NotCompared("refused"),
            Refusal::Vanished | Refusal::WrongType => End::Torn,
        }
    }

    pub(super) fn sizes(&self) -> [u64; 2] {
        [self.sides[0].size, self.sides[1].size]
    }

    /// Whether the key was there on each side when its expiry was asked for.
    pub(super) fn exists(&self) -> [bool; 2] {
        [self.sides[0].pttl_ms != -2, self.sides[1].pttl_ms != -2]
    }
}
