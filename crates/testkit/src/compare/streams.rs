//! Streams: entries, ids, groups, consumers and what is pending.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use redis::{Cmd, RedisResult, Value};

use super::reply;
use super::side::Database;
use super::value::{maps, milliseconds, sequences, shown};

const ENTRIES_AT_ONCE: usize = 5_000;

/// All that a client can learn about a stream.
pub(super) struct Stream {
    entries: Vec<(String, Vec<Vec<u8>>)>,
    /// `XINFO STREAM`: length, last-generated-id; entries-added and max-deleted-entry-id since Redis 7.0.
    facts: BTreeMap<String, String>,
    groups: BTreeMap<Vec<u8>, Group>,
}

struct Group {
    /// `XINFO GROUPS`: pending, last-delivered-id; entries-read since Redis 7.0.
    facts: BTreeMap<String, String>,
    /// Pending entries by consumer.
    consumers: BTreeMap<Vec<u8>, i64>,
    pending: BTreeMap<Vec<u8>, Pending>,
}

#[derive(Debug)]
struct Pending {
    consumer: Vec<u8>,
    deliveries: i64,
    /// Milliseconds since the comparison began, negative before.
    delivered_at: i64,
}

impl Stream {
    /// Says how two streams differ. Facts that only one server's version knows are left out.
    pub(super) fn difference(&self, target: &Stream, tolerance: Duration) -> Option<String> {
        sequences("entry", &self.entries, &target.entries, |(id, fields)| {
            format!("{id} [{}]", fields.iter().map(|field| shown(field)).collect::<Vec<_>>().join(" "))
        })
        .or_else(|| facts("stream", &self.facts, &target.facts))
        .or_else(|| maps("group", &self.groups, &target.groups, |_, _| true, |_| String::new()))
        .or_else(|| {
            self.groups.iter().find_map(|(name, group)| {
                let found = group.difference(target.groups.get(name)?, tolerance)?;
                Some(format!("group {}: {found}", shown(name)))
            })
        })
    }
}

impl Group {
    fn difference(&self, target: &Group, tolerance: Duration) -> Option<String> {
        let close = |a: &Pending, b: &Pending| {
            a.consumer == b.consumer
                && a.deliveries == b.deliveries
                && a.delivered_at.abs_diff(b.delivered_at) <= milliseconds(tolerance)
        };
        let show = |entry: &Pending| {
            let Pending { consumer, deliveries, delivered_at } = entry;
            format!("{} has it, {deliveries} deliveries, last at {delivered_at} ms", shown(consumer))
        };
        facts("group", &self.facts, &target.facts)
            .or_else(|| {
                maps(
                    "consumer",
                    &self.consumers,
                    &target.consumers,
                    |a, b| a == b,
                    |n| format!("{n} pending"),
                )
            })
            .or_else(|| maps("pending entry", &self.pending, &target.pending, close, show))
    }
}

fn facts(of: &str, source: &BTreeMap<String, String>, target: &BTreeMap<String, String>) -> Option<String> {
    source.iter().find_map(|(name, a)| {
        let b = target.get(name)?;
        (a != b).then(|| format!("{name} of the {of}: {a} / {b}"))
    })
}

/// Reads a stream with everything that belongs to it.
pub(super) async fn read(database: &Database, key: &[u8], began: Instant) -> RedisResult<Stream> {
    let information = ask(database, key, redis::cmd("XINFO").arg("STREAM").arg(key)).await?;
    let mut stream = Stream {
        entries: entries(database, key).await?,
        facts: chosen(information, &["length", "last-generated-id", "entries-added", "max-deleted-entry-id"]),
        groups: BTreeMap::new(),
    };
    for group in reply::list(ask(database, key, redis::cmd("XINFO").arg("GROUPS").arg(key)).await?) {
        let name = named(&group);
        let group = Group {
            facts: chosen(group, &["pending", "last-delivered-id", "entries-read"]),
            consumers: consumers(database, key, &name).await?,
            pending: pending(database, key, &name, began).await?,
        };
        stream.groups.insert(name, group);
    }
    Ok(stream)
}

