//! Lists and sorted sets, by ranges of positions.

use bytes::Bytes;
use client::Read;
use resp::Value;

use super::attempt::Job;
use super::carry::{Pages, Unfit, carry};
use super::early::{Early, Step};
use super::reader::Reader;
use super::size::Measure;
use super::writer::{Expect, Writer};
use crate::rebuild::Commands;

/// Copies the list and returns its length.
pub(super) async fn list(job: &mut Job<'_>) -> Step<u64> {
    copy(job, Read::LLen(job.names.key), Kind::List).await
}

/// Copies the sorted set and returns its size.
pub(super) async fn sorted_set(job: &mut Job<'_>) -> Step<u64> {
    let length = copy(job, Read::ZCard(job.names.key), Kind::SortedSet).await?;
    job.lines.writer.settle(0).await?;
    if job.lines.writer.take_added() == length { Ok(length) } else { Err(Early::Incomplete) }
}

async fn copy(job: &mut Job<'_>, length: Read<'_>, kind: Kind) -> Step<u64> {
    let length = job.lines.reader.ask_number(length).await?;
    let length = u64::try_from(length).map_err(|_| job.lines.reader.odd("LLEN"))?;
    let mut size = job.piece_size(length).await?;
    let mut pages =
        Ranges { key: job.names.key, temp: job.names.temp, kind, length, done: 0, received: Vec::new() };
    carry(job, &mut pages, &mut size).await?;
    Ok(length)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    SortedSet,
}

struct Ranges<'a> {
    key: &'a [u8],
    temp: &'a [u8],
    kind: Kind,
    length: u64,
    done: u64,
    received: Vec<Bytes>,
}

impl Pages for Ranges<'_> {
    fn ask(&mut self, reader: &mut Reader, count: u32) -> usize {
        if self.done == self.length {
            return 0;
        }
        let (from, to) = (self.done, (self.done + u64::from(count)).min(self.length) - 1);
        reader.push(match self.kind {
            Kind::List => Read::LRange(self.key, from, to),
            Kind::SortedSet => Read::ZRange(self.key, from, to),
        });
        1
    }

    fn receive(&mut self, mut replies: Vec<Value>) -> Result<Measure, Unfit> {
        let odd = || Unfit::Odd(if self.kind == Kind::List { "LRANGE" } else { "ZRANGE" });
        let values = replies.pop().and_then(Value::into_array).ok_or_else(odd)?;
        self.received = bulks(values).ok_or_else(odd)?;
        let per_element = if self.kind == Kind::List { 1 } else { 2 };
        let measure = measure(&self.received, per_element);
        self.done += measure.elements;
        if measure.elements == 0 || self.done > self.length {
            return Err(Unfit::Changed);
        }
        Ok(measure)
    }

    fn write(&mut self, writer: &mut Writer) {
        let received = std::mem::take(&mut self.received);
        match self.kind {
            Kind::List => {
                writer.begin("RPUSH", 1 + received.len(), Expect::Length(self.done));
                writer.arg(self.temp);
                received.into_iter().for_each(|element| writer.value(element));
            }
            Kind::SortedSet => {
                writer.begin("ZADD", 1 + received.len(), Expect::Added);
                writer.arg(self.temp);
                // Read as member and score, written as score and member. The score's text is the source's
                // own, which gives back the same number; only small sets of Redis 7 turn -0 into 0, because
                // they keep whole numbers as integers (t_zset.c, zzlInsertAt).
                for pair in received.chunks_exact(2) {
                    writer.arg(&pair[1]);
                    writer.value(pair[0].clone());
                }
            }
        }
    }
}

/// The payloads of bulk strings, which they all have to be.
pub(super) fn bulks(values: Vec<Value>) -> Option<Vec<Bytes>> {
    let bulk = |value| if let Value::Bulk(bytes) = value { Some(bytes) } else { None };
    values.into_iter().map(bulk).collect()
}

/// Elements that consist of `parts` payloads each.
pub(super) fn measure(payloads: &[Bytes], parts: usize) -> Measure {
    let mut measure = Measure::default();
    for element in payloads.chunks(parts) {
        measure.element(element.iter().map(Bytes::len).sum());
    }
    measure
}
