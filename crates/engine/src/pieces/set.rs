//! Sets, by a cursor.

use bytes::Bytes;
use client::Read;
use resp::Value;

use super::attempt::Job;
use super::carry::{Pages, Unfit, carry};
use super::early::{Early, Step};
use super::ranges::{bulks, measure};
use super::reader::Reader;
use super::size::Measure;
use super::writer::{Expect, Writer};
use crate::rebuild::Commands;

/// Copies the set and returns its size.
pub(super) async fn copy(job: &mut Job<'_>) -> Step<u64> {
    let length = job.lines.reader.ask_number(Read::SCard(job.names.key)).await?;
    let length = u64::try_from(length).map_err(|_| job.lines.reader.odd("SCARD"))?;
    let mut size = job.piece_size(length).await?;
    let mut pages =
        Scan { key: job.names.key, temp: job.names.temp, cursor: Cursor::default(), received: Vec::new() };
    carry(job, &mut pages, &mut size).await?;
    job.lines.writer.settle(0).await?;
    // A cursor may bring a member twice, so what counts is how many were new.
    if job.lines.writer.take_added() == length { Ok(length) } else { Err(Early::Incomplete) }
}

struct Scan<'a> {
    key: &'a [u8],
    temp: &'a [u8],
    cursor: Cursor,
    received: Vec<Bytes>,
}

impl Pages for Scan<'_> {
    fn ask(&mut self, reader: &mut Reader, count: u32) -> usize {
        let Some(cursor) = self.cursor.next() else { return 0 };
        reader.push(Read::SScan(self.key, cursor, count));
        1
    }

    fn receive(&mut self, mut replies: Vec<Value>) -> Result<Measure, Unfit> {
        let reply = replies.pop().ok_or(Unfit::Odd("SSCAN"))?;
        self.received = self.cursor.page(reply).ok_or(Unfit::Odd("SSCAN"))?;
        Ok(measure(&self.received, 1))
    }

    fn write(&mut self, writer: &mut Writer) {
        if self.received.is_empty() {
            return;
        }
        writer.begin("SADD", 1 + self.received.len(), Expect::Added);
        writer.arg(self.temp);
        self.received.drain(..).for_each(|member| writer.value(member));
    }
}

/// Where SSCAN or HSCAN goes on.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    at: u64,
    is_done: bool,
}

impl Cursor {
    /// The cursor to ask with; `None` when all pages came.
    pub(super) fn next(&self) -> Option<u64> {
        (!self.is_done).then_some(self.at)
    }

    /// Takes a page in and returns its payloads.
    pub(super) fn page(&mut self, reply: Value) -> Option<Vec<Bytes>> {
        let mut parts = reply.into_array()?.into_iter();
        self.at = parts.next()?.as_str()?.parse().ok()?;
        self.is_done = self.at == 0;
        bulks(parts.next()?.into_array()?)
    }
}
