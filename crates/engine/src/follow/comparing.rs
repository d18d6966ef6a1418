//! Healing a gap: every key that the node has, and every key of the target that it should have, is looked at again
//! while following goes on.
//!
//! Keys of the node are listed. Where the target may have most of them already, they are compared, and those
//! that differ are marked; else all of them are. The lane reads them as it reads changes. Keys of the target that
//! would come from this node are listed, and the node is asked for them; those that it does not have are marked
//! too, and the lane removes them. Marks are made only as fast as they are carried, so a listing takes no memory.
//!
//! Why a key that was found equal stays equal, though both sides are written to meanwhile:
//! - The source changes it: the feed, which is heard since before the comparison, marks it (R1, R2). So only keys that
//!   do not change on the source from then on are left to consider.
//! - The lane still writes an older state, after the target was looked at: either it read that state before the
//!   comparison began, and the key was in flight then, which marks it; or it read it later, and then it is the state
//!   that the source keeps.
//! - Source and target were not looked at in one moment: neither changes any more, but for the lane's writes.

use std::sync::Arc;
use std::time::Duration;

use client::{Error, Kind, Node, Read, SourceConnection};
use resp::Value;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::Queue;
use super::leftovers::Leftovers;
use crate::comparer::{Compared, Comparison};
use crate::run::Run;
use crate::temporary;

/// Marks that wait, above which no more keys are listed.
const MARKS: usize = 8_192;

/// Pages that are compared at once, so that both servers and redferry all have something to do.
const PAGES: usize = 3;

/// Compares the keys of a node with the target's, in both directions. Without a comparison every key of the
/// node is carried. Expiries of keys that were found equal differ by no more than what is returned.
///
/// # Errors
/// A side was lost: begin anew.
pub(crate) async fn node(
    run: &Run,
    node: &Node,
    queues: &[Arc<Queue>],
    owns: impl Fn(&[u8]) -> bool,
    comparison: Option<Arc<dyn Comparison>>,
) -> Result<Duration, Error> {
    queues.iter().for_each(|queue| queue.suspect_in_flight());
    let mut ttl_error = Duration::ZERO;
    for queue in queues {
        let mut suspects = Suspects::new(queue, comparison.clone());
        of_source(run, node, &mut suspects).await?;
        ttl_error = ttl_error.max(suspects.ttl_error);
    }
    for queue in queues {
        of_target(run, node, queue, &owns).await?;
    }
    Ok(ttl_error)
}

async fn of_source(run: &Run, node: &Node, suspects: &mut Suspects) -> Result<(), Error> {
    let queue = Arc::clone(&suspects.queue);
    let mut connection = run.source.connect_source(node, queue.db()).await?;
    connection.push(Read::DbSize);
    queue.begins_listing(reply(run, &mut connection).await?.as_i64().unwrap_or(0).unsigned_abs());
    let mut cursor = 0;
    loop {
        queue.room_below(MARKS).await;
        let (next, names) = page(run, &mut connection, cursor, None).await?;
        queue.listed(names.len() as u64);
        let names = names.iter().filter_map(Value::as_bytes);
        let meant =
            names.filter(|name| !name.starts_with(temporary::PREFIX) && run.selection.accepts_name(name));
        suspects.look_at(run, meant.map(Box::from).collect()).await;
        cursor = next;
        if cursor == 0 {
            suspects.all_looked_at(run).await;
            return Ok(());
        }
    }
}

/// Names of the source on their way to being marked, or not.
struct Suspects {
    queue: Arc<Queue>,
    comparison: Option<Arc<dyn Comparison>>,
    /// Pages that are being compared.
    pages: JoinSet<Compared>,
    ttl_error: Duration,
}

impl Suspects {
    fn new(queue: &Arc<Queue>, comparison: Option<Arc<dyn Comparison>>) -> Suspects {
        Suspects { queue: Arc::clone(queue), comparison, pages: JoinSet::new(), ttl_error: Duration::ZERO }
    }

