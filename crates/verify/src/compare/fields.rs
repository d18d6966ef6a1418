//! Expiries of a hash's fields. The source's fields decide which are asked for; a field that one side does not have
//! is a matter of the value.

use bytes::Bytes;
use client::Read;
use resp::Value;

use super::expiry::{Agreement, Expiry, agreement};
use super::job::{Asker, Finding, Job, Odd};
use super::page::{Measure, PageSize};
use super::sides::{BOTH, SOURCE, TARGET};
use crate::clock::Clock;
use crate::digest::{Unordered, both, part};
use crate::outcome::Kind;

/// HPEXPIRETIME for a field that is there and does not expire.
const NEVER: i64 = -1;
/// HPEXPIRETIME for a field that is not there.
const NO_FIELD: i64 = -2;

/// What the comparison of expiries needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// Which side knows HPEXPIRETIME; on the other no field expires.
    pub(super) known: [bool; 2],
    pub(super) clocks: [Option<Clock>; 2],
    pub(super) now_us: i64,
    pub(super) tolerance_us: u64,
}

pub(super) struct FieldsJob {
    terms: Terms,
    pages: PageSize,
    /// Where the next page begins; `None` behind the last one.
    cursor: Option<u64>,
    names: Vec<Bytes>,
    times: [Option<Vec<i64>>; 2],
    seen: [Unordered; 2],
    finding: Finding,
}

impl FieldsJob {
    pub(super) fn new(terms: Terms) -> FieldsJob {
        FieldsJob {
            terms,
            pages: PageSize::new(None),
            cursor: Some(0),
            names: Vec::new(),
            times: [None, None],
            seen: Default::default(),
            finding: Finding::default(),
        }
    }

    fn page(&mut self, reply: Value) -> Option<()> {
        let mut parts = reply.into_array()?.into_iter();
        let cursor = u64::try_from(parts.next()?.as_i64()?).ok();
        let mut measure = Measure::default();
        for pair in parts.next()?.into_array()?.chunks_exact(2) {
            let [Value::Bulk(field), Value::Bulk(value)] = pair else { return None };
            measure.element(field.len() + value.len());
            // A name of its own: a slice would keep all the values in memory.
            self.names.push(Bytes::copy_from_slice(field));
        }
        self.pages.saw(measure);
        self.cursor = cursor.filter(|cursor| *cursor != 0);
        Some(())
    }

    fn judge(&mut self) {
        let names = std::mem::take(&mut self.names);
        let times = [0, 1].map(|side: usize| self.times[side].take());
        for (index, name) in names.iter().enumerate() {
            let time = |side: usize| match &times[side] {
                Some(times) => times.get(index).copied().unwrap_or(NO_FIELD),
                None => NEVER,
            };
            let both_ms = [time(SOURCE), time(TARGET)];
            for side in BOTH {
                if both_ms[side] >= 0 {
                    self.seen[side].push(both(part(name), both_ms[side] as u128));
                }
            }
            if !both_ms.contains(&NO_FIELD) && both_ms != [NEVER, NEVER] {
                self.judge_field(both_ms);
            }
        }
    }

    fn judge_field(&mut self, unix_ms: [i64; 2]) {
        if unix_ms.contains(&NEVER) {
            self.finding.kinds = self.finding.kinds.with(Kind::Ttl);
            return;
        }
        let [Some(source), Some(target)] = &self.terms.clocks else {
            self.finding.not_compared = Some("no_permission");
            return;
        };
        let expiries = [(source, unix_ms[SOURCE]), (target, unix_ms[TARGET])]
            .map(|(clock, unix_ms)| Some(Expiry::of_unix_ms(unix_ms, clock, self.terms.now_us)));
        match agreement(expiries, self.terms.tolerance_us) {
            Agreement::Same(bound) => {
                self.finding.bound_us = self.finding.bound_us.max(bound.unwrap_or(0));
            }
            Agreement::Other(bound) => {
                self.finding.bound_us = self.finding.bound_us.max(bound.unwrap_or(0));
                self.finding.kinds = self.finding.kinds.with(Kind::Ttl);
            }
            Agreement::Vague => self.finding.vague = true,
        }
    }
}

impl Job for FieldsJob {
    /// Names first, then their times.
    fn ask(&mut self, asker: &mut Asker<'_>) {
        if self.times.iter().any(Option::is_some) {
            self.judge();
        }
        if !self.names.is_empty() {
            let names: Vec<&[u8]> = self.names.iter().map(|name| &name[..]).collect();
            for side in BOTH.into_iter().filter(|side| self.terms.known[*side]) {
                asker.whole(side, Read::HPExpireTime(asker.name(side), &names));
            }
        } else if let Some(cursor) = self.cursor.take() {
            asker.whole(SOURCE, Read::HScan(asker.name(SOURCE), cursor, self.pages.count()));
        }
    }

    fn whole(&mut self, side: usize, reply: Value) -> Result<(), Odd> {
        if self.names.is_empty() {
            return self.page(reply).ok_or(Odd);
        }
        let times = match reply {
            Value::Null => Vec::new(),
            reply => {
                let times = reply.as_array().ok_or(Odd)?.iter().map(Value::as_i64);
                times.collect::<Option<Vec<i64>>>().ok_or(Odd)?
            }
        };
        self.times[side] = Some(times);
        Ok(())
    }

    fn finding(&self) -> Finding {
        Finding { hash: both(self.seen[SOURCE].digest(), self.seen[TARGET].digest()), ..self.finding }
    }
}
