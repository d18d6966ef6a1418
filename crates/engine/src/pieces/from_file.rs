//! Values of a file in pieces: such as are too large for one RESTORE, and such as the target does not take by it.
//!
//! As with a source, the pieces go into a temporary key, which takes the key's name when it is complete.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use client::{Error, Node};
use migration::expiry::Deadline;
use migration::tally::{Cause, KeyType};
use rdb::decode::{Decoder, Element};
use rdb::file::Key;
use rdb::{Kind, StreamId, Version};
use tokio::sync::mpsc;

use super::PiecesEnd;
use super::attempt::Names;
use super::carry::MAX_DUE;
use super::early::{Early, Step};
use super::finish::{length_of, rename};
use super::writer::Writer;
use crate::aside::Aside;
use crate::import::only_new;
use crate::rebuild::{Rebuild, pending_ids};
use crate::run::Run;
use crate::temporary;

/// A part of a value's body.
#[derive(Debug)]
pub(crate) enum Part {
    /// More follows.
    More(Bytes),
    /// The value ends with these bytes.
    Last(Bytes),
}

/// The bytes of a value behind its type code.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of them.
    Whole(Bytes),
    /// As the file brings them.
    Arriving(mpsc::Receiver<Part>),
}

/// A key of a file.
#[derive(Debug, Clone)]
pub(crate) struct FromFile {
    /// Its database in the file.
    pub(crate) db: u32,
    /// Its name and all that stands before the value.
    pub(crate) key: Key,
    /// The file's version.
    pub(crate) version: Version,
}

/// Writes such values, one at a time.
///
/// Connections are opened when the first key needs them and are kept for the next ones. Memory: what the decoder
/// holds, and [`MAX_DUE`] pieces not yet acknowledged. A stream that does not come whole is put aside on disk, because
/// its pending entries, which stand at its end, decide how its entries are written.
pub(crate) struct FileCopier {
    run: Arc<Run<()>>,
    /// The version that the target's servers read.
    target_version: Version,
    writers: BTreeMap<Node, Writer>,
    said: Vec<Cause>,
}

impl FileCopier {
    pub(crate) fn new(run: Arc<Run<()>>, target_version: Version) -> FileCopier {
        FileCopier { run, target_version, writers: BTreeMap::new(), said: Vec::new() }
    }

    /// Writes one value.
    ///
    /// # Errors
    /// A connection was lost. With a whole body the key may be tried again: that begins by removing what is left.
    pub(crate) async fn copy(&mut self, what: &FromFile, body: Body) -> Result<PiecesEnd, Error> {
        let Some(target_db) = self.run.naming.target_db(what.db) else {
            return Ok(PiecesEnd::Not(Cause::Filtered));
        };
        let mut scratch = Vec::new();
        let name = self.run.naming.target_name(what.db, &what.key.name, &mut scratch);
        let temp = temporary::name(name);
        let layout = self.run.target_layout();
        let Some(owner) = layout.owner(name) else { return Ok(PiecesEnd::TargetMoved) };
        let node = &layout.primaries()[owner];
        // A connection belongs to a database too, and a file's databases come one after the other.
        let mut writer = match self.writers.remove(node) {
            Some(writer) if writer.db() == target_db => writer,
            _ => Writer::open(&self.run, node, target_db, None).await?,
        };
        let names = Names { key: &what.key.name, name, temp: &temp };
        let early = match self.attempt(&mut writer, names, what, body).await {
            Ok((kind, bytes)) => {
                self.writers.insert(node.clone(), writer);
                return Ok(PiecesEnd::Copied { kind, bytes });
            }
            Err(early) => early,
        };
        if let Early::Lost(error) = early {
            return Err(error);
        }
        // Best effort: what stays behind is removed by the next try, or by the next run.
        writer.push_unlink(&temp);
        if writer.discard().await.is_ok() {
            self.writers.insert(node.clone(), writer);
        }
        Ok(match early {
            Early::Lost(error) => return Err(error),
            Early::End(end) => end,
            Early::Not { cause, words } => {
                self.say(cause, &words);
                PiecesEnd::Not(cause)
            }
            Early::Changed | Early::Incomplete => PiecesEnd::Not(Cause::Incomplete),
        })
    }

    async fn attempt(
        &mut self,
        writer: &mut Writer,
        names: Names<'_>,
        what: &FromFile,
        body: Body,
    ) -> Step<(KeyType, u64)> {
        let not = |cause| Early::End(PiecesEnd::Not(cause));
        let (kind, key_type) = match (what.key.code.kind(), KeyType::of_payload(what.key.code.0)) {
            (Some(Kind::Module) | None, _) | (_, None | Some(KeyType::Module)) => {
                return Err(not(Cause::ModuleTypeUnknown));
            }
            (Some(kind), Some(key_type)) => (kind, key_type),
        };
        let only_new = only_new(&self.run, names.name, what.db);
        if only_new && writer.ask("EXISTS", &[names.name]).await?.as_i64() == Some(1) {
            return Err(not(Cause::TargetHasKey));
        }
        writer.freshen_clock(&self.run).await?;
        writer.take_added();
        writer.push_unlink(names.temp);
        let (mut bytes, pending) = Source::open(body, kind, what).await?;
        let mut rebuild = Rebuild::new(names.temp.to_vec(), kind, self.target_version, pending);
        let mut decoder = Decoder::of_version(what.key.code, what.version);
        let mut length = 0;
        while let Some(part) = bytes.next().await? {
            length += part.len() as u64;
            self.hold_back(part.len() as u64).await?;
            decoder.feed(part);
            if bytes.is_over() {
                decoder.finish();
            }
            while let Some(element) = decoder.next().map_err(|error| damaged(&error))? {
                if let Element::Field(field) = &element
                    && field.expires_at_ms.is_some()
                    && self.target_version < Version::REDIS_7_4
                {
                    return Err(not(Cause::FormatUnfit));
                }
                if rebuild.element(element, writer) {
                    writer.settle(MAX_DUE).await?;
                }
            }
        }
        let made = rebuild.finish(writer);
        writer.settle(0).await?;
        let found = length_of(writer, key_type, names.temp).await;
        match found {
            Ok(found) if found == made.length || (made.fields_expire && found < made.length) => {}
            Ok(_) => return Err(Early::Incomplete),
            // Every field has expired, so there is no such key.
            Err(Early::Incomplete) if made.fields_expire => return Err(not(Cause::ExpiredInFile)),
            Err(early) => return Err(early),
        }
        let deadline = what
            .key
            .expires_at_ms
            .map(|at| Deadline { at_ms: i64::try_from(at).unwrap_or(i64::MAX), error_ms: 0 });
        rename(&self.run, writer, names, deadline, only_new).await?;
        Ok((key_type, length))
    }

