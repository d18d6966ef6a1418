//! One key on its way, and what was asked of the source for it.

use migration::tally::KeyType;

use crate::names::KeyRef;
use crate::unlink::Removal;

/// What is done next for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Choose by guessing.
    Guess,
    /// Ask type and time to live, because a filter wants them.
    Screen,
    /// Read a string that should be short.
    ReadShort,
    /// Ask a string's length.
    AskLength,
    /// Ask a collection's size.
    AskSize,
    /// Read a string of about this many bytes.
    ReadLong(u64),
    /// Dump a value of about this many bytes.
    Dump(u64),
}

/// A key that is not settled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    pub(crate) key: KeyRef,
    pub(crate) step: Step,
    pub(crate) screened: bool,
    /// How often the target's connection broke while its write was under way.
    pub(crate) losses: u8,
    /// How often it was read again because its expiry was not known exactly.
    pub(crate) readings: u8,
}

impl Work {
    pub(crate) fn new(key: KeyRef, screen: bool) -> Work {
        Work {
            key,
            step: if screen { Step::Screen } else { Step::Guess },
            screened: !screen,
            losses: 0,
            readings: 0,
        }
    }

    /// The same key from the beginning, after its reply or its write was lost.
    pub(crate) fn again(self) -> Work {
        Work { step: if self.screened { Step::Guess } else { Step::Screen }, ..self }
    }

    /// The same after its write was lost.
    pub(crate) fn lost(self) -> Work {
        Work { losses: self.losses.saturating_add(1), ..self.again() }
    }

    /// The same because its expiry was not known exactly.
    pub(crate) fn reread(self) -> Work {
        Work { readings: self.readings.saturating_add(1), ..self.again() }
    }

    pub(crate) fn then(self, step: Step) -> Work {
        Work { step, ..self }
    }
}

/// A request to the source whose reply is due, in order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    Ping,
    Scan,
    /// TIME before a group of keys.
    Begin,
    /// TIME after it.
    End,
    Screen(Work),
    Length(Work),
    Size(Work),
    /// MULTI, PTTL, (idle time), value, EXEC.
    Value(Work),
}

impl Asked {
    pub(crate) fn work(&self) -> Option<Work> {
        match *self {
            Asked::Screen(work) | Asked::Length(work) | Asked::Size(work) | Asked::Value(work) => Some(work),
            Asked::Ping | Asked::Scan | Asked::Begin | Asked::End => None,
        }
    }
}

/// A write to the target whose reply is due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) work: Work,
    pub(crate) kind: KeyType,
    pub(crate) bytes: u64,
    /// The group whose verdict decides whether its expiry is exact; `None` when that does not matter.
    pub(crate) group: Option<u32>,
    /// It is no value: the key is removed, by this command.
    pub(crate) removal: Option<Removal>,
}
