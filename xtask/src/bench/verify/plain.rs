//! What one would write by hand with the `redis` crate: every key by the commands of its type, page by page.
//!
//! It stands for the usual script, made as fast as it can be without becoming another program: everything that can
//! be asked at once for a page is pipelined, and both sides are asked at the same time.

use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result};
use redis::aio::MultiplexedConnection;
use redis::{ParsingError, Pipeline, Value, from_redis_value};
use testkit::Access;

/// Keys of a page.
const PAGE: u32 = 1000;

/// Times to live that differ by no more are equal: both sides are not asked in the same instant.
const TOLERANCE_MS: i64 = 1000;

/// PTTL of a key that does not exist (pttl.json of Redis).
const GONE: i64 = -2;

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Tally {
    /// Keys that SCAN listed on the source.
    pub keys_source: u64,
    /// Keys that SCAN listed on the target.
    pub keys_target: u64,
    /// Keys of the source that were looked at on both sides.
    pub keys_compared: u64,
    /// Keys that are on one side only, or differ in type, value or time to live.
    pub differences: u64,
}

/// Compares database 0 of two single servers.
///
/// # Errors
/// A server cannot be reached or refuses something.
pub async fn caches(source: &Access, target: &Access) -> Result<Tally> {
    let sides = Sides {
        source: source.try_connect().await.context("the source")?,
        target: target.try_connect().await.context("the target")?,
    };
    let mut tally = Tally::default();
    let mut cursor = 0;
    loop {
        let (next, keys) = page(&sides.source, cursor).await?;
        tally.keys_source += keys.len() as u64;
        compare(&sides, &keys, &mut tally).await?;
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    loop {
        let (next, keys) = page(&sides.target, cursor).await?;
        tally.keys_target += keys.len() as u64;
        tally.differences += missing(&sides.source, &keys).await?;
        cursor = next;
        if cursor == 0 {
            return Ok(tally);
        }
    }
}

struct Sides {
    source: MultiplexedConnection,
    target: MultiplexedConnection,
}

impl Sides {
    async fn ask<T: redis::FromRedisValue>(&self, questions: &Pipeline) -> Result<(Vec<T>, Vec<T>)> {
        if questions.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (mut source, mut target) = (self.source.clone(), self.target.clone());
        let (source, target) =
            tokio::join!(questions.query_async(&mut source), questions.query_async(&mut target));
        Ok((source.context("the source")?, target.context("the target")?))
    }
}

async fn page(side: &MultiplexedConnection, cursor: u64) -> Result<(u64, Vec<Vec<u8>>)> {
    let mut scan = redis::cmd("SCAN");
    scan.arg(cursor).arg("COUNT").arg(PAGE);
    scan.query_async(&mut side.clone()).await.context("SCAN")
}

async fn compare(sides: &Sides, keys: &[Vec<u8>], tally: &mut Tally) -> Result<()> {
    let mut questions = Pipeline::with_capacity(2 * keys.len());
    for key in keys {
        questions.cmd("TYPE").arg(key).cmd("PTTL").arg(key);
    }
    let (source, target) = sides.ask::<(String, i64)>(&questions).await?;
    let mut kinds = Vec::new();
    let mut questions = Pipeline::with_capacity(keys.len());
    for (key, ((kind, ttl), (target_kind, target_ttl))) in keys.iter().zip(source.into_iter().zip(target)) {
        // It is gone, or will be before its value is asked for.
        if ttl == GONE || (0..=TOLERANCE_MS).contains(&ttl) {
            continue;
        }
        tally.keys_compared += 1;
        let same_ttl = (ttl < 0) == (target_ttl < 0) && (ttl - target_ttl).abs() <= TOLERANCE_MS;
        if kind != target_kind || !same_ttl {
            tally.differences += 1;
            continue;
        }
        read(&mut questions, &kind, key);
        kinds.push(kind);
    }
    let (source, target) = sides.ask::<Value>(&questions).await?;
    for (kind, (source, target)) in kinds.iter().zip(source.into_iter().zip(target)) {
        tally.differences += u64::from(!equal(kind, source, target)?);
    }
    Ok(())
}

/// Asks for the value of a key.
fn read(questions: &mut Pipeline, kind: &str, key: &[u8]) {
    match kind {
        "list" => questions.cmd("LRANGE").arg(key).arg(&[0, -1]),
        "set" => questions.cmd("SMEMBERS").arg(key),
        "hash" => questions.cmd("HGETALL").arg(key),
        "zset" => questions.cmd("ZRANGE").arg(key).arg(&[0, -1]).arg("WITHSCORES"),
        "stream" => questions.cmd("XRANGE").arg(key).arg("-").arg("+"),
        _ => questions.cmd("GET").arg(key),
    };
}

fn equal(kind: &str, source: Value, target: Value) -> Result<bool, ParsingError> {
    Ok(match kind {
        "set" => members(source)? == members(target)?,
        "hash" => fields(source)? == fields(target)?,
        "zset" => scores(source)? == scores(target)?,
        _ => source == target,
    })
}

fn members(value: Value) -> Result<HashSet<Vec<u8>>, ParsingError> {
    from_redis_value(value)
}

fn fields(value: Value) -> Result<HashMap<Vec<u8>, Vec<u8>>, ParsingError> {
    from_redis_value(value)
}

fn scores(value: Value) -> Result<HashMap<Vec<u8>, f64>, ParsingError> {
    from_redis_value(value)
}

/// How many of these keys a side does not have.
async fn missing(side: &MultiplexedConnection, keys: &[Vec<u8>]) -> Result<u64> {
    if keys.is_empty() {
        return Ok(0);
    }
    let mut questions = Pipeline::with_capacity(keys.len());
    for key in keys {
        questions.cmd("EXISTS").arg(key);
    }
    let found: Vec<u64> = questions.query_async(&mut side.clone()).await.context("EXISTS")?;
    Ok(found.iter().filter(|found| **found == 0).count() as u64)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::equal;

    fn array(items: &[&str]) -> Value {
        Value::Array(items.iter().map(|item| Value::BulkString(item.as_bytes().to_vec())).collect())
    }

    #[test]
    fn order_counts_only_where_the_type_has_one() {
        let cases: [(&str, &[&str], &[&str], bool); 7] = [
            ("list", &["a", "b"], &["b", "a"], false),
            ("set", &["a", "b"], &["b", "a"], true),
            ("set", &["a", "b"], &["b", "c"], false),
            ("hash", &["f", "1", "g", "2"], &["g", "2", "f", "1"], true),
            ("hash", &["f", "1", "g", "2"], &["f", "2", "g", "1"], false),
            ("zset", &["a", "1", "b", "1.5"], &["b", "1.5", "a", "1"], true),
            ("zset", &["a", "1"], &["a", "1.25"], false),
        ];
        for (kind, a, b, expected) in cases {
            assert_eq!(equal(kind, array(a), array(b)), Ok(expected), "{kind} {a:?} {b:?}");
        }
    }
}
