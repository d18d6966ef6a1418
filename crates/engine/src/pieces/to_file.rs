//! Big values of a source into a file: read in pieces, put aside on disk until it is known that they did not change
//! meanwhile, then written with their number of elements in front.
//!
//! Streams, hashes whose fields expire and modules' values are dumped whole, however big.

use std::sync::Arc;

use bytes::Bytes;
use client::{Error, Node, Read};
use migration::tally::{Cause, KeyType};
use rdb::file::Key;
use rdb::{Lost, TypeCode};
use resp::Value;

use super::early::{Early, Step};
use super::ranges::bulks;
use super::reader::Reader;
use super::set::Cursor;
use super::size::{Measure, PieceSize};
use super::{PAUSES, PIECE, PiecesEnd};
use crate::aside::Aside;
use crate::clocks::time_us;
use crate::export::{FileSink, Record, RecordBody};
use crate::lane::cause_of;
use crate::run::Run;

/// Reads big keys of one source node's database, one at a time.
pub(crate) struct FileWriter {
    run: Arc<Run>,
    node: Node,
    db: u32,
    sink: Arc<FileSink>,
    reader: Option<Reader>,
}

/// A value that was read.
struct WasRead {
    code: TypeCode,
    body: RecordBody,
    lost: Lost,
}

impl FileWriter {
    pub(crate) fn new(run: Arc<Run>, node: Node, db: u32, sink: Arc<FileSink>) -> FileWriter {
        FileWriter { run, node, db, sink, reader: None }
    }

    /// Reads one key and puts it into the file.
    ///
    /// # Errors
    /// The connection was lost. Trying the key again is safe.
    pub(crate) async fn copy(&mut self, key: &[u8]) -> Result<PiecesEnd, Error> {
        let mut pauses = PAUSES.iter();
        loop {
            let mut reader = match self.reader.take() {
                Some(reader) => reader,
                None => Reader::open(&self.run, &self.node, self.db).await?,
            };
            let early = match self.attempt(&mut reader, key).await {
                Ok(end) => {
                    self.reader = Some(reader);
                    return Ok(end);
                }
                Err(Early::Lost(error)) => return Err(error),
                Err(early) => early,
            };
            reader.push(Read::Unwatch);
            if reader.discard().await.is_ok() {
                self.reader = Some(reader);
            }
            match early {
                Early::Lost(error) => return Err(error),
                Early::End(end) => return Ok(end),
                Early::Not { cause, words } => {
                    tracing::warn!(
                        cause = cause.name(),
                        "a key was not exported ({words}); {}",
                        cause.remedy()
                    );
                    return Ok(PiecesEnd::Not(cause));
                }
                Early::Changed | Early::Incomplete => match pauses.next() {
                    Some(pause) => self.run.stop.sleep(*pause).await,
                    None => return Ok(PiecesEnd::Not(Cause::ChangedWhileRead)),
                },
            }
        }
    }

    async fn attempt(&self, reader: &mut Reader, key: &[u8]) -> Step<PiecesEnd> {
        reader.push(Read::Watch(key));
        reader.push(Read::Type(key));
        let replies = reader.collect(2).await?;
        let kind = match replies.last().and_then(Value::as_bytes).ok_or_else(|| reader.odd("TYPE"))? {
            b"none" => return Err(Early::End(PiecesEnd::Not(Cause::GoneBeforeRead))),
            name => KeyType::of_name(name),
        };
        let mut source = Source { run: &self.run, reader, key };
        let read = match kind {
            KeyType::String => Some(source.string().await?),
            KeyType::List => Some(source.list().await?),
            KeyType::Zset => Some(source.sorted_set().await?),
            KeyType::Set => Some(source.by_cursor(false).await?),
            KeyType::Hash if !self.run.abilities.hash_field_expiry => Some(source.by_cursor(true).await?),
            KeyType::Hash | KeyType::Stream | KeyType::Module => None,
        };
        let (read, expires_at_ms) = match read {
            Some(read) => {
                let (expires_at_ms, _) = source.end(false).await?;
                (read, expires_at_ms)
            }
            None => {
                let (expires_at_ms, payload) = source.end(true).await?;
                let payload = payload.ok_or(Early::Changed)?;
                let (code, body, lost) = self.sink.dumped(&payload).map_err(|unfit| {
                    let (cause, words) = (cause_of(&unfit), unfit.to_string());
                    Early::Not { cause, words }
                })?;
                (WasRead { code, body: RecordBody::Whole(body), lost }, expires_at_ms)
            }
        };
        let mut scratch = Vec::new();
        let name = self.run.naming.target_name(self.db, key, &mut scratch);
        let record = Record {
            db: self.run.naming.target_db(self.db).unwrap_or(self.db),
            key: Key {
                name: Bytes::copy_from_slice(name),
                code: read.code,
                expires_at_ms,
                idle_s: None,
                frequency: None,
            },
            body: read.body,
            lost: read.lost,
        };
        let bytes = record.bytes();
        std::future::poll_fn(|cx| self.sink.poll_room(cx)).await;
        Ok(match self.sink.put(record) {
            true => PiecesEnd::Copied { kind, bytes },
            false => PiecesEnd::Not(Cause::ListedTwice),
        })
    }
}

