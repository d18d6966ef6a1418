//! Where a value ends, found without decoding it.
//!
//! Every encoding is a short grammar of lengths, strings and repetitions. A walker goes through it over chunks of any
//! size, steps over strings without looking into them, and remembers nothing but its place.

use crate::error::Problem;
use crate::kind::TypeCode;
use crate::prefix::{Prefix, lengths, plain_length, text};
use crate::version::Version;

/// A part of an encoding.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A length or count.
    Length,
    /// A string, however it is stored.
    Text,
    /// That many bytes.
    Fixed(u64),
    /// A score as text: one byte of length, of which 253 to 255 are NaN and the infinities.
    OldScore,
    /// The pieces that many times.
    Times(u64, &'static [Piece]),
    /// A count, and the pieces that many times.
    Repeat(&'static [Piece]),
    /// What a module wrote, each part behind an opcode, up to the end mark.
    ModuleParts,
    /// The head of a sparse array (Redis 8.8), and its elements.
    Array,
    /// An element of a sparse array: its index, how it is stored, and it.
    ArrayElement,
}

use Piece::{Array, ArrayElement, Fixed, Length, ModuleParts, OldScore, Repeat, Text, Times};

const STRING: &[Piece] = &[Text];
const STRINGS: &[Piece] = &[Repeat(&[Text])];
const ZSET: &[Piece] = &[Repeat(&[Text, OldScore])];
const ZSET_2: &[Piece] = &[Repeat(&[Text, Fixed(8)])];
const HASH: &[Piece] = &[Repeat(&[Text, Text])];
const HASH_METADATA_PRE_GA: &[Piece] = &[Repeat(&[Length, Text, Text])];
const HASH_METADATA: &[Piece] = &[Fixed(8), Repeat(&[Length, Text, Text])];
const HASH_LISTPACK_EX: &[Piece] = &[Fixed(8), Text];
/// Valkey's `RDB_TYPE_HASH_2`: field, value, and time of expiry or -1.
const VALKEY_HASH_2: &[Piece] = &[Repeat(&[Text, Text, Fixed(8)])];
const QUICKLIST_2: &[Piece] = &[Repeat(&[Length, Text])];
const MODULE_2: &[Piece] = &[Length, ModuleParts];
const ARRAY: &[Piece] = &[Array];
const ARRAY_ELEMENT: &[Piece] = &[ArrayElement];

const NODES: Piece = Repeat(&[Text, Text]);
/// Length and last id.
const FACTS_1: Piece = Times(3, &[Length]);
/// Besides: first id, largest id deleted, entries added.
const FACTS_2: Piece = Times(8, &[Length]);
/// An id, a time and a count of deliveries.
const PENDING: Piece = Repeat(&[Fixed(24), Length]);
const IDS: Piece = Repeat(&[Fixed(16)]);
/// Name, time last seen, entries.
const CONSUMERS: Piece = Repeat(&[Text, Fixed(8), IDS]);
/// Besides: time last active.
const CONSUMERS_3: Piece = Repeat(&[Text, Fixed(16), IDS]);
/// What Redis 8.6 remembers of producers, so as to know entries that they send again.
const PRODUCERS: Piece = Repeat(&[Text, Repeat(&[Text, Length, Length])]);

const STREAM_1: &[Piece] = &[NODES, FACTS_1, Repeat(&[Text, Times(2, &[Length]), PENDING, CONSUMERS])];
const STREAM_2: &[Piece] = &[NODES, FACTS_2, Repeat(&[Text, Times(3, &[Length]), PENDING, CONSUMERS])];
const STREAM_3: &[Piece] = &[NODES, FACTS_2, Repeat(&[Text, Times(3, &[Length]), PENDING, CONSUMERS_3])];
const STREAM_4: &[Piece] =
    &[NODES, FACTS_2, Repeat(&[Text, Times(3, &[Length]), PENDING, CONSUMERS_3]), Times(1, STREAM_TAIL)];
/// Every group ends with the entries that were given back (Redis 8.8).
const STREAM_5: &[Piece] =
    &[NODES, FACTS_2, Repeat(&[Text, Times(3, &[Length]), PENDING, CONSUMERS_3, IDS]), Times(1, STREAM_TAIL)];

/// What stands behind the groups of streams since Redis 8.6: settings, producers, sums.
pub(crate) const STREAM_TAIL: &[Piece] = &[Times(2, &[Length]), PRODUCERS, Times(2, &[Length])];
/// What a module keeps besides keys: its id, when it is loaded (a number behind its opcode), its parts.
pub(crate) const MODULE_AUX: &[Piece] = &[Times(3, &[Length]), ModuleParts];
/// What modules keep about a key (Redis 8.6): for each the class and its parts.
pub(crate) const KEY_METADATA: &[Piece] = &[Repeat(&[Fixed(4), ModuleParts])];

/// How values of that code are built in files and payloads of that version.
///
/// # Errors
/// The code is not known, or such values tell nobody but their module where they end.
pub(crate) fn grammar(code: TypeCode, version: Version) -> Result<&'static [Piece], Problem> {
    Ok(match code.0 {
        0 | 9..=13 | 16 | 17 | 20 => STRING,
        1 | 2 | 14 => STRINGS,
        3 => ZSET,
        4 => HASH,
        5 => ZSET_2,
        6 => return Err(Problem::Malformed("a module's value of a preview of Redis 4.0 has no known end")),
        7 => MODULE_2,
        15 => STREAM_1,
        18 => QUICKLIST_2,
        19 => STREAM_2,
        21 => STREAM_3,
        22 if version.is_valkey() => VALKEY_HASH_2,
        22 => HASH_METADATA_PRE_GA,
        // Valkey gives these numbers to other types than Redis.
        23.. if version.is_valkey() => return Err(Problem::UnknownCode(code.0)),
        23 => STRING,
        24 => HASH_METADATA,
        25 => HASH_LISTPACK_EX,
        26 => STREAM_4,
        27 => STREAM_5,
        28 => ARRAY,
        unknown => return Err(Problem::UnknownCode(unknown)),
    })
}

