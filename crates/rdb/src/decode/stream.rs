//! Streams: nodes with entries, facts, groups. Source: `rdbLoadObject` in rdb.c and t_stream.c of Redis.

use bytes::Bytes;

use crate::error::Problem;
use crate::kind::TypeCode;
use crate::scan::{LONGEST, Scan, Stop};
use crate::value::{Consumer, Entry, Group, Pending, StreamFacts, StreamId};

use super::listpack::Listpack;

const DAMAGED: Problem = Problem::Malformed("a stream's node is damaged");

/// The entry is deleted.
const DELETED: i64 = 1;
/// The entry has the fields of the node.
const SAME_FIELDS: i64 = 2;

/// Which of the encodings it is, 1 to 5.
pub(super) fn edition(code: TypeCode) -> u8 {
    match code {
        TypeCode::STREAM_1 => 1,
        TypeCode::STREAM_2 => 2,
        TypeCode::STREAM_3 => 3,
        TypeCode::STREAM_4 => 4,
        _ => 5,
    }
}

/// A place in a node: an id and fields that most of its entries share, then the entries.
#[derive(Debug)]
pub(super) struct Node {
    id: StreamId,
    fields: Vec<Bytes>,
    cells: Listpack,
    /// Entries that still come, the deleted ones too.
    left: u64,
}

impl Node {
    pub(super) fn read(scan: &mut Scan<'_>) -> Result<Node, Stop> {
        let id = scan.string(LONGEST)?;
        let cells = scan.string(LONGEST)?;
        Ok(Node::open(&id, cells)?)
    }

    fn open(id: &[u8], cells: Bytes) -> Result<Node, Problem> {
        let id = id.split_first_chunk().zip(id.last_chunk()).filter(|_| id.len() == 16).ok_or(DAMAGED)?;
        let ((ms, _), seq) = id;
        let id = StreamId { ms: u64::from_be_bytes(*ms), seq: u64::from_be_bytes(*seq) };
        let mut cells = Listpack::open(cells)?;
        let (living, deleted) = (count(&mut cells)?, count(&mut cells)?);
        let fields =
            (0..count(&mut cells)?).map(|_| Ok(cells.some()?.into_text())).collect::<Result<_, _>>()?;
        if cells.some()?.number()? != 0 {
            return Err(DAMAGED);
        }
        let left = living.checked_add(deleted).ok_or(DAMAGED)?;
        Ok(Node { id, fields, cells, left })
    }

    /// The next entry that is not deleted.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Problem> {
        while self.left > 0 {
            self.left -= 1;
            if let Some(entry) = self.entry()? {
                return Ok(Some(entry));
            }
        }
        if self.cells.next()?.is_some() { Err(DAMAGED) } else { Ok(None) }
    }

    fn entry(&mut self) -> Result<Option<Entry>, Problem> {
        let cells = &mut self.cells;
        let flags = cells.some()?.number()?;
        // As differences to the node's, which wrap like those of the server.
        let ms = self.id.ms.wrapping_add_signed(cells.some()?.number()?);
        let seq = self.id.seq.wrapping_add_signed(cells.some()?.number()?);
        let mut fields = Vec::new();
        let own_cells = if flags & SAME_FIELDS != 0 {
            for name in &self.fields {
                fields.push((name.clone(), cells.some()?.into_text()));
            }
            fields.len()
        } else {
            for _ in 0..count(cells)? {
                fields.push((cells.some()?.into_text(), cells.some()?.into_text()));
            }
            1 + 2 * fields.len()
        };
        if count(cells)? != 3 + own_cells as u64 {
            return Err(DAMAGED);
        }
        Ok((flags & DELETED == 0).then_some(Entry { id: StreamId { ms, seq }, fields }))
    }
}

fn count(cells: &mut Listpack) -> Result<u64, Problem> {
    u64::try_from(cells.some()?.number()?).map_err(|_| DAMAGED)
}

/// The facts, and how many groups follow.
pub(super) fn facts(scan: &mut Scan<'_>, edition: u8) -> Result<(StreamFacts, u64), Stop> {
    let mut facts = StreamFacts { length: scan.length()?, last_id: scan.id()?, ..StreamFacts::default() };
    if edition >= 2 {
        facts.first_id = Some(scan.id()?);
        facts.max_deleted_id = Some(scan.id()?);
        facts.entries_added = Some(scan.length()?);
    }
    Ok((facts, scan.length()?))
}

/// A group with its pending entries and consumers.
pub(super) fn group(scan: &mut Scan<'_>, edition: u8) -> Result<Group, Stop> {
    let mut group = Group { name: scan.string(LONGEST)?, last_id: scan.id()?, ..Group::default() };
    if edition >= 2 {
        // -1 stands for unknown.
        group.entries_read = Some(scan.length()?).filter(|&read| read != u64::MAX);
    }
    let mut pending = read_pending(scan)?;
    let count = scan.length()?;
    scan.expect(count.saturating_mul(if edition >= 3 { 18 } else { 10 }))?;
    for consumer in 0..count as usize {
        let name = scan.string(LONGEST)?;
        let seen_at_ms = scan.time()?;
        let active_at_ms = if edition >= 3 { u64::try_from(scan.number()?).ok() } else { None };
        group.consumers.push(Consumer { name, seen_at_ms, active_at_ms });
        let owned = scan.length()?;
        scan.expect(owned.saturating_mul(16))?;
        for _ in 0..owned {
            let id = scan.binary_id()?;
            let found = pending.binary_search_by_key(&id, |pending| pending.id).ok();
            match found.and_then(|at| pending.get_mut(at)) {
                Some(entry) if entry.consumer == NOBODY => entry.consumer = consumer,
                _ => return Err(Problem::Malformed("a consumer has an entry that is not its own").into()),
            }
        }
    }
    if edition >= 5 && scan.length()? > 0 {
        return Err(Problem::Malformed("pending entries without an owner (Redis 8.8) are not decoded").into());
    }
    if pending.iter().any(|entry| entry.consumer == NOBODY) {
        return Err(Problem::Malformed("a pending entry has no consumer").into());
    }
    group.pending = pending;
    Ok(group)
}

/// While a group is read.
const NOBODY: usize = usize::MAX;

fn read_pending(scan: &mut Scan<'_>) -> Result<Vec<Pending>, Stop> {
    let count = scan.length()?;
    let mut pending: Vec<Pending> = Vec::new();
    for left in (1..=count).rev() {
        // Also says at once how much is needed, so that a large group is not begun again for every chunk.
        scan.expect(left.saturating_mul(25))?;
        let id = scan.binary_id()?;
        if pending.last().is_some_and(|before| before.id >= id) {
            return Err(Problem::Malformed("pending entries are not in the order of their ids").into());
        }
        let (delivered_at_ms, deliveries) = (scan.time()?, scan.length()?);
        pending.push(Pending { id, delivered_at_ms, deliveries, consumer: NOBODY });
    }
    Ok(pending)
}
