//! Copying one key in pieces of bounded size.
//!
//! The pieces go into a temporary key of the same slot, which takes the key's name when it is complete, so
//! nobody ever sees half a value. `WATCH` on the source tells whether the key changed while it was read.
//! This is the way of big keys, whose `DUMP` would stop the source and fill the memory of both, and of
//! targets that refuse `RESTORE`. It carries values, expiry and all that a stream has, but not how recently
//! or often a key was used: only `RESTORE` can set that.

mod attempt;
mod carry;
mod early;
mod finish;
mod from_file;
mod hash;
mod lines;
mod ranges;
mod reader;
mod set;
mod size;
mod stream;
mod string;
#[cfg(test)]
mod tests;
mod to_file;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use client::reply::ReplyKind;
use client::{Error, Node};
use migration::tally::{Cause, KeyType};

use crate::run::Run;
use crate::temporary;
use attempt::Names;
use early::Early;
pub(crate) use from_file::{Body, FileCopier, FromFile, Part};
use lines::Lines;
use reader::Reader;
pub(crate) use to_file::FileWriter;
use writer::Writer;

/// Bytes of one piece: enough to make round trips cheap, little enough that neither server is held up
/// (reading and writing 1 MiB takes a server about a millisecond).
const PIECE: u64 = 1024 * 1024;

/// How often a key that changes while it is read is tried, and the pauses between.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(900),
    Duration::from_secs(2),
];

/// How often a copy whose pieces got lost on the target is tried.
const INCOMPLETE_TRIES: usize = 2;

/// Copies big keys of one source node's database, one at a time.
///
/// Connections are opened when the first key needs them and are kept for the next ones. Memory: about two
/// pieces read ahead and [`carry::MAX_DUE`] pieces not yet acknowledged, and 16 bytes for every pending
/// entry of a stream; one element is never split.
pub(crate) struct PieceCopier {
    run: Arc<Run>,
    node: Node,
    db: u32,
    piece: u64,
    reader: Option<Reader>,
    writers: BTreeMap<Node, Writer>,
    said: Vec<Cause>,
}

/// What became of one key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PiecesEnd {
    /// It is on the target under its name.
    Copied {
        /// Its type.
        kind: KeyType,
        /// Bytes of its value as they were sent.
        bytes: u64,
    },
    /// It was not copied.
    Not(Cause),
    /// The target refuses every write, not this key's.
    Refused {
        /// The node that refused.
        node: String,
        /// What kind of refusal.
        kind: ReplyKind,
        /// Its words.
        text: String,
    },
    /// The key's slot has left this node of the source.
    SourceMoved,
    /// The slot is served by another node of the target: look at the layout, then try again.
    TargetMoved,
    /// Somebody asked the run to stop; the key is not copied.
    Stopped,
}

impl PieceCopier {
    /// A copier of keys of this source node and database.
    pub(crate) fn new(run: Arc<Run>, node: Node, db: u32) -> PieceCopier {
        PieceCopier { run, node, db, piece: PIECE, reader: None, writers: BTreeMap::new(), said: Vec::new() }
    }

    /// The same with small pieces, so that small keys have many.
    #[cfg(test)]
    fn with_piece(self, piece: u64) -> PieceCopier {
        PieceCopier { piece, ..self }
    }

    /// Copies one key.
    ///
    /// # Errors
    /// A connection was lost. Trying the key again is safe: it begins by removing what is left of this try.
    pub(crate) async fn copy(&mut self, key: &[u8]) -> Result<PiecesEnd, Error> {
        let Some(target_db) = self.run.naming.target_db(self.db) else {
            return Ok(PiecesEnd::Not(Cause::Filtered));
        };
        let mut scratch = Vec::new();
        let name = self.run.naming.target_name(self.db, key, &mut scratch);
        let temp = temporary::name(name);
        let names = Names { key, name, temp: &temp };
        let mut pauses = PAUSES.iter();
        let mut incomplete = 0;
        loop {
            let Some(mut lines) = self.open(name, target_db).await? else {
                return Ok(PiecesEnd::TargetMoved);
            };
            let early = match attempt::copy(&self.run, &mut lines, names, self.piece).await {
                Ok((kind, bytes)) => {
                    self.keep(lines);
                    return Ok(PiecesEnd::Copied { kind, bytes });
                }
                Err(early) => early,
            };
            if let Early::Lost(error) = early {
                return Err(error);
            }
            self.tidy(lines, name, target_db, &temp).await;
            match early {
                Early::Lost(error) => return Err(error),
                Early::End(end) => return Ok(end),
                Early::Not { cause, words } => {
                    self.say(cause, &words);
                    return Ok(PiecesEnd::Not(cause));
                }
                Early::Changed => match pauses.next() {
                    Some(pause) => self.run.stop.sleep(*pause).await,
                    None => return Ok(PiecesEnd::Not(Cause::ChangedWhileRead)),
                },
                Early::Incomplete => {
                    incomplete += 1;
                    if incomplete == INCOMPLETE_TRIES {
                        return Ok(PiecesEnd::Not(Cause::Incomplete));
                    }
                    self.run.stop.sleep(PAUSES[0]).await;
                }
            }
        }
    }

    /// The connections for a key of that name; `None` while nobody owns its slot.
    async fn open(&mut self, name: &[u8], target_db: u32) -> Result<Option<Lines>, Error> {
        let layout = self.run.target_layout();
        let Some(owner) = layout.owner(name) else { return Ok(None) };
        let target = &layout.primaries()[owner];
        let reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.run, &self.node, self.db).await?,
        };
        let writer = match self.writers.remove(target) {
            Some(writer) => writer,
            None => Writer::open(&self.run, target, target_db, Some((&self.node, self.db))).await?,
        };
        Ok(Some(Lines { reader, writer }))
    }

    /// After an early end removes the temporary key, on new connections where these do not work any more.
    /// Best effort: what stays behind is removed by the next try, or by the next run.
    async fn tidy(&mut self, mut lines: Lines, name: &[u8], target_db: u32, temp: &[u8]) {
        if lines.tidy(temp).await.is_err() {
            match self.open(name, target_db).await {
                Ok(Some(new)) => lines = new,
                Ok(None) | Err(_) => return,
            }
            if lines.tidy(temp).await.is_err() {
                return;
            }
        }
        self.keep(lines);
    }

    fn keep(&mut self, lines: Lines) {
        self.reader = Some(lines.reader);
        self.writers.insert(lines.writer.node().clone(), lines.writer);
    }

    /// Logs a server's words, once for every cause: a million keys may meet the same refusal.
    fn say(&mut self, cause: Cause, words: &str) {
        if !self.said.contains(&cause) {
            self.said.push(cause);
            tracing::warn!(
                cause = cause.name(),
                "a key was not copied in pieces ({words}); {}; further keys of this cause are only counted",
                cause.remedy()
            );
        }
    }
}