async fn entries(database: &Database, key: &[u8]) -> RedisResult<Vec<(String, Vec<Vec<u8>>)>> {
    let mut entries = Vec::new();
    let mut from = "-".to_string();
    loop {
        let mut range = redis::cmd("XRANGE");
        range.arg(key).arg(&from).arg("+").arg("COUNT").arg(ENTRIES_AT_ONCE);
        let piece = reply::list(ask(database, key, &range).await?);
        let count = piece.len();
        for entry in piece {
            let mut parts = reply::list(entry).into_iter();
            let id = parts.next().map(reply::text).unwrap_or_default();
            let fields = parts.next().map(reply::list).unwrap_or_default();
            entries.push((id, fields.into_iter().map(reply::bytes).collect()));
        }
        match entries.last().and_then(|(id, _)| after(id)) {
            Some(next) if count == ENTRIES_AT_ONCE => from = next,
            _ => return Ok(entries),
        }
    }
}

async fn consumers(database: &Database, key: &[u8], group: &[u8]) -> RedisResult<BTreeMap<Vec<u8>, i64>> {
    let answer = ask(database, key, redis::cmd("XINFO").arg("CONSUMERS").arg(key).arg(group)).await?;
    let pending =
        |consumer: Value| reply::fields(consumer).get("pending").map(reply::number).unwrap_or_default();
    Ok(reply::list(answer).into_iter().map(|consumer| (named(&consumer), pending(consumer))).collect())
}

async fn pending(
    database: &Database,
    key: &[u8],
    group: &[u8],
    began: Instant,
) -> RedisResult<BTreeMap<Vec<u8>, Pending>> {
    let mut all = BTreeMap::new();
    let mut from = "-".to_string();
    loop {
        let mut range = redis::cmd("XPENDING");
        range.arg(key).arg(group).arg(&from).arg("+").arg(ENTRIES_AT_ONCE);
        let asked = began.elapsed();
        let piece = reply::list(ask(database, key, &range).await?);
        let now = i64::try_from(((asked + began.elapsed()) / 2).as_millis()).unwrap_or(i64::MAX);
        let count = piece.len();
        let mut last = String::new();
        for entry in piece {
            let [id, consumer, idle, deliveries] = <[Value; 4]>::try_from(reply::list(entry))
                .unwrap_or_else(|entry| panic!("XPENDING gave an unknown entry: {entry:?}"));
            last = reply::text(id);
            let entry = Pending {
                consumer: reply::bytes(consumer),
                deliveries: reply::number(&deliveries),
                delivered_at: now - reply::number(&idle),
            };
            all.insert(last.clone().into_bytes(), entry);
        }
        match after(&last) {
            Some(next) if count == ENTRIES_AT_ONCE => from = next,
            _ => return Ok(all),
        }
    }
}

/// The next id; exclusive ranges exist only since Redis 6.2.
fn after(id: &str) -> Option<String> {
    let (milliseconds, sequence) = id.split_once('-')?;
    let (milliseconds, sequence): (u64, u64) = (milliseconds.parse().ok()?, sequence.parse().ok()?);
    match sequence.checked_add(1) {
        Some(sequence) => Some(format!("{milliseconds}-{sequence}")),
        None => Some(format!("{}-0", milliseconds.checked_add(1)?)),
    }
}

/// The name of a group or consumer, which may be any bytes.
fn named(information: &Value) -> Vec<u8> {
    reply::fields(information.clone()).remove("name").map(reply::bytes).unwrap_or_default()
}

fn chosen(information: Value, names: &[&str]) -> BTreeMap<String, String> {
    let mut fields = reply::fields(information);
    names.iter().filter_map(|name| Some((name.to_string(), reply::text(fields.remove(*name)?)))).collect()
}

async fn ask(database: &Database, key: &[u8], command: &Cmd) -> RedisResult<Value> {
    database.nodes.ask_one(key, command).await
}
