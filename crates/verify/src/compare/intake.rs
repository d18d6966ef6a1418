//! Digests the elements of a collection from the tokens of replies, whole or in pages, without keeping them.

use std::collections::HashSet;

use resp::Token;

use super::job::Odd;
use super::kind::ValueKind;
use super::page::Measure;
use crate::digest::{Ordered, Unordered, both, part, score, scored};

/// What a reply is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Elements, or fields and values, or members and scores, one behind the other.
    Flat,
    /// A cursor before that.
    Scanned,
    /// Entries of a stream.
    Entries,
}

/// Where in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Top,
    Cursor,
    List,
    /// So many texts are to come.
    Texts(u64),
    /// So many entries are to come, and the next thing is an entry, its id or its list of texts.
    Entry(u64),
    Id(u64),
    Fields(u64),
    /// So many entries, this one included, and so many of its texts are to come.
    Field(u64, u64),
}

/// A share of all elements, chosen by their digests, with those that were seen: lets each count once.
#[derive(Debug)]
struct Once {
    passes: u64,
    pass: u64,
    seen: HashSet<u64>,
}

/// One side of a collection.
#[derive(Debug)]
pub(super) struct Intake {
    kind: ValueKind,
    shape: Shape,
    at: At,
    /// The first half of a pair, or an entry so far.
    held: Option<u128>,
    held_bytes: usize,
    ordered: Ordered,
    unordered: Unordered,
    once: Option<Once>,
    /// What the last page said: 0 at the end.
    pub(super) cursor: u64,
    /// The id of the last entry.
    pub(super) last_id: Vec<u8>,
    measure: Measure,
}

impl Intake {
    pub(super) fn new(kind: ValueKind, shape: Shape) -> Intake {
        Intake {
            kind,
            shape,
            at: At::Top,
            held: None,
            held_bytes: 0,
            ordered: Ordered::default(),
            unordered: Unordered::default(),
            once: None,
            cursor: 0,
            last_id: Vec::new(),
            measure: Measure::default(),
        }
    }

    /// Begins anew, in so many passes over everything, each of which counts a share of the elements once.
    pub(super) fn count_once(&mut self, passes: u64) {
        self.unordered = Unordered::default();
        self.cursor = 0;
        self.once = Some(Once { passes: passes.max(1), pass: 0, seen: HashSet::new() });
    }

    /// Whether another pass has to follow; it is begun then.
    pub(super) fn next_pass(&mut self) -> bool {
        let Some(once) = &mut self.once else { return false };
        once.pass += 1;
        once.seen.clear();
        once.pass < once.passes
    }

    pub(super) fn counts_once(&self) -> bool {
        self.once.is_some()
    }

    /// Elements so far.
    pub(super) fn count(&self) -> u64 {
        if self.is_ordered() { self.ordered.count } else { self.unordered.count }
    }

    pub(super) fn digest(&self) -> u128 {
        if self.is_ordered() { self.ordered.digest() } else { self.unordered.digest() }
    }

    /// What came since this was last asked.
    pub(super) fn take_measure(&mut self) -> Measure {
        std::mem::take(&mut self.measure)
    }

    fn is_ordered(&self) -> bool {
        matches!(self.kind, ValueKind::List | ValueKind::Stream)
    }

    #[inline]
    pub(super) fn token(&mut self, token: &Token, bytes: &[u8]) -> Result<(), Odd> {
        self.at = match (self.at, token) {
            (At::Texts(left), Token::Bulk(_)) => {
                self.text(bytes)?;
                texts(left - 1)
            }
            (At::Top, Token::Array(count)) => match self.shape {
                Shape::Flat => texts(*count),
                Shape::Scanned if *count == 2 => At::Cursor,
                Shape::Scanned => return Err(Odd),
                Shape::Entries => entries(*count),
            },
            (At::Cursor, Token::Bulk(_)) => {
                let cursor = std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
                self.cursor = cursor.ok_or(Odd)?;
                At::List
            }
            (At::List, Token::Array(count)) => texts(*count),
            (At::Entry(left), Token::Array(2)) => At::Id(left),
            (At::Id(left), Token::Bulk(_)) => {
                self.held = Some(part(bytes));
                self.held_bytes = bytes.len();
                self.last_id.clear();
                self.last_id.extend_from_slice(bytes);
                At::Fields(left)
            }
            (At::Fields(left), Token::Array(count)) => {
                self.held = self.held.map(|held| both(held, u128::from(*count)));
                self.entry(left, *count)
            }
            (At::Field(left, texts), Token::Bulk(_)) => {
                self.held = self.held.map(|held| both(held, part(bytes)));
                self.held_bytes += bytes.len();
                self.entry(left, texts - 1)
            }
            _ => return Err(Odd),
        };
        Ok(())
    }

    /// An entry of which so many texts are to come.
    fn entry(&mut self, left: u64, texts: u64) -> At {
        if texts > 0 {
            return At::Field(left, texts);
        }
        if let Some(held) = self.held.take() {
            self.ordered.push(held);
            self.measure.element(self.held_bytes);
        }
        entries(left - 1)
    }

