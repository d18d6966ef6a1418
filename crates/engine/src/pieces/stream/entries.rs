//! A stream's entries, and placeholders for deleted ones that are still pending.

use bytes::Bytes;
use client::Read;
use resp::Value;

use super::id::Id;
use crate::pieces::attempt::Job;
use crate::pieces::carry::{Pages, Unfit, carry};
use crate::pieces::early::Step;
use crate::pieces::ranges::bulks;
use crate::pieces::reader::Reader;
use crate::pieces::size::Measure;
use crate::pieces::writer::{Expect, Writer};
use crate::rebuild::Commands;

/// Entries on the target that the source does not have.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    /// How many come before the first real entry.
    pub(super) leading: u64,
    /// The others.
    pub(super) between: Vec<Id>,
}

/// Copies all entries, of which none is later than `last`. `pending` are ids, in order, that must exist afterwards.
pub(super) async fn copy(job: &mut Job<'_>, length: u64, last: Id, pending: Vec<Id>) -> Step<Placeholders> {
    let mut size = job.piece_size(length).await?;
    let mut pages = Entries {
        key: job.names.key,
        temp: job.names.temp,
        from: (length > 0).then(Id::default),
        last,
        pending: pending.into_iter().peekable(),
        received: Vec::new(),
        seen: 0,
        placeholders: Placeholders::default(),
    };
    carry(job, &mut pages, &mut size).await?;
    // Those after the last entry, in bounded pieces too.
    let mut rest = pages.pending.by_ref().collect::<Vec<_>>().into_iter().peekable();
    while rest.peek().is_some() {
        for id in rest.by_ref().take(PLACEHOLDERS_AT_ONCE) {
            pages.placeholder(id, &mut job.lines.writer);
        }
        job.lines.writer.settle(1).await?;
    }
    Ok(pages.placeholders)
}

const PLACEHOLDERS_AT_ONCE: usize = 10_000;

struct Entries<'a> {
    key: &'a [u8],
    temp: &'a [u8],
    /// Where the next page begins; `None` when all pages came.
    from: Option<Id>,
    last: Id,
    pending: std::iter::Peekable<std::vec::IntoIter<Id>>,
    received: Vec<(Id, Vec<Bytes>)>,
    seen: u64,
    placeholders: Placeholders,
}

impl Pages for Entries<'_> {
    fn ask(&mut self, reader: &mut Reader, count: u32) -> usize {
        let Some(from) = self.from else { return 0 };
        reader.push(Read::XRange(self.key, &from.to_string(), count));
        1
    }

    fn receive(&mut self, mut replies: Vec<Value>) -> Result<Measure, Unfit> {
        let odd = || Unfit::Odd("XRANGE");
        let entries = replies.pop().and_then(Value::into_array).ok_or_else(odd)?;
        let entries: Option<Vec<_>> = entries.into_iter().map(entry).collect();
        self.received = entries.ok_or_else(odd)?;
        if self.received.last().is_some_and(|(id, _)| *id > self.last) {
            return Err(Unfit::Changed);
        }
        // A page shorter than asked for is not taken for the last one: an empty one is.
        self.from = self.received.last().and_then(|(id, _)| id.next());
        let mut measure = Measure::default();
        for (_, payloads) in &self.received {
            measure.element(payloads.iter().map(Bytes::len).sum::<usize>() + size_of::<Id>());
        }
        Ok(measure)
    }

    fn write(&mut self, writer: &mut Writer) {
        for (id, payloads) in std::mem::take(&mut self.received) {
            while let Some(missing) = self.pending.next_if(|pending| *pending < id) {
                self.placeholder(missing, writer);
            }
            self.pending.next_if_eq(&id);
            self.seen += 1;
            writer.begin("XADD", 2 + payloads.len(), Expect::Success);
            writer.arg(self.temp);
            writer.arg(id.to_string().as_bytes());
            payloads.into_iter().for_each(|payload| writer.value(payload));
        }
    }
}

impl Entries<'_> {
    fn placeholder(&mut self, id: Id, writer: &mut Writer) {
        if self.seen == 0 {
            self.placeholders.leading += 1;
        } else {
            self.placeholders.between.push(id);
        }
        writer.push("XADD", &[self.temp, id.to_string().as_bytes(), b"", b""], Expect::Success);
    }
}

fn entry(value: Value) -> Option<(Id, Vec<Bytes>)> {
    let mut parts = value.into_array()?.into_iter();
    let id = Id::parse(parts.next()?.as_bytes()?)?;
    Some((id, bulks(parts.next()?.into_array()?)?))
}
