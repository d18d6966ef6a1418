//! What was delivered to consumers and is not acknowledged.

use std::collections::BTreeMap;

use bytes::Bytes;
use client::Read;
use itoa::Buffer;
use resp::Value;

use super::groups::Group;
use super::id::Id;
use crate::clocks::time_us;
use crate::pieces::PiecesEnd;
use crate::pieces::attempt::Job;
use crate::pieces::carry::{Pages, Unfit, carry};
use crate::pieces::early::{Early, Step};
use crate::pieces::reader::Reader;
use crate::pieces::size::{MAX_ELEMENTS, Measure, PieceSize};
use crate::pieces::writer::{Expect, Writer};
use crate::rebuild::Commands;

/// All ids that are pending in any group, in order.
pub(super) async fn ids(job: &mut Job<'_>, groups: &[Group]) -> Step<Vec<Id>> {
    let key = job.names.key;
    let reader = &mut job.lines.reader;
    let mut ids = Vec::new();
    for group in groups.iter().filter(|group| group.pending > 0) {
        let mut from = Some(Id::default());
        while let Some(begin) = from {
            if job.run.stop.is_asked() {
                return Err(Early::End(PiecesEnd::Stopped));
            }
            let begin = begin.to_string();
            let page = reader.ask(Read::XPending(key, &group.name, &begin, MAX_ELEMENTS as u32)).await?;
            let entries = entries(page).ok_or_else(|| reader.odd("XPENDING"))?;
            from = entries.last().and_then(|entry| entry.id.next());
            ids.extend(entries.iter().map(|entry| entry.id));
        }
        ids.sort_unstable();
        ids.dedup();
    }
    Ok(ids)
}

/// Bytes that a pending entry takes on the line, about.
const ENTRY_BYTES: usize = 64;

/// Makes the group's entries pending on the target, whose stream has to hold all of them.
pub(super) async fn write(job: &mut Job<'_>, group: &Group) -> Step<()> {
    let to_target_us =
        i128::from(job.lines.writer.clock().offset_us) - i128::from(job.lines.reader.clock().offset_us);
    let mut size = PieceSize::new(job.piece, Some(ENTRY_BYTES as u64));
    let mut pages = Pending {
        key: job.names.key,
        temp: job.names.temp,
        group: &group.name,
        from: Some(Id::default()),
        to_target_us,
        received: BTreeMap::new(),
    };
    carry(job, &mut pages, &mut size).await
}

struct Pending<'a> {
    key: &'a [u8],
    temp: &'a [u8],
    group: &'a [u8],
    /// Where the next page begins; `None` when all pages came.
    from: Option<Id>,
    to_target_us: i128,
    /// What one command can claim: the ids of one consumer with the same time and number of deliveries.
    received: BTreeMap<(Bytes, i64, i64), Vec<Id>>,
}

impl Pages for Pending<'_> {
    fn ask(&mut self, reader: &mut Reader, count: u32) -> usize {
        let Some(from) = self.from else { return 0 };
        reader.push(Read::XPending(self.key, self.group, &from.to_string(), count));
        reader.push(Read::Time);
        2
    }

    fn receive(&mut self, mut replies: Vec<Value>) -> Result<Measure, Unfit> {
        let now_us = replies.pop().as_ref().and_then(time_us).ok_or(Unfit::Odd("TIME"))?;
        let entries = replies.pop().and_then(entries).ok_or(Unfit::Odd("XPENDING"))?;
        self.from = entries.last().and_then(|entry| entry.id.next());
        let now_ms = ((i128::from(now_us) + self.to_target_us) / 1000) as i64;
        let mut measure = Measure::default();
        for entry in entries {
            measure.element(ENTRY_BYTES);
            let same = (entry.consumer, now_ms.saturating_sub(entry.idle_ms), entry.deliveries);
            self.received.entry(same).or_default().push(entry.id);
        }
        Ok(measure)
    }

    fn write(&mut self, writer: &mut Writer) {
        for ((consumer, delivered_ms, deliveries), ids) in std::mem::take(&mut self.received) {
            writer.begin("XCLAIM", 4 + ids.len() + 6, Expect::Claimed(ids.len()));
            writer.arg(self.temp);
            writer.arg(self.group);
            writer.arg(&consumer);
            writer.arg(b"0");
            ids.iter().for_each(|id| writer.arg(id.to_string().as_bytes()));
            writer.arg(b"TIME");
            writer.arg(Buffer::new().format(delivered_ms).as_bytes());
            writer.arg(b"RETRYCOUNT");
            writer.arg(Buffer::new().format(deliveries).as_bytes());
            writer.arg(b"FORCE");
            writer.arg(b"JUSTID");
        }
    }
}

struct Entry {
    id: Id,
    consumer: Bytes,
    idle_ms: i64,
    deliveries: i64,
}

fn entries(reply: Value) -> Option<Vec<Entry>> {
    reply.into_array()?.into_iter().map(Entry::of).collect()
}

impl Entry {
    fn of(reply: Value) -> Option<Entry> {
        let [id, Value::Bulk(consumer), idle, deliveries] =
            <[Value; 4]>::try_from(reply.into_array()?).ok()?
        else {
            return None;
        };
        let id = Id::parse(id.as_bytes()?)?;
        Some(Entry { id, consumer, idle_ms: idle.as_i64()?, deliveries: deliveries.as_i64()? })
    }
}
