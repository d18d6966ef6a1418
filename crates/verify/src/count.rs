//! Totals of both sides, without a look at every key.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use client::{Endpoint, Error, Kind, Node, Read, SourceConnection};
use resp::Value;
use tokio::time::timeout;

use crate::halt::Halt;
use crate::verify::{StopAsked, Verify};

/// Keys of a node whose types are asked for.
const SAMPLE: usize = 1000;

/// The wait before totals that differ are asked for again; later ones are twice as long each.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Totals of one database of the target and the databases of the source that go there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbTotals {
    /// Databases of the source.
    pub source_dbs: Vec<u32>,
    /// Database of the target.
    pub target_db: u32,
    /// Keys on the source, by DBSIZE of all its nodes. Expired keys that nobody has asked for yet are counted.
    pub keys_source: u64,
    /// Keys on the target.
    pub keys_target: u64,
    /// Keys with an expiry on the source, by INFO; `None` where the server does not say.
    pub expires_source: Option<u64>,
    /// Keys with an expiry on the target.
    pub expires_target: Option<u64>,
}

/// What level count sees.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// By database of the target.
    pub databases: Vec<DbTotals>,
    /// Types of a sample of the source's keys: how many of those asked.
    pub types_source: BTreeMap<String, u64>,
    /// The same of the target.
    pub types_target: BTreeMap<String, u64>,
    /// `used_memory` of all nodes of the source, where told.
    pub memory_source: Option<u64>,
    /// The same of the target.
    pub memory_target: Option<u64>,
    /// How often totals that differed were asked for again.
    pub rechecked: u64,
}

impl Totals {
    /// Whether every database has as many keys on both sides.
    pub fn is_equal(&self) -> bool {
        self.databases.iter().all(|db| db.keys_source == db.keys_target)
    }
}

impl Verify {
    /// Compares totals, at level count. Totals that differ are asked for again until they are equal or
    /// `until_stable` is over.
    ///
    /// # Errors
    /// A side cannot be used, or somebody asked to stop.
    pub async fn count(&self, stop: StopAsked) -> Result<Totals, Halt> {
        let begin = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut totals = Totals::default();
        let source_dbs = self.scope.source_dbs();
        loop {
            totals.databases = self.databases(&source_dbs).await.map_err(Halt::Side)?;
            let left = self.options.until_stable.saturating_sub(begin.elapsed());
            if totals.is_equal() || left.is_zero() {
                break;
            }
            if stop() {
                return Err(Halt::Asked);
            }
            tokio::time::sleep(wait.min(left)).await;
            wait = (wait * 2).min(Duration::from_secs(1));
            totals.rechecked += 1;
        }
        let target_dbs: Vec<u32> = totals.databases.iter().map(|db| db.target_db).collect();
        let source = self.sampled(&self.source, &source_dbs).await.map_err(Halt::Side)?;
        let target = self.sampled(&self.target, &target_dbs).await.map_err(Halt::Side)?;
        (totals.types_source, totals.memory_source) = source;
        (totals.types_target, totals.memory_target) = target;
        Ok(totals)
    }

    async fn databases(&self, source_dbs: &[u32]) -> Result<Vec<DbTotals>, Error> {
        let mut by_target: BTreeMap<u32, DbTotals> = BTreeMap::new();
        for db in source_dbs {
            let target_db = self.scope.target_db(*db);
            let totals = by_target.entry(target_db).or_insert_with(|| DbTotals {
                source_dbs: Vec::new(),
                target_db,
                keys_source: 0,
                keys_target: 0,
                expires_source: Some(0),
                expires_target: Some(0),
            });
            totals.source_dbs.push(*db);
            let (keys, expires) = self.keys(&self.source, *db).await?;
            totals.keys_source += keys;
            totals.expires_source = sum(totals.expires_source, expires);
        }
        for totals in by_target.values_mut() {
            let (keys, expires) = self.keys(&self.target, totals.target_db).await?;
            (totals.keys_target, totals.expires_target) = (keys, expires);
        }
        Ok(by_target.into_values().collect())
    }

