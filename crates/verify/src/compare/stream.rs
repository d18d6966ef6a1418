//! Streams: facts first, then groups, then entries.

use std::collections::VecDeque;

use client::Read;
use resp::{Token, Value};

use super::groups::Groups;
use super::intake::{Intake, Shape};
use super::job::{Asker, Finding, Job, Odd};
use super::kind::ValueKind;
use super::page::PageSize;
use super::sides::BOTH;
use crate::digest::{both, part};
use crate::outcome::Kind;

/// Where the job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Begin,
    Facts,
    Groups,
    Entries,
}

pub(super) struct StreamJob {
    step: Step,
    sizes: [u64; 2],
    /// In pages.
    pages: Option<PageSize>,
    sides: [Side; 2],
    finding: Finding,
    /// Entries were read.
    compares_entries: bool,
}

struct Side {
    /// Facts, then groups.
    due: VecDeque<Due>,
    facts: Facts,
    groups: Groups,
    entries: Intake,
    /// Entries before the page that was asked for last.
    before: u64,
}

#[derive(Debug, Clone, Copy)]
enum Due {
    Facts,
    Groups,
}

/// What XINFO STREAM tells beside the entries.
#[derive(Debug, Default)]
struct Facts {
    last_id: u128,
    /// Entries ever added and the largest deleted id: since Redis 7.0.
    counters: Option<u128>,
}

impl StreamJob {
    /// For streams of this many entries; without pages, all of them are read at once.
    pub(super) fn new(sizes: [u64; 2], pages: Option<PageSize>) -> StreamJob {
        let side = || Side {
            due: VecDeque::new(),
            facts: Facts::default(),
            groups: Groups::default(),
            entries: Intake::new(ValueKind::Stream, Shape::Entries),
            before: 0,
        };
        StreamJob {
            step: Step::Begin,
            sizes,
            pages,
            sides: [side(), side()],
            finding: Finding::default(),
            compares_entries: false,
        }
    }

    fn judge_facts(&mut self) {
        let [source, target] = &self.sides;
        self.finding.compare(Kind::Value, self.sizes.map(u128::from));
        self.finding.compare(Kind::Value, [source.facts.last_id, target.facts.last_id]);
        if let (Some(source), Some(target)) = (source.facts.counters, target.facts.counters) {
            self.finding.compare(Kind::Value, [source, target]);
        }
        // Entries cannot make it equal any more.
        self.compares_entries = !self.finding.kinds.contains(Kind::Value);
    }

    fn judge_groups(&mut self) {
        let [source, target] = &self.sides;
        self.finding.compare(Kind::Group, [source.groups.digest(), target.groups.digest()]);
        self.finding.compare(Kind::Group, source.groups.read_by_both(&target.groups));
    }

    fn ask_entries(&mut self, asker: &mut Asker<'_>) {
        let pages = &mut self.pages;
        let count = pages.as_mut().map(|pages| {
            self.sides.iter_mut().for_each(|side| pages.saw(side.entries.take_measure()));
            pages.count()
        });
        for (index, side) in self.sides.iter_mut().enumerate() {
            let seen = side.entries.count();
            let begins = side.entries.last_id.is_empty();
            // A page that brought nothing is the end, whatever the length said.
            if seen >= self.sizes[index] || (!begins && seen == side.before) {
                continue;
            }
            let count = count.unwrap_or(u32::try_from(self.sizes[index]).unwrap_or(u32::MAX));
            let from = if begins { Some("-".to_owned()) } else { after(&side.entries.last_id) };
            if let Some(from) = from {
                side.before = seen;
                asker.tokens(index, Read::XRange(asker.name(index), &from, count));
                if begins {
                    // Whatever comes, it is not the beginning any more.
                    side.entries.last_id.extend_from_slice(b"0-0");
                }
            }
        }
    }
}

impl Job for StreamJob {
    fn ask(&mut self, asker: &mut Asker<'_>) {
        if self.step == Step::Begin {
            self.step = Step::Facts;
            for side in BOTH {
                self.sides[side].due.extend([Due::Facts, Due::Groups]);
                asker.whole(side, Read::XInfoStream(asker.name(side)));
                asker.whole(side, Read::XInfoGroups(asker.name(side)));
            }
            return;
        }
        if self.step == Step::Facts {
            self.judge_facts();
            self.step = Step::Groups;
        }
        if self.step == Step::Groups {
            for side in BOTH {
                self.sides[side].groups.ask(side, asker);
            }
            if asker.asked() > 0 {
                return;
            }
            self.judge_groups();
            self.step = Step::Entries;
        }
        if self.compares_entries {
            self.ask_entries(asker);
        }
    }

    fn token(&mut self, side: usize, token: &Token, bytes: &[u8]) -> Result<(), Odd> {
        self.sides[side].entries.token(token, bytes)
    }

    fn whole(&mut self, side: usize, reply: Value) -> Result<(), Odd> {
        let side = &mut self.sides[side];
        match side.due.pop_front() {
            Some(Due::Facts) => side.facts = Facts::of(&reply).ok_or(Odd)?,
            Some(Due::Groups) => side.groups = Groups::of(reply).ok_or(Odd)?,
            None => side.groups.whole(reply)?,
        }
        Ok(())
    }

    fn finding(&self) -> Finding {
        let mut finding = self.finding;
        if self.compares_entries {
            finding.compare(Kind::Value, [0, 1].map(|side: usize| self.sides[side].entries.digest()));
        }
        finding
    }
}

impl Facts {
    fn of(reply: &Value) -> Option<Facts> {
        let facts = reply.as_array()?;
        let text = |name: &str| field(facts, name)?.as_bytes().map(part);
        let added = field(facts, "entries-added").and_then(Value::as_i64);
        let counters = added.zip(text("max-deleted-entry-id"));
        Some(Facts {
            last_id: text("last-generated-id")?,
            counters: counters.map(|(added, deleted)| both(added as u128, deleted)),
        })
    }
}

/// The value of that name, of names and values in turn.
pub(super) fn field<'a>(pairs: &'a [Value], name: &str) -> Option<&'a Value> {
    pairs.chunks_exact(2).find(|pair| pair[0].as_bytes() == Some(name.as_bytes())).map(|pair| &pair[1])
}

/// The smallest id after this one. Redis before 6.2 knows no ranges that leave out their beginning.
pub(super) fn after(id: &[u8]) -> Option<String> {
    let (ms, seq) = std::str::from_utf8(id).ok()?.split_once('-')?;
    let (ms, seq): (u64, u64) = (ms.parse().ok()?, seq.parse().ok()?);
    match seq.checked_add(1) {
        Some(seq) => Some(format!("{ms}-{seq}")),
        None => Some(format!("{}-0", ms.checked_add(1)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::after;

    #[test]
    fn the_sequence_carries() {
        assert_eq!(after(b"5-7").as_deref(), Some("5-8"));
        assert_eq!(after(b"5-18446744073709551615").as_deref(), Some("6-0"));
        assert_eq!(after(b"18446744073709551615-18446744073709551615"), None);
        assert_eq!(after(b"5"), None);
    }
}