    #[inline]
    fn text(&mut self, bytes: &[u8]) -> Result<(), Odd> {
        let element = match (self.kind, self.held.take()) {
            (ValueKind::List, _) => {
                self.ordered.push(part(bytes));
                self.measure.element(bytes.len());
                return Ok(());
            }
            (ValueKind::Hash | ValueKind::Zset, None) => {
                self.held = Some(part(bytes));
                self.held_bytes = bytes.len();
                return Ok(());
            }
            (ValueKind::Hash, Some(field)) => both(field, part(bytes)),
            (ValueKind::Zset, Some(member)) => scored(score(bytes).ok_or(Odd)?, member),
            _ => part(bytes),
        };
        self.measure.element(std::mem::take(&mut self.held_bytes) + bytes.len());
        if let Some(once) = &mut self.once {
            // The lowest bits choose the pass, others tell the elements apart.
            let is_counted =
                element as u64 % once.passes == once.pass && once.seen.insert((element >> 64) as u64);
            if !is_counted {
                return Ok(());
            }
        }
        self.unordered.push(element);
        Ok(())
    }
}

fn texts(left: u64) -> At {
    if left == 0 { At::Top } else { At::Texts(left) }
}

fn entries(left: u64) -> At {
    if left == 0 { At::Top } else { At::Entry(left) }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use resp::{Decoder, Limits};

    use super::*;

    /// Feeds replies as they come from a server.
    fn feed(intake: &mut Intake, replies: &str) -> Result<(), Odd> {
        let buffer = BytesMut::from(replies);
        let mut decoder = Decoder::new(Limits::default());
        while let Some(token) = decoder.next(&buffer).unwrap() {
            let range = if let Token::Bulk(range) = &token { range.clone() } else { 0..0 };
            intake.token(&token, &buffer[range])?;
        }
        assert_eq!(intake.at, At::Top);
        Ok(())
    }

    fn digest(kind: ValueKind, shape: Shape, replies: &str) -> (u64, u128) {
        let mut intake = Intake::new(kind, shape);
        feed(&mut intake, replies).unwrap();
        (intake.count(), intake.digest())
    }

    const A: &str = "$1\r\na\r\n";
    const B: &str = "$1\r\nb\r\n";
    const ONE: &str = "$1\r\n1\r\n";

    #[test]
    fn pages_make_the_same_as_the_whole() {
        let whole = digest(ValueKind::List, Shape::Flat, &format!("*2\r\n{A}{B}"));
        assert_eq!(whole.0, 2);
        assert_eq!(whole, digest(ValueKind::List, Shape::Flat, &format!("*1\r\n{A}*0\r\n*1\r\n{B}")));
        let whole = digest(ValueKind::Hash, Shape::Flat, &format!("*4\r\n{A}{ONE}{B}{A}"));
        let pages = format!("*2\r\n$1\r\n7\r\n*2\r\n{B}{A}*2\r\n$1\r\n0\r\n*2\r\n{A}{ONE}");
        assert_eq!(whole, digest(ValueKind::Hash, Shape::Scanned, &pages));
        let entry = |id: &str| format!("*2\r\n$3\r\n{id}\r\n*2\r\n{A}{B}");
        let whole =
            digest(ValueKind::Stream, Shape::Entries, &format!("*2\r\n{}{}", entry("1-1"), entry("1-2")));
        let pages = format!("*1\r\n{}*1\r\n{}*0\r\n", entry("1-1"), entry("1-2"));
        assert_eq!(whole, digest(ValueKind::Stream, Shape::Entries, &pages));
    }

    #[test]
    fn entries_do_not_run_into_each_other() {
        let entry =
            |id: &str, texts: &[&str]| format!("*2\r\n$3\r\n{id}\r\n*{}\r\n{}", texts.len(), texts.concat());
        let two = format!("*2\r\n{}{}", entry("1-1", &[A, B]), entry("1-2", &[A, B]));
        let one = format!("*1\r\n{}", entry("1-1", &[A, B, A, B]));
        let swapped = format!("*1\r\n{}", entry("1-1", &[B, A, A, B]));
        let digests = [two, one, swapped].map(|text| digest(ValueKind::Stream, Shape::Entries, &text).1);
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
        assert_eq!(digest(ValueKind::Stream, Shape::Entries, &format!("*1\r\n{}", entry("1-1", &[]))).0, 1);
    }

    #[test]
    fn what_a_cursor_brings_twice_counts_once() {
        let page = |texts: String, count: u32| format!("*2\r\n$1\r\n0\r\n*{count}\r\n{texts}");
        let plain = digest(ValueKind::Set, Shape::Scanned, &page([A, B].concat(), 2));
        for passes in [1, 2, 3, 7] {
            let mut intake = Intake::new(ValueKind::Set, Shape::Scanned);
            intake.count_once(passes);
            loop {
                feed(&mut intake, &page([A, B, A].concat(), 3)).unwrap();
                if !intake.next_pass() {
                    break;
                }
            }
            assert_eq!((intake.count(), intake.digest()), plain, "{passes}");
        }
        assert_ne!(digest(ValueKind::Set, Shape::Scanned, &page([A, B, A].concat(), 3)), plain);
    }

    #[test]
    fn what_no_redis_says_is_odd() {
        let odd = |kind, shape, text: &str| feed(&mut Intake::new(kind, shape), text).is_err();
        assert!(odd(ValueKind::Set, Shape::Flat, ":1\r\n"));
        assert!(odd(ValueKind::Set, Shape::Flat, "*1\r\n:1\r\n"));
        assert!(odd(ValueKind::Set, Shape::Scanned, "*1\r\n$1\r\n0\r\n"));
        assert!(odd(ValueKind::Set, Shape::Scanned, "*2\r\n$1\r\nx\r\n*0\r\n"));
        assert!(odd(ValueKind::Zset, Shape::Flat, &format!("*2\r\n{A}{B}")));
        assert!(odd(ValueKind::Stream, Shape::Entries, &format!("*1\r\n*3\r\n{A}{B}{A}")));
    }
}
