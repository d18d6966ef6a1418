//! Streams: entries, last id, counters, groups, consumers and what is pending.

mod entries;
mod groups;
mod id;
mod info;
mod pending;

use client::Read;
use client::reply::ReplyKind;
use itoa::Buffer;
use resp::Value;

use super::attempt::Job;
use super::early::{Early, Step, no_error};
use super::writer::Expect;
use crate::rebuild::Commands;
use entries::Placeholders;
use id::Id;
use info::field;

/// A group that only makes the stream exist, for streams without entries; removed at once.
const FIRST_GROUP: &[u8] = b"redferry";

/// Copies the stream and returns its number of entries.
pub(super) async fn copy(job: &mut Job<'_>) -> Step<u64> {
    let key = job.names.key;
    let stream = job.lines.reader.ask(Read::XInfoStream(key)).await?;
    let stream = Stream::of(stream).ok_or_else(|| job.lines.reader.odd("XINFO STREAM"))?;
    let groups = groups::read(job).await?;
    // An entry that was deleted can still be pending. XCLAIM needs it to be there, so a placeholder stands
    // for it until all is claimed.
    let pending = pending::ids(job, &groups).await?;
    // What was added since then has a greater id, and the target would refuse the stream's last id.
    if pending.last().is_some_and(|id| *id > stream.last_id) {
        return Err(Early::Changed);
    }
    job.lines.writer.push(
        "XGROUP CREATE",
        &[job.names.temp, FIRST_GROUP, b"0", b"MKSTREAM"],
        Expect::Success,
    );
    job.lines.writer.push("XGROUP DESTROY", &[job.names.temp, FIRST_GROUP], Expect::Success);
    let placeholders = entries::copy(job, stream.length, stream.last_id, pending).await?;
    groups::write(job, &groups).await?;
    remove(job, stream.length, &placeholders);
    set_last_id(job, &stream).await?;
    // Neither XREADGROUP nor XACK touches what WATCH sees.
    let after = groups::read(job).await?;
    if groups::changed(&groups, &after) { Err(Early::Changed) } else { Ok(stream.length) }
}

/// What XINFO STREAM says.
struct Stream {
    length: u64,
    last_id: Id,
    /// Since Redis 7.0: entries ever added, and the greatest id that XDEL removed.
    counters: Option<(u64, String)>,
}

impl Stream {
    fn of(reply: Value) -> Option<Stream> {
        let stream = reply.into_array()?;
        let added = field(&stream, "entries-added").and_then(|added| u64::try_from(added.as_i64()?).ok());
        let deleted = field(&stream, "max-deleted-entry-id").and_then(Value::as_str);
        Some(Stream {
            length: field(&stream, "length")?.as_i64()?.try_into().ok()?,
            last_id: Id::parse(field(&stream, "last-generated-id")?.as_bytes()?)?,
            counters: added.zip(deleted.map(str::to_owned)),
        })
    }
}

/// Ids of one XDEL.
const DELETED_AT_ONCE: usize = 1000;

/// Those before the first entry are trimmed away, because XDEL would leave a mark (the stream's
/// `max-deleted-entry-id`) that the source, where they were trimmed perhaps, does not have.
fn remove(job: &mut Job<'_>, length: u64, placeholders: &Placeholders) {
    let temp = job.names.temp;
    if placeholders.leading > 0 {
        let kept = length + placeholders.between.len() as u64;
        job.lines.writer.push(
            "XTRIM",
            &[temp, b"MAXLEN", Buffer::new().format(kept).as_bytes()],
            Expect::Success,
        );
    }
    for ids in placeholders.between.chunks(DELETED_AT_ONCE) {
        job.lines.writer.begin("XDEL", 1 + ids.len(), Expect::Success);
        job.lines.writer.arg(temp);
        ids.iter().for_each(|id| job.lines.writer.arg(id.to_string().as_bytes()));
    }
}

async fn set_last_id(job: &mut Job<'_>, stream: &Stream) -> Step<()> {
    let (temp, last_id) = (job.names.temp, stream.last_id.to_string());
    let last_id = last_id.as_bytes();
    // An older source does not count; then as many were added as there are, as RESTORE assumes (rdb.c).
    let (added, deleted) = stream.counters.clone().unwrap_or((stream.length, Id::default().to_string()));
    let writer = &mut job.lines.writer;
    if writer.knows_counters != Some(false) {
        let mut added_text = Buffer::new();
        let added = added_text.format(added).as_bytes();
        let args = [temp, last_id, b"ENTRIESADDED", added, b"MAXDELETEDID", deleted.as_bytes()];
        let reply = writer.try_ask("XSETID", &args).await?;
        if !is_unknown(&reply) {
            return no_error(reply, |reply| writer.refused("XSETID", reply)).map(drop);
        }
        writer.knows_counters = Some(false);
    }
    writer.ask("XSETID", &[temp, last_id]).await.map(drop)
}

/// Whether a server refuses arguments that it does not know.
fn is_unknown(reply: &Value) -> bool {
    let Value::Error(text) = reply else { return false };
    matches!(ReplyKind::of(text), ReplyKind::WrongArity | ReplyKind::SyntaxError | ReplyKind::UnknownCommand)
}
