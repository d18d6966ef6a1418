//! Lists, sets, hashes and sorted sets: whole, or page by page.
//!
//! A cursor brings an element again when the table behind it changes its size in between. If a side brought another
//! number of elements than it has, and the sides do not agree, it is read again with each element counted once.
//! What remains then is a value that really differs, one that changed meanwhile, or fields that expired meanwhile:
//! another look tells.

use client::Read;
use resp::Token;

use super::intake::{Intake, Shape};
use super::job::{Asker, Finding, Job, Odd};
use super::kind::ValueKind;
use super::page::PageSize;
use super::sides::BOTH;
use crate::outcome::Kind;

/// Elements that are told apart in one pass, at some 10 bytes each.
const ONCE: u64 = 250_000;

/// Pages that are asked for at once where they do not depend on each other.
const AHEAD: usize = 2;

/// The end of a range that has everything.
const END: u64 = i64::MAX as u64;

pub(super) struct ElementsJob {
    kind: ValueKind,
    /// In pages.
    pages: Option<PageSize>,
    sides: [Reading; 2],
    counted_once: bool,
}

struct Reading {
    /// Elements by LLEN and the like.
    size: u64,
    intake: Intake,
    /// Position of the next element.
    next: u64,
    begun: bool,
    done: bool,
}

impl ElementsJob {
    /// Without pages, a value is read by one command.
    pub(super) fn new(kind: ValueKind, sizes: [u64; 2], pages: Option<PageSize>) -> ElementsJob {
        let scanned = pages.is_some() && matches!(kind, ValueKind::Set | ValueKind::Hash);
        let shape = if scanned { Shape::Scanned } else { Shape::Flat };
        let reading =
            |size| Reading { size, intake: Intake::new(kind, shape), next: 0, begun: false, done: size == 0 };
        ElementsJob { kind, pages, sides: sizes.map(reading), counted_once: false }
    }

    fn whole(&mut self, asker: &mut Asker<'_>) {
        for side in BOTH {
            if !self.sides[side].done {
                asker.tokens(side, whole(self.kind, asker.name(side)));
                self.sides[side].done = true;
            }
        }
    }

    fn range(&mut self, asker: &mut Asker<'_>, count: u32) {
        for (side, reading) in self.sides.iter_mut().enumerate() {
            for _ in 0..AHEAD {
                if reading.next < reading.size {
                    let (from, to) = (reading.next, reading.next + u64::from(count) - 1);
                    asker.tokens(side, range(self.kind, asker.name(side), from, to));
                    reading.next = to + 1;
                }
            }
        }
    }

    fn scan(&mut self, asker: &mut Asker<'_>, count: u32) {
        self.advance_cursors();
        if self.sides.iter().all(|side| side.done) && !self.counted_once && !self.agrees() {
            self.counted_once = true;
            for reading in self.sides.iter_mut().filter(|side| side.intake.count() != side.size) {
                reading.intake.count_once(reading.size.div_ceil(ONCE));
                (reading.begun, reading.done) = (false, false);
            }
        }
        for (side, reading) in self.sides.iter_mut().enumerate() {
            if !reading.done {
                let cursor = reading.intake.cursor;
                reading.begun = true;
                asker.tokens(side, scan(self.kind, asker.name(side), cursor, count));
            }
        }
    }

    fn advance_cursors(&mut self) {
        for reading in &mut self.sides {
            if reading.begun && !reading.done && reading.intake.cursor == 0 {
                reading.done = !(reading.intake.counts_once() && reading.intake.next_pass());
            }
        }
    }

    fn agrees(&self) -> bool {
        self.sides[0].intake.digest() == self.sides[1].intake.digest()
    }
}

impl Job for ElementsJob {
    fn ask(&mut self, asker: &mut Asker<'_>) {
        let Some(pages) = &mut self.pages else { return self.whole(asker) };
        self.sides.iter_mut().for_each(|side| pages.saw(side.intake.take_measure()));
        let count = pages.count();
        match self.kind {
            ValueKind::Set | ValueKind::Hash => self.scan(asker, count),
            _ => self.range(asker, count),
        }
    }

    fn token(&mut self, side: usize, token: &Token, bytes: &[u8]) -> Result<(), Odd> {
        self.sides[side].intake.token(token, bytes)
    }

    fn finding(&self) -> Finding {
        let mut finding = Finding::default();
        finding.compare(Kind::Value, [0, 1].map(|side: usize| self.sides[side].intake.digest()));
        finding
    }
}

fn whole(kind: ValueKind, key: &[u8]) -> Read<'_> {
    match kind {
        ValueKind::Set => Read::SMembers(key),
        ValueKind::Hash => Read::HGetAll(key),
        _ => range(kind, key, 0, END),
    }
}

fn range(kind: ValueKind, key: &[u8], from: u64, to: u64) -> Read<'_> {
    match kind {
        ValueKind::Zset => Read::ZRange(key, from, to),
        _ => Read::LRange(key, from, to),
    }
}

fn scan(kind: ValueKind, key: &[u8], cursor: u64, count: u32) -> Read<'_> {
    match kind {
        ValueKind::Hash => Read::HScan(key, cursor, count),
        _ => Read::SScan(key, cursor, count),
    }
}