/// One key that is being read.
struct Source<'a> {
    run: &'a Run,
    reader: &'a mut Reader,
    key: &'a [u8],
}

impl Source<'_> {
    async fn string(&mut self) -> Step<WasRead> {
        let length = self.number(Read::StrLen(self.key)).await?;
        let mut aside = aside()?;
        let mut from = 0;
        while from < length {
            let to = (from + PIECE).min(length);
            let Value::Bulk(bytes) = self.reader.ask(Read::GetRange(self.key, from, to - 1)).await? else {
                return Err(self.reader.odd("GETRANGE"));
            };
            if bytes.len() as u64 != to - from {
                return Err(Early::Changed);
            }
            self.read(bytes.len() as u64).await?;
            put(&mut aside, &bytes)?;
            from = to;
        }
        Ok(WasRead {
            code: TypeCode::STRING,
            body: RecordBody::Aside(head(length), aside),
            lost: Lost::default(),
        })
    }

    async fn list(&mut self) -> Step<WasRead> {
        let length = self.number(Read::LLen(self.key)).await?;
        let mut size = self.piece_size(length).await?;
        let mut aside = aside()?;
        let mut from = 0;
        while from < length {
            let to = (from + u64::from(size.count())).min(length);
            let items = self.array(Read::LRange(self.key, from, to - 1), "LRANGE").await?;
            if items.len() as u64 != to - from {
                return Err(Early::Changed);
            }
            self.elements(&mut size, &mut aside, &items).await?;
            from = to;
        }
        Ok(WasRead {
            code: TypeCode::LIST,
            body: RecordBody::Aside(head(length), aside),
            lost: Lost::default(),
        })
    }

    async fn sorted_set(&mut self) -> Step<WasRead> {
        let length = self.number(Read::ZCard(self.key)).await?;
        let mut size = self.piece_size(length).await?;
        let mut aside = aside()?;
        let mut from = 0;
        while from < length {
            let to = (from + u64::from(size.count())).min(length);
            let pairs = self.array(Read::ZRange(self.key, from, to - 1), "ZRANGE").await?;
            if pairs.len() as u64 != 2 * (to - from) {
                return Err(Early::Changed);
            }
            let mut measure = Measure::default();
            let mut out = Vec::new();
            for pair in pairs.chunks_exact(2) {
                let score = std::str::from_utf8(&pair[1]).ok().and_then(|text| text.parse::<f64>().ok());
                let score = score.ok_or_else(|| self.reader.odd("ZRANGE"))?;
                measure.element(pair[0].len() + 8);
                length_of(pair[0].len() as u64, &mut out);
                out.extend_from_slice(&pair[0]);
                out.extend_from_slice(&score.to_le_bytes());
            }
            size.saw(measure);
            self.read(out.len() as u64).await?;
            put(&mut aside, &out)?;
            from = to;
        }
        Ok(WasRead {
            code: TypeCode::ZSET_2,
            body: RecordBody::Aside(head(length), aside),
            lost: Lost::default(),
        })
    }

    /// A set, or a hash whose fields do not expire. A cursor brings all elements of one that did not change; if it
    /// brought more than there are, some came twice.
    async fn by_cursor(&mut self, hash: bool) -> Step<WasRead> {
        let length = self.number(if hash { Read::HLen(self.key) } else { Read::SCard(self.key) }).await?;
        let mut size = self.piece_size(length).await?;
        let mut aside = aside()?;
        let mut cursor = Cursor::default();
        let mut seen = 0;
        while let Some(at) = cursor.next() {
            let count = size.count();
            let (read, name) = match hash {
                true => (Read::HScan(self.key, at, count), "HSCAN"),
                false => (Read::SScan(self.key, at, count), "SSCAN"),
            };
            let page = self.reader.ask(read).await?;
            let elements = cursor.page(page).ok_or_else(|| self.reader.odd(name))?;
            seen += elements.len() as u64 / if hash { 2 } else { 1 };
            self.elements(&mut size, &mut aside, &elements).await?;
        }
        if seen != length {
            return Err(Early::Changed);
        }
        let code = if hash { TypeCode::HASH } else { TypeCode::SET };
        Ok(WasRead { code, body: RecordBody::Aside(head(length), aside), lost: Lost::default() })
    }

    /// Makes sure that the key did not change since it was watched, and asks in the same moment when it expires, and
    /// for the whole value if that is wanted.
    async fn end(&mut self, dump: bool) -> Step<(Option<u64>, Option<Bytes>)> {
        let reader = &mut *self.reader;
        reader.push(Read::Time);
        reader.push(Read::Multi);
        reader.push(Read::PTtl(self.key));
        if dump {
            reader.push(Read::Dump(self.key));
        }
        reader.push(Read::Exec);
        reader.push(Read::Time);
        let mut replies = reader.collect(5 + usize::from(dump)).await?;
        let after = replies.pop().as_ref().and_then(time_us);
        let results = replies.pop().ok_or_else(|| reader.odd("EXEC"))?;
        let before = replies.first().and_then(time_us);
        let (Some(before), Some(after)) = (before, after) else { return Err(reader.odd("TIME")) };
        if results.is_null() {
            return Err(Early::Changed);
        }
        let mut results = results.into_array().ok_or_else(|| reader.odd("EXEC"))?.into_iter();
        let pttl = results.next().and_then(|pttl| pttl.as_i64()).ok_or_else(|| reader.odd("PTTL"))?;
        if pttl == -2 {
            return Err(Early::Changed);
        }
        let payload = match results.next() {
            Some(Value::Bulk(payload)) => Some(payload),
            _ => None,
        };
        if let Some(payload) = &payload {
            self.run.throttle().charge(self.run.now_us(), 0, payload.len() as u64);
        }
        let expires_at_ms = u64::try_from(pttl).ok().map(|left| {
            self.run.saw_ttl_error(u32::try_from((after - before).div_ceil(1000)).unwrap_or(u32::MAX));
            before / 1000 + left
        });
        Ok((expires_at_ms, payload))
    }

    async fn number(&mut self, read: Read<'_>) -> Step<u64> {
        let number = self.reader.ask_number(read).await?;
        u64::try_from(number).map_err(|_| self.reader.odd(read.name()))
    }

    async fn array(&mut self, read: Read<'_>, name: &'static str) -> Step<Vec<Bytes>> {
        let reply = self.reader.ask(read).await?;
        reply.into_array().and_then(bulks).ok_or_else(|| self.reader.odd(name))
    }

    async fn piece_size(&mut self, elements: u64) -> Step<PieceSize> {
        let mut average = None;
        if self.run.abilities.memory_usage {
            let memory = self.reader.ask(Read::MemoryUsage(self.key)).await?;
            let memory = memory.as_i64().and_then(|bytes| u64::try_from(bytes).ok());
            average = memory.and_then(|bytes| bytes.checked_div(elements));
        }
        Ok(PieceSize::new(PIECE, average))
    }

    async fn elements(&mut self, size: &mut PieceSize, aside: &mut Aside, elements: &[Bytes]) -> Step<()> {
        let mut measure = Measure::default();
        let mut out = Vec::new();
        for element in elements {
            measure.element(element.len());
            length_of(element.len() as u64, &mut out);
            out.extend_from_slice(element);
        }
        size.saw(measure);
        self.read(out.len() as u64).await?;
        put(aside, &out)
    }

    async fn read(&self, bytes: u64) -> Step<()> {
        super::carry::hold_back(self.run, bytes).await
    }
}

