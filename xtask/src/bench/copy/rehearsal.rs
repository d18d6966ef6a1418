//! Reads the whole source once before the clock starts, to make two tapes: the reads that redferry has to send, and
//! the writes that follow from them. Replayed side by side they are the least that a copy can take.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use client::Read;
use resp::{Value, encode};
use testkit::Access;

use super::tape::{LONGEST, Tape};
use super::wire::Conversation;

/// What redferry's `--scan-count` is unless changed.
const SCAN_COUNT: u32 = 1000;

/// Keys between two looks at the source's clock, as redferry has it.
const GROUP: usize = 64;

/// What redferry's `--big-key` is unless changed: above it values go in pieces.
const BIG_KEY: i64 = 8 << 20;

/// Elements in one piece of a big collection.
const PIECE: u32 = 4000;

/// What is replayed.
pub struct Rehearsal {
    /// For the source.
    pub reads: Tape,
    /// For the target.
    pub writes: Tape,
    /// Bytes of values.
    pub bytes: u64,
}

/// Makes both tapes from what a server holds in database 0.
///
/// # Errors
/// The server cannot be reached or answers something else than expected.
pub async fn of(source: &Access) -> Result<Rehearsal> {
    let mut rehearser = Rehearser {
        source: Conversation::open(source).await?,
        made: Rehearsal { reads: Tape::default(), writes: Tape::default(), bytes: 0 },
        waiting: Vec::with_capacity(GROUP),
    };
    let mut cursor = 0;
    loop {
        let (next, keys) = rehearser.page(cursor).await?;
        rehearser.sort(&keys).await?;
        if next == 0 {
            break;
        }
        cursor = next;
    }
    rehearser.group().await?;
    let mut made = rehearser.made;
    made.reads.finish();
    made.writes.finish();
    Ok(made)
}

struct Rehearser {
    source: Conversation,
    made: Rehearsal,
    /// Keys of the next group, and whether each is a string.
    waiting: Vec<(Bytes, bool)>,
}

impl Rehearser {
    async fn page(&mut self, cursor: u64) -> Result<(u64, Vec<Bytes>)> {
        let scan = Read::Scan { cursor, count: SCAN_COUNT, pattern: None, kind: None };
        let page = elements(self.read(&[scan]).await?.pop())?;
        let next = page.first().and_then(Value::as_i64).context("SCAN without a cursor")?;
        let keys = elements(page.into_iter().nth(1))?.into_iter().map(bulk).collect::<Result<_>>()?;
        Ok((u64::try_from(next)?, keys))
    }

    /// Finds out, off the tape, how each key is to be read, and reads it.
    async fn sort(&mut self, keys: &[Bytes]) -> Result<()> {
        let questions: Vec<Read<'_>> =
            keys.iter().flat_map(|key| [Read::Type(key), Read::MemoryUsage(key)]).collect();
        let (answers, _) = self.source.ask(&encoded(&questions), questions.len()).await?;
        for (key, answer) in keys.iter().zip(answers.chunks_exact(2)) {
            let kind = answer[0].as_str().unwrap_or_default();
            match answer[1].as_i64().unwrap_or_default() {
                BIG_KEY.. => self.in_pieces(key, kind).await?,
                _ => self.waiting.push((key.clone(), kind == "string")),
            }
            if self.waiting.len() == GROUP {
                self.group().await?;
            }
        }
        Ok(())
    }

    /// Reads what waits, between two looks at the clock.
    async fn group(&mut self) -> Result<()> {
        let keys = std::mem::take(&mut self.waiting);
        let mut reads = vec![Read::Time];
        for (key, is_string) in &keys {
            let value = if *is_string { Read::GetRange(key, 0, BIG_KEY as u64) } else { Read::Dump(key) };
            reads.extend([Read::Multi, Read::PTtl(key), value, Read::Exec]);
        }
        reads.push(Read::Time);
        let replies = self.read(&reads).await?;
        for ((key, is_string), replies) in keys.iter().zip(replies[1..].chunks_exact(4)) {
            let results = elements(Some(replies[3].clone()))?;
            let [Value::Integer(left_ms), Value::Bulk(value)] = &results[..] else {
                // Expired in the meantime: read, and not written.
                continue;
            };
            let expire_at = (*left_ms >= 0).then(|| now_ms() + left_ms);
            self.write(key, *is_string, value, expire_at);
        }
        Ok(())
    }

