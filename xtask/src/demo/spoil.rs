//! What could have gone wrong with single keys of the target, done by hand.

use anyhow::{Context as _, Result};
use redis::aio::MultiplexedConnection;
use testkit::Access;

/// Beginning of the names of the keys that are looked through.
pub const PREFIX: &str = "mixed:";

/// How far a time to live is moved.
const SHIFT_MS: i64 = 5000;

/// What a string begins with afterwards. Its length stays.
const SPOILT: &str = "spoilt";

/// A key that is no longer what it was.
#[derive(Debug)]
pub struct Spoiled {
    /// Its name.
    pub key: String,
    /// What was done to it.
    pub how: String,
}

/// Deletes one key, changes the value of a second and the expiry of a third.
///
/// # Errors
/// The server refuses something, or holds no such keys.
pub async fn three_keys(target: &Access) -> Result<[Spoiled; 3]> {
    let mut target = target.try_connect().await.context("the target")?;
    let (hash, _) = find(&mut target, "hash", false).await?;
    let (string, _) = find(&mut target, "string", false).await?;
    let (zset, ttl_ms) = find(&mut target, "zset", true).await?;
    let commands = [
        redis::cmd("DEL").arg(&hash).take(),
        redis::cmd("SETRANGE").arg(&string).arg(0).arg(SPOILT).take(),
        redis::cmd("PEXPIRE").arg(&zset).arg(ttl_ms + SHIFT_MS).take(),
    ];
    for command in commands {
        let _: i64 = command.query_async(&mut target).await.context("a key cannot be spoiled")?;
    }
    Ok([
        Spoiled { key: hash, how: "a hash, deleted".to_owned() },
        Spoiled { key: string, how: format!("a string, its first {} bytes overwritten", SPOILT.len()) },
        Spoiled { key: zset, how: format!("a sorted set, made to live {} s longer", SHIFT_MS / 1000) },
    ])
}

/// The first key of a type, with more than an hour to live or without expiry, and what PTTL says of it.
async fn find(target: &mut MultiplexedConnection, kind: &str, expires: bool) -> Result<(String, i64)> {
    for n in 0..1000 {
        let key = format!("{PREFIX}{n}");
        let (found, ttl_ms): (String, i64) = redis::pipe()
            .cmd("TYPE")
            .arg(&key)
            .cmd("PTTL")
            .arg(&key)
            .query_async(target)
            .await
            .context("the target does not say what it holds")?;
        let wanted = if expires { ttl_ms > 3_600_000 } else { ttl_ms == -1 };
        if found == kind && wanted {
            return Ok((key, ttl_ms));
        }
    }
    anyhow::bail!("none of the first keys is a {kind} as it is wanted")
}
