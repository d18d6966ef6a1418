//! Healing a gap: every key that the node has, and every key of the target that it should have, is looked at again
//! while following goes on.
//!
//! Keys of the node are listed and marked, so that the lane reads them as it reads changes. Keys of the target that
//! would come from this node are listed, and the node is asked for them; those that it does not have are marked
//! too, and the lane removes them. Marks are made only as fast as they are carried, so a listing takes no memory.

use std::sync::Arc;

use client::{Error, Kind, Node, Read, SourceConnection};
use resp::Value;
use tokio::time::timeout;

use super::Queue;
use crate::run::Run;
use crate::temporary;

/// Marks that wait, above which no more keys are listed.
const MARKS: usize = 8_192;

/// Compares the keys of a node with the target's, in both directions.
///
/// # Errors
/// A side was lost: begin anew.
pub(crate) async fn node(
    run: &Run,
    node: &Node,
    queues: &[Arc<Queue>],
    owns: impl Fn(&[u8]) -> bool,
) -> Result<(), Error> {
    for queue in queues {
        of_source(run, node, queue).await?;
    }
    for queue in queues {
        of_target(run, node, queue, &owns).await?;
    }
    Ok(())
}

async fn of_source(run: &Run, node: &Node, queue: &Queue) -> Result<(), Error> {
    let mut connection = run.source.connect_source(node, queue.db()).await?;
    let mut cursor = 0;
    loop {
        queue.room_below(MARKS).await;
        let (next, names) = page(run, &mut connection, cursor, None).await?;
        let names = names.iter().filter_map(Value::as_bytes);
        queue.suspect(names.filter(|name| !name.starts_with(temporary::PREFIX)));
        cursor = next;
        if cursor == 0 {
            return Ok(());
        }
    }
}

async fn of_target(run: &Run, node: &Node, queue: &Queue, owns: impl Fn(&[u8]) -> bool) -> Result<(), Error> {
    let Some(target_db) = run.naming.target_db(queue.db()) else { return Ok(()) };
    let mut source = run.source.connect_source(node, queue.db()).await?;
    for target in run.target_layout().primaries() {
        let mut connection = run.target().connect_source(target, target_db).await?;
        let mut cursor = 0;
        loop {
            queue.room_below(MARKS).await;
            let (next, names) = page(run, &mut connection, cursor, None).await?;
            let origins =
                names.iter().filter_map(Value::as_bytes).flat_map(|name| run.naming.origins(name, target_db));
            let origins = origins.filter(|(db, key)| *db == queue.db() && owns(key)).map(|(_, key)| key);
            let origins: Vec<Vec<u8>> = origins.filter(|key| run.selection.accepts_name(key)).collect();
            origins.iter().for_each(|key| source.push(Read::Exists(key)));
            let mut absent = Vec::new();
            for key in &origins {
                // One that it may not be asked for is looked at by the lane.
                if reply(run, &mut source).await?.as_i64().is_none_or(|there| there == 0) {
                    absent.push(&key[..]);
                }
            }
            queue.suspect(absent);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Marks all streams of a node that have groups: no feed sees what happens to groups (design rule R9).
///
/// # Errors
/// The node was lost: begin anew.
pub(crate) async fn groups(run: &Run, node: &Node, queue: &Queue) -> Result<u64, Error> {
    let mut connection = run.source.connect_source(node, queue.db()).await?;
    let (mut cursor, mut marked) = (0, 0);
    loop {
        queue.room_below(MARKS).await;
        let (next, names) = page(run, &mut connection, cursor, Some("stream")).await?;
        let names: Vec<&[u8]> = names.iter().filter_map(Value::as_bytes).collect();
        names.iter().for_each(|name| connection.push(Read::XInfoGroups(name)));
        let mut with_groups = Vec::new();
        for name in &names {
            let groups = reply(run, &mut connection).await?;
            if groups.as_array().is_none_or(|groups| !groups.is_empty()) {
                with_groups.push(*name);
            }
        }
        marked += with_groups.len() as u64;
        queue.suspect(with_groups);
        cursor = next;
        if cursor == 0 {
            return Ok(marked);
        }
    }
}

async fn page(
    run: &Run,
    connection: &mut SourceConnection,
    cursor: u64,
    kind: Option<&str>,
) -> Result<(u64, Vec<Value>), Error> {
    connection.push(Read::Scan { cursor, count: run.options.scan_count, pattern: None, kind });
    let reply = reply(run, connection).await?;
    if reply.is_error() {
        return Err(Error::from_reply(connection.peer(), "SCAN", &reply));
    }
    parts(&reply).ok_or_else(|| connection.peer().error(Kind::Shape { command: "SCAN" }))
}

/// A comparison that hung would keep its gap open for ever.
async fn reply(run: &Run, connection: &mut SourceConnection) -> Result<Value, Error> {
    let silence = run.options.silence;
    let reply = timeout(silence, connection.reply()).await;
    reply.map_err(|_| connection.peer().error(Kind::Silent(silence)))?
}

fn parts(reply: &Value) -> Option<(u64, Vec<Value>)> {
    let [cursor, names] = reply.as_array()? else { return None };
    Some((cursor.as_str()?.parse().ok()?, names.as_array()?.to_vec()))
}
