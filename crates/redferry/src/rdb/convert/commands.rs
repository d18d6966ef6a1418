//! Commands for `redis-cli --pipe`.
//!
//! Each key is removed first, so that the commands may run twice. A module's value has no commands, so it goes by
//! RESTORE.

use std::io::Write as _;

use ::rdb::decode::{Decoder, Element};
use ::rdb::file::{Event, Key};
use ::rdb::{Kind, Lost, StreamId, Version, dump};
use bytes::Bytes;
use engine::rebuild::{Commands, Expect, Rebuild, pending_ids};
use engine::{Aside, Chunks, Feed, FeedError};

use super::{Account, ConvertError};
use crate::rdb::output::Output;

/// Requests as the protocol has them.
#[derive(Debug, Default)]
struct Requests {
    out: Vec<u8>,
}

impl Requests {
    fn command(&mut self, words: &[&[u8]]) {
        _ = write!(self.out, "*{}\r\n", words.len());
        words.iter().for_each(|word| self.arg(word));
    }
}

impl Commands for Requests {
    fn begin(&mut self, command: &'static str, args: usize, _expect: Expect) {
        let words = command.split(' ');
        _ = write!(self.out, "*{}\r\n", words.clone().count() + args);
        words.for_each(|word| self.arg(word.as_bytes()));
    }

    fn arg(&mut self, arg: &[u8]) {
        _ = write!(self.out, "${}\r\n", arg.len());
        self.out.extend_from_slice(arg);
        self.out.extend_from_slice(b"\r\n");
    }

    fn value(&mut self, value: Bytes) {
        self.arg(&value);
    }
}

/// Writes the file as commands.
pub(super) async fn write<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    account: &mut Account,
) -> Result<(), ConvertError> {
    let mut requests = Requests::default();
    let mut version = Version::NEWEST_OF_REDIS;
    while let Some(event) = feed.next().await? {
        match event {
            Event::Version(number) => version = number,
            Event::ModuleAux(_) | Event::KeyMetadata(_) => {
                account.module_aux += 1;
                account.module_aux_left_out += 1;
            }
            Event::Function(library) => {
                account.functions += 1;
                requests.command(&[b"FUNCTION", b"LOAD", b"REPLACE", &library]);
            }
            Event::Database(db) => requests.command(&[b"SELECT", db.to_string().as_bytes()]),
            Event::Key(key) => {
                account.tally.scanned += 1;
                one(feed, output, &mut requests, version, &key, account).await?;
            }
            Event::Aux(..)
            | Event::Sizes { .. }
            | Event::Slot { .. }
            | Event::Part { .. }
            | Event::End(_) => {}
        }
        output.pass(&mut requests.out).await?;
    }
    output.write(&mut requests.out).await?;
    Ok(())
}

async fn one<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    requests: &mut Requests,
    version: Version,
    key: &Key,
    account: &mut Account,
) -> Result<(), ConvertError> {
    let mut arriving = Arriving { over: false };
    let Some(first) = arriving.next(feed).await? else { return Ok(()) };
    let mut length = first.len() as u64 - 1;
    match key.code.kind() {
        Some(Kind::Module) | None => {
            let mut value = first.to_vec();
            while let Some(part) = arriving.next(feed).await? {
                value.extend_from_slice(&part);
            }
            length = value.len() as u64 - 1;
            let footer = dump::footer([&value[..]], version);
            value.extend_from_slice(&footer);
            let at = key.expires_at_ms.unwrap_or(0).to_string();
            requests.command(&[b"RESTORE", &key.name, at.as_bytes(), &value, b"REPLACE", b"ABSTTL"]);
        }
        Some(kind) => {
            requests.command(&[b"DEL", &key.name]);
            // The pending entries of a stream, which stand at its end, decide how its entries are written.
            let (mut aside, pending) = match kind {
                Kind::Stream => {
                    let (aside, pending) = put_aside(feed, &mut arriving, &first, key, version).await?;
                    length = aside.len();
                    (Some(aside), pending)
                }
                _ => (None, Vec::new()),
            };
            let mut rebuild = Rebuild::new(key.name.to_vec(), kind, version, pending);
            let mut decoder = Decoder::of_version(key.code, version);
            let mut next = match &mut aside {
                None => Some(first.slice(1..)),
                Some(aside) => aside.read().map_err(ConvertError::aside)?,
            };
            while let Some(part) = next {
                decoder.feed(part);
                let over = aside.as_ref().map_or(arriving.over, Aside::is_over);
                if over {
                    decoder.finish();
                }
                while let Some(element) = decoder.next().map_err(|error| damaged(feed, error))? {
                    if rebuild.element(element, requests) {
                        output.pass(&mut requests.out).await?;
                    }
                }
                next = match &mut aside {
                    _ if over => None,
                    Some(aside) => aside.read().map_err(ConvertError::aside)?,
                    None => arriving.next(feed).await?.inspect(|part| length += part.len() as u64),
                };
            }
            rebuild.finish(requests);
            if let Some(at) = key.expires_at_ms {
                requests.command(&[b"PEXPIREAT", &key.name, at.to_string().as_bytes()]);
            }
        }
    }
    account.written(key.code, length, Lost::default());
    Ok(())
}

/// The parts of a value.
struct Arriving {
    over: bool,
}

impl Arriving {
    async fn next<C: Chunks>(&mut self, feed: &mut Feed<C>) -> Result<Option<Bytes>, FeedError> {
        if self.over {
            return Ok(None);
        }
        let Some(Event::Part { bytes, last }) = feed.next().await? else { return Ok(None) };
        self.over = last;
        Ok(Some(bytes))
    }
}

async fn put_aside<C: Chunks>(
    feed: &mut Feed<C>,
    arriving: &mut Arriving,
    first: &Bytes,
    key: &Key,
    version: Version,
) -> Result<(Aside, Vec<StreamId>), ConvertError> {
    let mut aside = Aside::new().map_err(ConvertError::aside)?;
    let mut decoder = Decoder::of_version(key.code, version);
    let mut pending = Vec::new();
    let mut next = Some(first.slice(1..));
    while let Some(part) = next {
        aside.put(&part).map_err(ConvertError::aside)?;
        decoder.feed(part);
        if arriving.over {
            decoder.finish();
        }
        while let Some(element) = decoder.next().map_err(|error| damaged(feed, error))? {
            if let Element::Group(group) = element {
                pending.extend(pending_ids([&group]));
            }
        }
        next = arriving.next(feed).await?;
    }
    aside.rewind().map_err(ConvertError::aside)?;
    pending.sort_unstable();
    pending.dedup();
    Ok((aside, pending))
}

fn damaged<C: Chunks>(feed: &Feed<C>, error: ::rdb::Error) -> FeedError {
    FeedError::damaged(&format!("{} (in the value that ends at byte {})", feed.file(), feed.offset()), error)
}
