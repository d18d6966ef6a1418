//! Hashes, by a cursor, with the expiry of single fields where the source knows that (Redis 7.4).

use std::collections::BTreeMap;

use bytes::Bytes;
use client::Read;
use itoa::Buffer;
use resp::Value;

use super::attempt::Job;
use super::carry::{Pages, Unfit, carry};
use super::early::{Early, Step};
use super::ranges::measure;
use super::reader::Reader;
use super::set::Cursor;
use super::size::Measure;
use super::writer::{Expect, Writer};
use crate::rebuild::Commands;

/// Copies the hash and returns how many fields it should have, were it not for those that expire.
pub(super) async fn copy(job: &mut Job<'_>) -> Step<u64> {
    let length = job.lines.reader.ask_number(Read::HLen(job.names.key)).await?;
    let length = u64::try_from(length).map_err(|_| job.lines.reader.odd("HLEN"))?;
    let mut size = job.piece_size(length).await?;
    let (source, target) = (job.lines.reader.clock(), job.lines.writer.clock());
    let with_expiry = job.run.abilities.hash_field_expiry;
    let mut pages = Scan {
        key: job.names.key,
        temp: job.names.temp,
        cursor: Cursor::default(),
        fields: Vec::new(),
        received: Vec::new(),
        with_expiry,
        to_target_ms: (i128::from(target.offset_us) - i128::from(source.offset_us)).div_euclid(1000) as i64,
        times: BTreeMap::new(),
        expired: Vec::new(),
        expiring: Expiring::default(),
    };
    carry(job, &mut pages, &mut size).await?;
    job.lines.writer.settle(0).await?;
    let added = job.lines.writer.take_added();
    if pages.expiring.any {
        job.run
            .saw_ttl_error(u32::try_from((source.error_us + target.error_us) / 1000 + 2).unwrap_or(u32::MAX));
    }
    job.expiring = pages.expiring;
    // HLEN also counts fields whose time is over and that nobody has removed yet; HSCAN leaves them out.
    if added == length || (with_expiry && added < length) { Ok(added) } else { Err(Early::Incomplete) }
}

struct Scan<'a> {
    key: &'a [u8],
    temp: &'a [u8],
    cursor: Cursor,
    /// Fields that were received and whose expiry is to be asked for.
    fields: Vec<Bytes>,
    /// Fields and values to write.
    received: Vec<Bytes>,
    with_expiry: bool,
    to_target_ms: i64,
    /// Fields by their expiry on the target's clock.
    times: BTreeMap<i64, Vec<Bytes>>,
    /// Fields that expired after they were read.
    expired: Vec<Bytes>,
    expiring: Expiring,
}

impl Pages for Scan<'_> {
    /// The fields of one page are asked for their expiry together with the next page.
    fn ask(&mut self, reader: &mut Reader, count: u32) -> usize {
        let mut asked = 0;
        if !self.fields.is_empty() {
            let fields: Vec<&[u8]> = self.fields.iter().map(|field| &field[..]).collect();
            reader.push(Read::HPExpireTime(self.key, &fields));
            asked += 1;
        }
        if let Some(cursor) = self.cursor.next() {
            reader.push(Read::HScan(self.key, cursor, count));
            asked += 1;
        }
        asked
    }

    fn receive(&mut self, replies: Vec<Value>) -> Result<Measure, Unfit> {
        let mut replies = replies.into_iter();
        if !self.fields.is_empty() {
            let times = replies.next().ok_or(Unfit::Odd("HPEXPIRETIME"))?;
            self.receive_times(&times).ok_or(Unfit::Odd("HPEXPIRETIME"))?;
        }
        let Some(page) = replies.next() else { return Ok(Measure::default()) };
        self.received = self.cursor.page(page).ok_or(Unfit::Odd("HSCAN"))?;
        if self.with_expiry {
            self.fields = self.received.iter().step_by(2).cloned().collect();
        }
        Ok(measure(&self.received, 2))
    }

    fn write(&mut self, writer: &mut Writer) {
        for (at_ms, fields) in std::mem::take(&mut self.times) {
            writer.begin("HPEXPIREAT", 4 + fields.len(), Expect::Fields);
            writer.arg(self.temp);
            writer.arg(Buffer::new().format(at_ms).as_bytes());
            writer.arg(b"FIELDS");
            writer.arg(Buffer::new().format(fields.len()).as_bytes());
            fields.into_iter().for_each(|field| writer.value(field));
        }
        if !self.expired.is_empty() {
            writer.begin("HDEL", 1 + self.expired.len(), Expect::Success);
            writer.arg(self.temp);
            self.expired.drain(..).for_each(|field| writer.value(field));
        }
        if !self.received.is_empty() {
            writer.begin("HSET", 1 + self.received.len(), Expect::Added);
            writer.arg(self.temp);
            self.received.drain(..).for_each(|payload| writer.value(payload));
        }
    }
}

impl Scan<'_> {
    fn receive_times(&mut self, times: &Value) -> Option<()> {
        let fields = std::mem::take(&mut self.fields);
        let times = times.as_array().filter(|times| times.len() == fields.len())?;
        for (field, time) in fields.into_iter().zip(times) {
            match time.as_i64()? {
                -1 => {}
                // The key is watched, so a field that is gone now has expired.
                -2 => {
                    self.expiring.gone(1);
                    self.expired.push(field);
                }
                at_ms => {
                    let at_ms = at_ms.saturating_add(self.to_target_ms);
                    self.expiring.at(at_ms);
                    self.times.entry(at_ms).or_default().push(field);
                }
            }
        }
        Some(())
    }
}

/// How many fields may have expired on the target by some time: so many may be missing there.
#[derive(Debug, Default)]
pub(super) struct Expiring {
    any: bool,
    gone: u64,
    /// Fields by the second in which they expire.
    seconds: BTreeMap<i64, u64>,
}

/// Fields that expire in this many different seconds are told apart, which takes some 10 MB.
const SECONDS: usize = 200_000;

impl Expiring {
    fn gone(&mut self, fields: u64) {
        self.any = true;
        self.gone += fields;
    }

    fn at(&mut self, at_ms: i64) {
        self.any = true;
        *self.seconds.entry(at_ms.div_euclid(1000)).or_default() += 1;
        // The last ones are the least likely to expire before the key is complete.
        if self.seconds.len() > SECONDS {
            self.seconds.pop_last();
        }
    }

    /// Fields that may be missing at this time of the target's clock. A field that the cursor brought twice
    /// counts twice.
    pub(super) fn until(&self, now_ms: i64) -> u64 {
        self.gone + self.seconds.range(..=now_ms.div_euclid(1000)).map(|(_, fields)| fields).sum::<u64>()
    }
}
