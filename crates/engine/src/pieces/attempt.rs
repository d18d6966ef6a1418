//! One try to copy a key, from its type to its name on the target.

use client::Read;
use migration::conflict::OnConflict;
use migration::tally::{Cause, KeyType};

use super::PiecesEnd;
use super::early::{Early, Step};
use super::finish;
use super::hash::{self, Expiring};
use super::lines::Lines;
use super::size::PieceSize;
use super::{ranges, set, stream, string};
use crate::run::Run;

/// The key's names.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    /// On the source.
    pub(super) key: &'a [u8],
    /// On the target.
    pub(super) name: &'a [u8],
    /// On the target until it is complete.
    pub(super) temp: &'a [u8],
}

/// One try.
pub(super) struct Job<'a> {
    pub(super) run: &'a Run,
    pub(super) lines: &'a mut Lines,
    pub(super) names: Names<'a>,
    /// Bytes of a piece.
    pub(super) piece: u64,
    /// Bytes of the value so far.
    pub(super) bytes: u64,
    /// Fields of a hash that may be missing by now.
    pub(super) expiring: Expiring,
}

/// Copies the key and returns its type and bytes. After an early end the caller tidies up.
pub(super) async fn copy(run: &Run, lines: &mut Lines, names: Names<'_>, piece: u64) -> Step<(KeyType, u64)> {
    if run.stop.is_asked() {
        return Err(Early::End(PiecesEnd::Stopped));
    }
    let mut job = Job { run, lines, names, piece, bytes: 0, expiring: Expiring::default() };
    job.lines.reader.freshen_clock(run).await?;
    job.lines.writer.freshen_clock(run).await?;
    let kind = job.begin().await?;
    let length = match kind {
        KeyType::String => string::copy(&mut job).await?,
        KeyType::List => ranges::list(&mut job).await?,
        KeyType::Set => set::copy(&mut job).await?,
        KeyType::Zset => ranges::sorted_set(&mut job).await?,
        KeyType::Hash => hash::copy(&mut job).await?,
        KeyType::Stream => stream::copy(&mut job).await?,
        KeyType::Module => return Err(Early::End(PiecesEnd::Not(Cause::ModuleTypeUnknown))),
    };
    finish::finish(&mut job, kind, length).await?;
    Ok((kind, job.bytes))
}

impl Job<'_> {
    /// Watches the key, finds out its type and removes what an earlier try left behind.
    async fn begin(&mut self) -> Step<KeyType> {
        let Names { key, name, temp } = self.names;
        self.lines.writer.take_added();
        self.lines.reader.push(Read::Watch(key));
        self.lines.reader.push(Read::Type(key));
        let replies = self.lines.reader.collect(2).await?;
        let kind = replies.last().and_then(|reply| reply.as_bytes());
        let kind = match kind.ok_or_else(|| self.lines.reader.odd("TYPE"))? {
            b"none" => return Err(Early::End(PiecesEnd::Not(Cause::GoneBeforeRead))),
            name => KeyType::of_name(name),
        };
        // A first look, so that a big value is not carried over in vain; RENAMENX decides.
        if self.run.options.on_conflict == OnConflict::Skip
            && self.lines.writer.ask("EXISTS", &[name]).await?.as_i64() == Some(1)
        {
            return Err(Early::End(PiecesEnd::Not(Cause::TargetHasKey)));
        }
        self.lines.writer.push_unlink(temp);
        Ok(kind)
    }

    /// How many elements to ask for, by the key's memory where the source tells it.
    pub(super) async fn piece_size(&mut self, elements: u64) -> Step<PieceSize> {
        let mut average = None;
        if self.run.abilities.memory_usage {
            let memory = self.lines.reader.ask(Read::MemoryUsage(self.names.key)).await?;
            let memory = memory.as_i64().and_then(|bytes| u64::try_from(bytes).ok());
            average = memory.and_then(|bytes| bytes.checked_div(elements));
        }
        Ok(PieceSize::new(self.piece, average))
    }
}
