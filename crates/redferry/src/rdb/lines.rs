//! Every key with its value, a line of JSON each.

use std::io::Write as _;

use ::rdb::decode::{self, Decoder};
use ::rdb::file::{Event, Key, Limits};
use ::rdb::{Kind, Version};
use bytes::Bytes;
use engine::{Chunks, Feed, FeedError};
use migration::tally::{KeyType, Outcome, Tally};
use serde_json::json;

use super::json::{self, Parts};
use super::output::{Output, OutputError};
use super::place::Place;
use super::value::type_name;
use crate::exit::{Code, Exit};

/// Values up to this are held whole, and told in the most readable form. Larger ones are written as they come.
pub(crate) const LIMITS: Limits = Limits { whole: 8 << 20, text: 512 << 20 };

/// Why lines end early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinesError {
    #[error(transparent)]
    Feed(#[from] FeedError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// What was written, and what has no line.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) tally: Tally,
    pub(crate) functions: u64,
    pub(crate) module_aux: u64,
}

/// Writes all keys of these files to standard output, and nothing else.
pub(crate) async fn to_standard_output(places: &[Place]) -> Exit {
    let mut output = Output::Standard;
    for place in places {
        let mut feed = match place.feed(LIMITS).await {
            Ok(feed) => feed,
            Err(error) => return Exit::failed(error.to_string()).without_document(),
        };
        match write(&mut feed, &mut output, &mut Written::default()).await {
            Ok(()) => {}
            Err(LinesError::Output(OutputError::Gone)) => break,
            Err(error) => {
                let error = format!("{error}\nredferry: the lines before that are whole");
                return Exit::failed(error).without_document();
            }
        }
    }
    match output.finish().await {
        Ok(()) => Exit::new(Code::Equal, json!({}), String::new()).without_document(),
        Err(error) => Exit::failed(error.to_string()).without_document(),
    }
}

/// Writes all keys of a file. After an error what was written of the keys before is whole.
pub(crate) async fn write<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    written: &mut Written,
) -> Result<(), LinesError> {
    let mut gathered = Vec::new();
    let ended = all(feed, output, written, &mut gathered).await;
    if let Err(LinesError::Output(_)) = ended {
        return ended;
    }
    output.write(&mut gathered).await?;
    ended
}

async fn all<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    written: &mut Written,
    gathered: &mut Vec<u8>,
) -> Result<(), LinesError> {
    let (mut db, mut version) = (0, Version::NEWEST_OF_REDIS);
    while let Some(event) = feed.next().await? {
        match event {
            Event::Version(number) => version = number,
            Event::Database(number) => db = number,
            Event::Function(_) => written.functions += 1,
            Event::ModuleAux(_) => written.module_aux += 1,
            Event::Key(key) => {
                written.tally.scanned += 1;
                let begun = gathered.len();
                let bytes = match line(feed, output, gathered, (db, version), &key).await {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        // A large one has left in part already; a small one must not.
                        gathered.truncate(begun.min(gathered.len()));
                        return Err(error);
                    }
                };
                let kind = KeyType::of_payload(key.code.0).unwrap_or(KeyType::Module);
                written.tally.count(Outcome::Copied { kind, bytes });
                output.pass(gathered).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn line<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    gathered: &mut Vec<u8>,
    (db, version): (u32, Version),
    key: &Key,
) -> Result<u64, LinesError> {
    let Some(Event::Part { bytes, last }) = feed.next().await? else { return Ok(0) };
    let body = bytes.slice(1.min(bytes.len())..);
    head(gathered, db, key, &body);
    let mut length = body.len() as u64;
    if last {
        let value =
            decode::value_of_version(key.code, version, &body).map_err(|error| damaged(feed, error))?;
        json::value(gathered, &value);
    } else {
        length += large(feed, output, gathered, (key, version), body).await?;
    }
    gathered.extend_from_slice(b"}\n");
    Ok(length)
}

fn head(out: &mut Vec<u8>, db: u32, key: &Key, body: &[u8]) {
    _ = write!(out, "{{\"db\":{db},\"key\":");
    json::text(out, &key.name);
    out.extend_from_slice(b",\"type\":");
    json::text(out, type_name(key.code, body).as_bytes());
    match key.expires_at_ms {
        Some(at) => _ = write!(out, ",\"expire_at_ms\":{at}"),
        None => out.extend_from_slice(b",\"expire_at_ms\":null"),
    }
    out.extend_from_slice(b",\"value\":");
}

/// A value that is not held.
async fn large<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    gathered: &mut Vec<u8>,
    (key, version): (&Key, Version),
    begun: Bytes,
) -> Result<u64, LinesError> {
    let mut parts = match key.code.kind() {
        Some(Kind::String | Kind::Module) | None => Parts::bytes(),
        Some(Kind::Stream) => Parts::stream(),
        Some(Kind::List | Kind::Set | Kind::Zset | Kind::Hash) => Parts::list(),
    };
    let mut decoder = Decoder::of_version(key.code, version);
    parts.begin(gathered);
    let (mut next, mut ended, mut length) = (begun, false, 0);
    loop {
        decoder.feed(next);
        if ended {
            decoder.finish();
        }
        while let Some(element) = decoder.next().map_err(|error| damaged(feed, error))? {
            parts.element(gathered, &element);
            output.pass(gathered).await?;
        }
        if ended {
            break;
        }
        let Some(Event::Part { bytes, last }) = feed.next().await? else { break };
        length += bytes.len() as u64;
        (next, ended) = (bytes, last);
    }
    parts.end(gathered);
    Ok(length)
}

/// A value that cannot be decoded. Its offset is that within the value, so the value's place is told too.
fn damaged<C: Chunks>(feed: &Feed<C>, error: ::rdb::Error) -> FeedError {
    FeedError::damaged(&format!("{} (in the value that ends at byte {})", feed.file(), feed.offset()), error)
}