fn aside() -> Step<Aside> {
    Aside::new().map_err(cannot_put_aside)
}

fn put(aside: &mut Aside, bytes: &[u8]) -> Step<()> {
    aside.put(bytes).map_err(cannot_put_aside)
}

fn cannot_put_aside(error: std::io::Error) -> Early {
    let words = format!("a big value cannot be put aside in {} ({error})", std::env::temp_dir().display());
    Early::Not { cause: Cause::NoRoomAside, words }
}

fn head(length: u64) -> Vec<u8> {
    let mut head = Vec::new();
    length_of(length, &mut head);
    head
}

/// A length as rdb.c's rdbSaveLen writes it.
fn length_of(length: u64, out: &mut Vec<u8>) {
    if length < 1 << 6 {
        out.push(length as u8);
    } else if length < 1 << 14 {
        out.extend_from_slice(&((length as u16) | 0x4000).to_be_bytes());
    } else if let Ok(length) = u32::try_from(length) {
        out.push(0x80);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(0x81);
        out.extend_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::head;

    #[test]
    fn lengths_are_those_of_redis() {
        assert_eq!(head(5), [5]);
        assert_eq!(head(0x102), [0x41, 0x02]);
        assert_eq!(head(65_536), [0x80, 0, 1, 0, 0]);
        assert_eq!(head(1 << 32), [0x81, 0, 0, 0, 1, 0, 0, 0, 0]);
    }
}