    /// Begins to look at a page, as soon as there is room for it.
    async fn look_at(&mut self, run: &Run, names: Vec<Box<[u8]>>) {
        let Some(comparison) = &self.comparison else {
            self.queue.suspect_in_turn(&names.iter().map(|name| &name[..]).collect::<Vec<_>>()).await;
            return;
        };
        spare_source(run, names.len() as u64).await;
        let (queue, comparison) = (Arc::clone(&self.queue), Arc::clone(comparison));
        self.pages.spawn(async move {
            let compared = comparison.compare(queue.db(), &names).await.unwrap_or_else(|why| {
                tracing::debug!("{} keys are carried without a comparison: {why}", names.len());
                Compared { differing: names.clone(), ..Compared::default() }
            });
            let differing: Vec<&[u8]> = compared.differing.iter().map(|name| &name[..]).collect();
            queue.suspect_in_turn(&differing).await;
            queue.equal(names.len().saturating_sub(compared.differing.len()) as u64);
            compared
        });
        while self.pages.len() >= PAGES {
            self.wait_for_a_page(run).await;
        }
    }

    async fn all_looked_at(&mut self, run: &Run) {
        while !self.pages.is_empty() {
            self.wait_for_a_page(run).await;
        }
    }

    async fn wait_for_a_page(&mut self, run: &Run) {
        match self.pages.join_next().await {
            Some(Ok(compared)) => {
                self.ttl_error = self.ttl_error.max(compared.ttl_error);
                if run.throttled {
                    run.throttle().charge(run.now_us(), 0, compared.bytes_read);
                }
            }
            Some(Err(panic)) if panic.is_panic() => std::panic::resume_unwind(panic.into_panic()),
            Some(Err(_)) | None => {}
        }
    }
}

/// A comparison reads as much of the source as carrying does, so the same limits hold.
async fn spare_source(run: &Run, keys: u64) {
    if run.options.max_latency.is_some() {
        let pause_us = run.guard().pause_us();
        tokio::time::sleep(Duration::from_micros(pause_us)).await;
    }
    if run.throttled {
        loop {
            let wait_us = run.throttle().try_take(run.now_us(), keys, 0);
            let Some(wait_us) = wait_us else { return };
            tokio::time::sleep(Duration::from_micros(wait_us)).await;
        }
    }
}

async fn of_target(run: &Run, node: &Node, queue: &Queue, owns: impl Fn(&[u8]) -> bool) -> Result<(), Error> {
    let Some(target_db) = run.naming.target_db(queue.db()) else { return Ok(()) };
    let mut source = run.source.connect_source(node, queue.db()).await?;
    for target in run.target_layout().primaries() {
        let mut connection = run.target().connect_source(target, target_db).await?;
        let mut leftovers = Leftovers::default();
        let mut cursor = 0;
        loop {
            queue.room_below(MARKS).await;
            let (next, names) = page(run, &mut connection, cursor, None).await?;
            let temporary = names.iter().filter_map(Value::as_bytes);
            temporary
                .filter(|name| name.starts_with(temporary::PREFIX))
                .for_each(|name| leftovers.found(name));
            let origins =
                names.iter().filter_map(Value::as_bytes).flat_map(|name| run.naming.origins(name, target_db));
            let origins = origins.filter(|(db, key)| *db == queue.db() && owns(key)).map(|(_, key)| key);
            let origins = origins.filter(|key| !key.starts_with(temporary::PREFIX));
            let origins: Vec<Vec<u8>> = origins.filter(|key| run.selection.accepts_name(key)).collect();
            origins.iter().for_each(|key| source.push(Read::Exists(key)));
            let mut absent = Vec::new();
            for key in &origins {
                // One that it may not be asked for is looked at by the lane.
                if reply(run, &mut source).await?.as_i64().is_none_or(|there| there == 0) {
                    absent.push(&key[..]);
                }
            }
            queue.suspect_in_turn(&absent).await;
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        leftovers.remove(run, target, target_db).await?;
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
        queue.suspect_in_turn(&with_groups).await;
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