    fn write(&mut self, key: &[u8], is_string: bool, value: &[u8], expire_at: Option<i64>) {
        self.made.bytes += value.len() as u64;
        let writes = &mut self.made.writes;
        if is_string {
            writes.push(|out| {
                encode::array(out, if expire_at.is_some() { 5 } else { 3 });
                encode::bulk(out, b"SET");
                encode::bulk(out, key);
            });
            writes.push_string(value);
            if let Some(at) = expire_at {
                writes.push(|out| {
                    encode::bulk(out, b"PXAT");
                    encode::bulk_int(out, at);
                });
            }
        } else {
            writes.push(|out| {
                encode::array(out, if expire_at.is_some() { 6 } else { 5 });
                encode::bulk(out, b"RESTORE");
                encode::bulk(out, key);
                encode::bulk_int(out, expire_at.unwrap_or(0));
                encode::bulk(out, value);
                encode::bulk(out, b"REPLACE");
                if expire_at.is_some() {
                    encode::bulk(out, b"ABSTTL");
                }
            });
        }
    }

    async fn in_pieces(&mut self, key: &Bytes, kind: &str) -> Result<()> {
        let (mut from, step) = (0, u64::from(PIECE));
        loop {
            let read = match kind {
                "string" => Read::GetRange(key, from, from + LONGEST as u64 - 1),
                "list" => Read::LRange(key, from, from + step - 1),
                "zset" => Read::ZRange(key, from, from + step - 1),
                "hash" => Read::HScan(key, from, PIECE),
                "set" => Read::SScan(key, from, PIECE),
                other => bail!("the benchmark has no way to read a big {other}"),
            };
            let reply = self.read(&[read]).await?.pop();
            if kind == "string" {
                let value = bulk(reply.context("no reply to GETRANGE")?)?;
                if value.is_empty() {
                    return Ok(());
                }
                self.made.bytes += value.len() as u64;
                self.made.writes.push(|out| {
                    encode::array(out, 3);
                    encode::bulk(out, b"APPEND");
                    encode::bulk(out, key);
                });
                self.made.writes.push_string(&value);
                from += value.len() as u64;
                continue;
            }
            let mut found = elements(reply)?;
            let mut next = from + step;
            if matches!(kind, "hash" | "set") {
                next = u64::try_from(found.first().and_then(Value::as_i64).context("no cursor")?)?;
                found = elements(found.pop())?;
            }
            let at_end = if matches!(kind, "hash" | "set") { next == 0 } else { found.is_empty() };
            self.write_piece(key, kind, found.into_iter().map(bulk).collect::<Result<_>>()?);
            if at_end {
                return Ok(());
            }
            from = next;
        }
    }

    fn write_piece(&mut self, key: &[u8], kind: &str, mut elements: Vec<Bytes>) {
        if elements.is_empty() {
            return;
        }
        if kind == "zset" {
            // Read as member and score, written as score and member.
            elements.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
        }
        let command: &[u8] = match kind {
            "list" => b"RPUSH",
            "zset" => b"ZADD",
            "hash" => b"HSET",
            _ => b"SADD",
        };
        self.made.bytes += elements.iter().map(|element| element.len() as u64).sum::<u64>();
        self.made.writes.push(|out| {
            encode::array(out, 2 + elements.len());
            encode::bulk(out, command);
            encode::bulk(out, key);
            elements.iter().for_each(|element| encode::bulk(out, element));
        });
    }

    /// Sends reads that go onto the tape as one chunk.
    async fn read(&mut self, reads: &[Read<'_>]) -> Result<Vec<Value>> {
        let requests = encoded(reads);
        let (values, received) = self.source.ask(&requests, reads.len()).await?;
        ensure!(!values.iter().any(Value::is_error), "the source refuses a read: {:?}", reads[0].name());
        self.made.reads.push(|out| out.extend_from_slice(&requests));
        self.made.reads.end_chunk(received);
        Ok(values)
    }
}

fn encoded(reads: &[Read<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    reads.iter().for_each(|read| read.encode(&mut out));
    out
}

fn elements(value: Option<Value>) -> Result<Vec<Value>> {
    value.and_then(Value::into_array).context("the source's reply is no array")
}

fn bulk(value: Value) -> Result<Bytes> {
    match value {
        Value::Bulk(bytes) => Ok(bytes),
        _ => bail!("the source's reply is no string"),
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