/// How far a walk got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// The value has ended.
    Ended,
    /// It goes on when at least that many bytes are there behind the place reached.
    Needs(usize),
}

/// A place in a value.
#[derive(Debug, Clone)]
pub(crate) struct Walker {
    /// The repetitions around the place; the grammars nest no deeper.
    frames: [Frame; 5],
    depth: usize,
    /// Bytes to step over.
    skip: u64,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    pieces: &'static [Piece],
    next: usize,
    /// Times that the pieces still come, with the present one.
    left: u64,
}

const NO_FRAME: Frame = Frame { pieces: &[], next: 0, left: 0 };

impl Walker {
    pub(crate) fn new(pieces: &'static [Piece]) -> Walker {
        let mut frames = [NO_FRAME; 5];
        frames[0] = Frame { pieces, next: 0, left: 1 };
        Walker { frames, depth: 1, skip: 0 }
    }

    /// Bytes that are known to follow behind the place reached.
    pub(crate) fn pending(&self) -> u64 {
        self.skip
    }

    /// Goes on over these bytes; says how many it went over, also when it fails.
    pub(crate) fn walk(&mut self, bytes: &[u8]) -> (usize, Result<Walk, Problem>) {
        let mut at = 0;
        loop {
            let rest = (bytes.len() - at) as u64;
            if self.skip > rest {
                self.skip -= rest;
                return (bytes.len(), Ok(Walk::Needs(1)));
            }
            at += std::mem::take(&mut self.skip) as usize;
            let Some(top) = self.depth.checked_sub(1) else { return (at, Ok(Walk::Ended)) };
            let frame = &mut self.frames[top];
            let Some(piece) = frame.pieces.get(frame.next) else {
                frame.left -= 1;
                frame.next = 0;
                if frame.left == 0 {
                    self.depth = top;
                }
                continue;
            };
            match step(piece, &bytes[at..]) {
                Prefix::Whole(step, size) => {
                    at += size;
                    self.go(top, step);
                }
                Prefix::Needs(size) => return (at, Ok(Walk::Needs(size))),
                Prefix::Bad(problem) => return (at, Err(problem)),
            }
        }
    }

