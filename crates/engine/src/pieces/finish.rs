//! The end of a try: is it all there, did the source stay as it was, when does it expire; then the name.

use client::Read;
use itoa::Buffer;
use migration::conflict::OnConflict;
use migration::expiry::{Deadline, deadline_on_target_ms};
use migration::tally::{Cause, KeyType};

use super::PiecesEnd;
use super::attempt::{Job, Names};
use super::early::{Early, Step, no_error};
use super::writer::Writer;
use crate::clocks::time_us;
use crate::run::Run;

/// Gives the complete value its expiry and its name.
pub(super) async fn finish(job: &mut Job<'_>, kind: KeyType, length: u64) -> Step<()> {
    check_length(job, kind, length).await?;
    job.lines.reader.freshen_clock(job.run).await?;
    job.lines.writer.freshen_clock(job.run).await?;
    let deadline = deadline(job).await?;
    let only_new = job.run.options.on_conflict == OnConflict::Skip;
    rename(job.run, &mut job.lines.writer, job.names, deadline, only_new).await
}

async fn check_length(job: &mut Job<'_>, kind: KeyType, length: u64) -> Step<()> {
    let found = length_of(&mut job.lines.writer, kind, job.names.temp).await?;
    let missing = job.expiring.until(job.lines.writer.now_ms(job.run));
    if found <= length && found + missing >= length { Ok(()) } else { Err(Early::Incomplete) }
}

/// What the temporary key holds. The target may have evicted it on the way and have begun a new one with the next
/// piece.
pub(super) async fn length_of(writer: &mut Writer, kind: KeyType, temp: &[u8]) -> Step<u64> {
    let command = match kind {
        KeyType::String => "STRLEN",
        KeyType::List => "LLEN",
        KeyType::Set => "SCARD",
        KeyType::Zset => "ZCARD",
        KeyType::Hash => "HLEN",
        KeyType::Stream | KeyType::Module => "XLEN",
    };
    let found = writer.ask(command, &[temp]).await?;
    found.as_i64().and_then(|found| u64::try_from(found).ok()).ok_or(Early::Incomplete)
}

/// Makes sure that the key did not change since it was watched, and asks for its time to live in the same moment.
async fn deadline(job: &mut Job<'_>) -> Step<Option<Deadline>> {
    let reader = &mut job.lines.reader;
    reader.push(Read::Time);
    reader.push(Read::Multi);
    reader.push(Read::PTtl(job.names.key));
    reader.push(Read::Exec);
    reader.push(Read::Time);
    let replies = reader.collect(5).await?;
    let (Some(before), Some(after)) = (time_us(&replies[0]), time_us(&replies[4])) else {
        return Err(reader.odd("TIME"));
    };
    if replies[3].is_null() {
        return Err(Early::Changed);
    }
    let pttl = replies[3].as_array().and_then(|results| results.first()?.as_i64());
    let pttl = pttl.ok_or_else(|| reader.odd("EXEC"))?;
    if pttl == -2 {
        // It expired; the next try says so.
        return Err(Early::Changed);
    }
    let deadline = deadline_on_target_ms(&reader.clock(), &job.lines.writer.clock(), (before, after), pttl);
    if let Some(deadline) = &deadline {
        job.run.saw_ttl_error(deadline.error_ms);
    }
    Ok(deadline)
}

/// The expiry comes before the name, so that under its name the key is complete from the first moment.
pub(super) async fn rename<S>(
    run: &Run<S>,
    writer: &mut Writer,
    names: Names<'_>,
    deadline: Option<Deadline>,
    only_new: bool,
) -> Step<()> {
    let Names { name, temp, .. } = names;
    if let Some(deadline) = deadline {
        writer.ask("PEXPIREAT", &[temp, Buffer::new().format(deadline.at_ms).as_bytes()]).await?;
    }
    let command = if only_new { "RENAMENX" } else { "RENAME" };
    let reply = writer.try_ask(command, &[temp, name]).await?;
    let reply = no_error(reply, |reply| writer.refused(command, reply));
    match reply {
        Ok(reply) if only_new && reply.as_i64() == Some(0) => {
            Err(Early::End(PiecesEnd::Not(Cause::TargetHasKey)))
        }
        Ok(_) => Ok(()),
        Err(Early::Incomplete) if deadline.is_some_and(|deadline| is_over(writer.now_ms(run), deadline)) => {
            // The source has the key no more, so neither may the target (as RESTORE REPLACE has it).
            if run.options.on_conflict == OnConflict::Replace {
                writer.ask("UNLINK", &[name]).await?;
            }
            Err(Early::End(PiecesEnd::Not(Cause::ExpiredOnTheWay)))
        }
        Err(early) => Err(early),
    }
}

fn is_over(now_ms: i64, deadline: Deadline) -> bool {
    deadline.at_ms <= now_ms + i64::from(deadline.error_ms) + 1
}
