//! Streams (`rdbSaveObject` in Redis' rdb.c; the layout of a node is that of `streamAppendItem` in t_stream.c).

use super::compact::{PIECE, STREAM_ENTRIES, STREAM_NODE};
use super::listpack::{Listpack, Widths};
use super::string::{count, length, string};
use crate::kind::TypeCode;
use crate::transcode::Unfit;
use crate::value::{Entry, Group, Stream, StreamId};
use crate::version::Version;

/// The entry has the fields of the node's first one, so that only values follow (`STREAM_ITEM_FLAG_SAMEFIELDS`).
const SAME_FIELDS: i64 = 2;

/// "Never", and "nobody knows": -1 in 64 bits.
const NONE: u64 = u64::MAX;

pub(super) fn body(stream: &Stream, version: Version, out: &mut Vec<u8>) -> Result<TypeCode, Unfit> {
    if stream.entries.iter().any(|entry| bytes_of(entry) > PIECE - STREAM_NODE) {
        return Err(Unfit::TooLarge);
    }
    let code = code(stream, version);
    let widths = if version.is_valkey() { Widths::Corrected } else { Widths::Redis };
    entries(&stream.entries, widths, out);
    count(stream.entries.len(), out);
    id(stream.facts.last_id, out);
    if code != TypeCode::STREAM_1 {
        let first = stream.facts.first_id.or(stream.entries.first().map(|entry| entry.id));
        id(first.unwrap_or_default(), out);
        id(stream.facts.max_deleted_id.unwrap_or_default(), out);
        length(stream.facts.entries_added.unwrap_or(stream.entries.len() as u64), out);
    }
    count(stream.groups.len(), out);
    for group in &stream.groups {
        write_group(group, code, out);
    }
    Ok(code)
}

/// The newest form that the version knows. What comes from an old server and has none of the newer facts goes in the
/// old form, so that the new server estimates them as it would have for the old payload.
fn code(stream: &Stream, version: Version) -> TypeCode {
    let facts = &stream.facts;
    let is_old = facts.entries_added.is_none()
        && facts.max_deleted_id.is_none()
        && stream.groups.iter().all(|group| {
            group.entries_read.is_none()
                && group.consumers.iter().all(|consumer| consumer.active_at_ms.is_none())
        });
    if is_old || !version.knows(TypeCode::STREAM_2) {
        TypeCode::STREAM_1
    } else if !version.knows(TypeCode::STREAM_3) {
        TypeCode::STREAM_2
    } else {
        TypeCode::STREAM_3
    }
}

fn id(id: StreamId, out: &mut Vec<u8>) {
    length(id.ms, out);
    length(id.seq, out);
}

fn raw_id(id: StreamId) -> [u8; 16] {
    ((u128::from(id.ms) << 64) | u128::from(id.seq)).to_be_bytes()
}

fn bytes_of(entry: &Entry) -> usize {
    entry.fields.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn entries(entries: &[Entry], widths: Widths, out: &mut Vec<u8>) {
    let mut nodes = Vec::new();
    let mut written = 0;
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let (taken, listpack) = node(first, rest, widths);
        string(&raw_id(first.id), &mut nodes);
        string(&listpack, &mut nodes);
        written += 1;
        rest = &rest[taken..];
    }
    count(written, out);
    out.extend_from_slice(&nodes);
}

/// Puts as many entries into a node as a server would, and says how many.
fn node(first: &Entry, entries: &[Entry], widths: Widths) -> (usize, Vec<u8>) {
    let mut items = Listpack::with(widths);
    let mut taken = 0;
    for entry in entries.iter().take(STREAM_ENTRIES) {
        if taken > 0 && items.size() + bytes_of(entry) >= STREAM_NODE {
            break;
        }
        item(first, entry, &mut items);
        taken += 1;
    }
    let mut node = Listpack::with(widths);
    node.push_number(taken as i64);
    // Deleted entries.
    node.push_number(0);
    node.push_number(first.fields.len() as i64);
    first.fields.iter().for_each(|(name, _)| node.push(name));
    // The end of the head, read backwards.
    node.push_number(0);
    node.append(&items);
    (taken, node.finish())
}

fn item(first: &Entry, entry: &Entry, items: &mut Listpack) {
    let same_fields = entry.fields.iter().map(|(name, _)| name).eq(first.fields.iter().map(|(name, _)| name));
    let fields = entry.fields.len() as i64;
    items.push_number(if same_fields { SAME_FIELDS } else { 0 });
    // As in Redis, differences wrap around.
    items.push_number(entry.id.ms.wrapping_sub(first.id.ms) as i64);
    items.push_number(entry.id.seq.wrapping_sub(first.id.seq) as i64);
    if same_fields {
        entry.fields.iter().for_each(|(_, value)| items.push(value));
        items.push_number(fields + 3);
    } else {
        items.push_number(fields);
        for (name, value) in &entry.fields {
            items.push(name);
            items.push(value);
        }
        items.push_number(2 * fields + 4);
    }
}

fn write_group(group: &Group, code: TypeCode, out: &mut Vec<u8>) {
    string(&group.name, out);
    id(group.last_id, out);
    if code != TypeCode::STREAM_1 {
        length(group.entries_read.unwrap_or(NONE), out);
    }
    count(group.pending.len(), out);
    for pending in &group.pending {
        out.extend_from_slice(&raw_id(pending.id));
        out.extend_from_slice(&pending.delivered_at_ms.to_le_bytes());
        length(pending.deliveries, out);
    }
    let mut of_consumer: Vec<Vec<StreamId>> = vec![Vec::new(); group.consumers.len()];
    for pending in &group.pending {
        // An index beyond the consumers is the caller's mistake; servers refuse such a group.
        if let Some(of_consumer) = of_consumer.get_mut(pending.consumer) {
            of_consumer.push(pending.id);
        }
    }
    count(group.consumers.len(), out);
    for (consumer, pending) in group.consumers.iter().zip(of_consumer) {
        string(&consumer.name, out);
        out.extend_from_slice(&consumer.seen_at_ms.to_le_bytes());
        if code == TypeCode::STREAM_3 {
            out.extend_from_slice(&consumer.active_at_ms.unwrap_or(NONE).to_le_bytes());
        }
        count(pending.len(), out);
        pending.iter().for_each(|id| out.extend_from_slice(&raw_id(*id)));
    }
}