    /// Keys of a database over all nodes, and how many of them expire.
    async fn keys(&self, endpoint: &Endpoint, db: u32) -> Result<(u64, Option<u64>), Error> {
        let (mut keys, mut expires) = (0, Some(0));
        for node in endpoint.topology().await?.primaries() {
            let mut connection = self.connect(endpoint, node, db).await?;
            let size = self.ask(&mut connection, "DBSIZE", Read::DbSize).await?;
            keys += size.as_i64().unwrap_or(0).unsigned_abs();
            let info = self.ask(&mut connection, "INFO", Read::Info("keyspace")).await?;
            expires = sum(expires, expiring(info.as_str().unwrap_or_default(), db));
        }
        Ok((keys, expires))
    }

    /// Types of some keys of each node and database, and the memory of all nodes.
    async fn sampled(
        &self,
        endpoint: &Endpoint,
        dbs: &[u32],
    ) -> Result<(BTreeMap<String, u64>, Option<u64>), Error> {
        let (mut types, mut memory) = (BTreeMap::new(), Some(0));
        for node in endpoint.topology().await?.primaries() {
            for db in dbs {
                let mut connection = self.connect(endpoint, node, *db).await?;
                self.sample(&mut connection, &mut types).await?;
            }
            let mut connection = self.connect(endpoint, node, 0).await?;
            let info = self.ask(&mut connection, "INFO", Read::Info("memory")).await?;
            let used = info.as_str().and_then(|text| {
                text.lines().find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok())
            });
            memory = sum(memory, used);
        }
        Ok((types, memory))
    }

    async fn sample(
        &self,
        connection: &mut SourceConnection,
        types: &mut BTreeMap<String, u64>,
    ) -> Result<(), Error> {
        let (mut cursor, mut asked) = (0, 0);
        loop {
            let read = Read::Scan { cursor, count: 100, pattern: None, kind: None };
            let page = self.ask(connection, "SCAN", read).await?;
            let parts = page.as_array().unwrap_or_default();
            let names = parts.get(1).and_then(Value::as_array).unwrap_or_default();
            let names: Vec<&[u8]> = names.iter().filter_map(Value::as_bytes).take(SAMPLE - asked).collect();
            names.iter().for_each(|name| connection.push(Read::Type(name)));
            for _ in &names {
                let answer = self.next_reply(connection).await?;
                // Not a type: gone meanwhile, or not to be asked about.
                if let Value::Simple(text) = &answer
                    && &text[..] != b"none"
                {
                    *types.entry(String::from_utf8_lossy(text).into_owned()).or_default() += 1;
                }
            }
            asked += names.len();
            cursor = parts.first().and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0);
            if cursor == 0 || asked >= SAMPLE {
                return Ok(());
            }
        }
    }

    async fn connect(&self, endpoint: &Endpoint, node: &Node, db: u32) -> Result<SourceConnection, Error> {
        endpoint.connect_source(node, db).await
    }

    async fn ask(
        &self,
        connection: &mut SourceConnection,
        command: &'static str,
        read: Read<'_>,
    ) -> Result<Value, Error> {
        connection.push(read);
        let reply = self.next_reply(connection).await?;
        if reply.is_error() { Err(Error::from_reply(connection.peer(), command, &reply)) } else { Ok(reply) }
    }

    async fn next_reply(&self, connection: &mut SourceConnection) -> Result<Value, Error> {
        let silence = self.options.silence;
        let reply = timeout(silence, connection.reply()).await;
        reply.map_err(|_| connection.peer().error(Kind::Silent(silence)))?
    }
}

fn sum(one: Option<u64>, two: Option<u64>) -> Option<u64> {
    Some(one? + two?)
}

/// Keys with an expiry in a database, from INFO keyspace; a database without keys is not in it.
fn expiring(info: &str, db: u32) -> Option<u64> {
    let prefix = format!("db{db}:");
    let Some(line) = info.lines().find_map(|line| line.strip_prefix(&prefix)) else { return Some(0) };
    line.split(',').find_map(|field| field.trim().strip_prefix("expires=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiries_are_read_from_info() {
        let info = "# Keyspace\r\ndb0:keys=12,expires=5,avg_ttl=0,subexpiry=1\r\ndb10:keys=1,expires=1,avg_ttl=9\r\n";
        assert_eq!((expiring(info, 0), expiring(info, 10), expiring(info, 1)), (Some(5), Some(1), Some(0)));
        assert_eq!(expiring("db0:keys=12", 0), None);
    }
}