    #[inline]
    fn go(&mut self, top: usize, step: Step) {
        match step {
            Step::Over(count) => {
                self.frames[top].next += 1;
                self.skip = count;
            }
            Step::Part(count) => self.skip = count,
            Step::Into(pieces, left) => {
                self.frames[top].next += 1;
                if left > 0 {
                    self.frames[self.depth] = Frame { pieces, next: 0, left };
                    self.depth += 1;
                }
            }
        }
    }
}

/// What is to be done behind a piece's head.
enum Step {
    /// To step over that many bytes to the next piece.
    Over(u64),
    /// To step over that many bytes to the next part of the same piece.
    Part(u64),
    /// To go through these pieces that many times.
    Into(&'static [Piece], u64),
}

#[inline]
fn step(piece: &'static Piece, bytes: &[u8]) -> Prefix<Step> {
    match piece {
        Text => text(bytes).map(|text| Step::Over(text.follows())),
        Length => plain_length(bytes).map(|_| Step::Over(0)),
        Fixed(count) => Prefix::Whole(Step::Over(*count), 0),
        OldScore => match bytes.first() {
            Some(253..) => Prefix::Whole(Step::Over(0), 1),
            Some(&length) => Prefix::Whole(Step::Over(u64::from(length)), 1),
            None => Prefix::Needs(1),
        },
        Times(count, pieces) => Prefix::Whole(Step::Into(pieces, *count), 0),
        Repeat(pieces) => plain_length(bytes).and_then(bytes, |count, _| repeat(pieces, count)),
        ModuleParts => plain_length(bytes).and_then(bytes, module_part),
        Array => lengths(bytes).and_then(bytes, |[count, flag], rest| match flag {
            0 => Prefix::Whole(Step::Into(ARRAY_ELEMENT, count), 0),
            1 => plain_length(rest).map(|_| Step::Into(ARRAY_ELEMENT, count)),
            _ => Prefix::Bad(Problem::Malformed("an array has an unknown head")),
        }),
        ArrayElement => lengths(bytes).and_then(bytes, |[_index, stored_as], rest| match stored_as {
            0 | 3 => text(rest).map(|text| Step::Over(text.follows())),
            1 | 2 => Prefix::Whole(Step::Over(8), 0),
            _ => Prefix::Bad(Problem::Malformed("an element of an array is stored in an unknown form")),
        }),
    }
}

/// Pieces of a fixed size are stepped over at once.
fn repeat(pieces: &'static [Piece], count: u64) -> Prefix<Step> {
    match pieces {
        [Fixed(size)] => match size.checked_mul(count) {
            Some(bytes) => Prefix::Whole(Step::Over(bytes), 0),
            None => Prefix::Bad(Problem::Malformed("a count is larger than anything can hold")),
        },
        _ => Prefix::Whole(Step::Into(pieces, count), 0),
    }
}

/// Source: `RDB_MODULE_OPCODE_*` in Redis' rdb.h.
fn module_part(opcode: u64, rest: &[u8]) -> Prefix<Step> {
    match opcode {
        0 => Prefix::Whole(Step::Over(0), 0),
        1 | 2 => plain_length(rest).map(|_| Step::Part(0)),
        3 => Prefix::Whole(Step::Part(4), 0),
        4 => Prefix::Whole(Step::Part(8), 0),
        5 => text(rest).map(|text| Step::Part(text.follows())),
        _ => Prefix::Bad(Problem::Malformed("a module's value has an unknown part")),
    }
}