    /// Waits while the run writes more than it may.
    async fn hold_back(&self, bytes: u64) -> Step<()> {
        self.run.throttle().charge(self.run.now_us(), 0, bytes);
        loop {
            if self.run.stop.is_asked() {
                return Err(Early::End(PiecesEnd::Stopped));
            }
            let wait_us = self.run.throttle().try_take(self.run.now_us(), 0, 0);
            let Some(wait_us) = wait_us else { return Ok(()) };
            tokio::time::sleep(Duration::from_micros(wait_us.min(100_000))).await;
        }
    }

    /// Logs a server's words, once for every cause.
    fn say(&mut self, cause: Cause, words: &str) {
        if !self.said.contains(&cause) {
            self.said.push(cause);
            tracing::warn!(
                cause = cause.name(),
                "a key was not imported in pieces ({words}); {}; further keys of this cause are only counted",
                cause.remedy()
            );
        }
    }
}

fn damaged(error: &rdb::Error) -> Early {
    Early::Not { cause: Cause::Damaged, words: error.to_string() }
}

/// The file ended in the middle of the value; whoever reads it says why.
fn broken_off() -> Early {
    Early::End(PiecesEnd::Stopped)
}

/// A value's bytes, from where they are.
enum Source {
    Whole(Option<Bytes>),
    Arriving(mpsc::Receiver<Part>, bool),
    Aside(Aside),
}

impl Source {
    /// Ready to be read, with the ids that are pending in the groups of a stream.
    async fn open(body: Body, kind: Kind, what: &FromFile) -> Step<(Source, Vec<StreamId>)> {
        match (body, kind) {
            (Body::Whole(bytes), Kind::Stream) => {
                let value = rdb::decode::value_of_version(what.key.code, what.version, &bytes)
                    .map_err(|error| damaged(&error))?;
                let rdb::Value::Stream(stream) = value else {
                    return Ok((Source::Whole(Some(bytes)), Vec::new()));
                };
                Ok((Source::Whole(Some(bytes)), pending_ids(&stream.groups)))
            }
            (Body::Whole(bytes), _) => Ok((Source::Whole(Some(bytes)), Vec::new())),
            (Body::Arriving(parts), Kind::Stream) => {
                let (aside, pending) = put_aside(parts, what).await?;
                Ok((Source::Aside(aside), pending))
            }
            (Body::Arriving(parts), _) => Ok((Source::Arriving(parts, false), Vec::new())),
        }
    }

    async fn next(&mut self) -> Step<Option<Bytes>> {
        match self {
            Source::Whole(bytes) => Ok(bytes.take()),
            Source::Arriving(_, true) => Ok(None),
            Source::Arriving(parts, over) => match parts.recv().await {
                Some(Part::More(bytes)) => Ok(Some(bytes)),
                Some(Part::Last(bytes)) => {
                    *over = true;
                    Ok(Some(bytes))
                }
                None => Err(broken_off()),
            },
            Source::Aside(aside) => aside.read().map_err(cannot_put_aside),
        }
    }

    /// Whether what came last was the end.
    fn is_over(&self) -> bool {
        match self {
            Source::Whole(bytes) => bytes.is_none(),
            Source::Arriving(_, over) => *over,
            Source::Aside(aside) => aside.is_over(),
        }
    }
}

/// Puts a stream aside, and finds the ids that are pending in its groups.
async fn put_aside(mut parts: mpsc::Receiver<Part>, what: &FromFile) -> Step<(Aside, Vec<StreamId>)> {
    let mut aside = Aside::new().map_err(cannot_put_aside)?;
    let mut decoder = Decoder::of_version(what.key.code, what.version);
    let mut pending = Vec::new();
    let mut over = false;
    while !over {
        let part = match parts.recv().await {
            Some(Part::More(part)) => part,
            Some(Part::Last(part)) => {
                over = true;
                part
            }
            None => return Err(broken_off()),
        };
        aside.put(&part).map_err(cannot_put_aside)?;
        decoder.feed(part);
        if over {
            decoder.finish();
        }
        while let Some(element) = decoder.next().map_err(|error| damaged(&error))? {
            if let Element::Group(group) = element {
                pending.extend(pending_ids([&group]));
            }
        }
    }
    aside.rewind().map_err(cannot_put_aside)?;
    pending.sort_unstable();
    pending.dedup();
    Ok((aside, pending))
}

fn cannot_put_aside(error: std::io::Error) -> Early {
    let words = format!("a large stream cannot be put aside in {} ({error})", std::env::temp_dir().display());
    Early::Not { cause: Cause::NoRoomAside, words }
}
