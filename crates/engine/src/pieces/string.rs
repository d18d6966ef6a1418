//! Strings, by ranges of bytes.

use client::Read;
use itoa::Buffer;
use resp::Value;

use super::attempt::Job;
use super::carry::{Pages, Unfit, carry};
use super::early::Step;
use super::reader::Reader;
use super::size::{Measure, PieceSize};
use super::writer::{Expect, Writer};
use crate::rebuild::Commands;
use bytes::Bytes;

/// Copies the string and returns its length.
pub(super) async fn copy(job: &mut Job<'_>) -> Step<u64> {
    let length = job.lines.reader.ask_number(Read::StrLen(job.names.key)).await?;
    let length = u64::try_from(length).map_err(|_| job.lines.reader.odd("STRLEN"))?;
    if length == 0 {
        job.lines.writer.push("SET", &[job.names.temp, b""], Expect::Success);
        return Ok(0);
    }
    let mut pages = Ranges {
        key: job.names.key,
        temp: job.names.temp,
        length,
        piece: job.piece,
        next: Next::Last,
        from: 0,
        received: Bytes::new(),
    };
    carry(job, &mut pages, &mut PieceSize::new(job.piece, None)).await?;
    Ok(length)
}

/// The last piece comes first: it makes the target allocate the whole value once. Appending would make it
/// grow, and copy, the value again and again.
struct Ranges<'a> {
    key: &'a [u8],
    temp: &'a [u8],
    length: u64,
    piece: u64,
    next: Next,
    from: u64,
    received: Bytes,
}

enum Next {
    Last,
    At(u64),
}

impl Ranges<'_> {
    fn last(&self) -> u64 {
        (self.length - 1) / self.piece * self.piece
    }

    fn end(&self, from: u64) -> u64 {
        (from + self.piece).min(self.length)
    }
}

impl Pages for Ranges<'_> {
    fn ask(&mut self, reader: &mut Reader, _count: u32) -> usize {
        let from = match self.next {
            Next::Last => self.last(),
            Next::At(from) if from < self.last() => from,
            Next::At(_) => return 0,
        };
        reader.push(Read::GetRange(self.key, from, self.end(from) - 1));
        1
    }

    fn receive(&mut self, mut replies: Vec<Value>) -> Result<Measure, Unfit> {
        let Some(Value::Bulk(bytes)) = replies.pop() else { return Err(Unfit::Odd("GETRANGE")) };
        (self.from, self.next) = match self.next {
            Next::Last => (self.last(), Next::At(0)),
            Next::At(from) => (from, Next::At(from + self.piece)),
        };
        if bytes.len() as u64 != self.end(self.from) - self.from {
            return Err(Unfit::Changed);
        }
        let mut measure = Measure::default();
        measure.element(bytes.len());
        self.received = bytes;
        Ok(measure)
    }

    fn write(&mut self, writer: &mut Writer) {
        writer.begin("SETRANGE", 3, Expect::Length(self.length));
        writer.arg(self.temp);
        writer.arg(Buffer::new().format(self.from).as_bytes());
        writer.value(std::mem::take(&mut self.received));
    }
}
