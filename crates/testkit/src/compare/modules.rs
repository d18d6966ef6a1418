//! Types of modules, by what the module itself tells about the key.

use std::collections::BTreeMap;

use redis::{RedisResult, Value};

use super::reply;
use super::side::Database;

/// The end of a DUMP payload: two bytes of RDB version and eight of checksum.
const DUMP_FOOTER: usize = 10;
/// What `TS.INFO` tells about meaning rather than memory.
const SERIES_FACTS: [&str; 7] =
    ["totalSamples", "retentionTime", "chunkSize", "duplicatePolicy", "labels", "sourceKey", "rules"];

/// Reads a key of a module's type. Unknown types are compared by their DUMP payload, which is only fair between
/// servers with the same version of the module.
pub(super) async fn read(
    database: &Database,
    key: &[u8],
    kind: &str,
) -> RedisResult<BTreeMap<String, Value>> {
    match kind {
        "ReJSON-RL" => {
            Ok(BTreeMap::from([("JSON.GET".to_string(), ask(database, key, "JSON.GET", &[]).await?)]))
        }
        "TSDB-TYPE" => series(database, key).await,
        "MBbloom--" => filter(database, key, "BF").await,
        "MBbloomCF" => filter(database, key, "CF").await,
        // Two payloads of one top-k differ in bytes that carry no meaning, even after DUMP and RESTORE.
        "TopK-TYPE" => {
            let mut answers = reply::fields(ask(database, key, "TOPK.INFO", &[]).await?);
            answers.insert("TOPK.LIST".to_string(), ask(database, key, "TOPK.LIST", &["WITHCOUNT"]).await?);
            Ok(answers)
        }
        _ => {
            let mut payload = reply::bytes(ask(database, key, "DUMP", &[]).await?);
            payload.truncate(payload.len().saturating_sub(DUMP_FOOTER));
            Ok(BTreeMap::from([("DUMP".to_string(), Value::BulkString(payload))]))
        }
    }
}

async fn series(database: &Database, key: &[u8]) -> RedisResult<BTreeMap<String, Value>> {
    let mut facts = reply::fields(ask(database, key, "TS.INFO", &[]).await?);
    facts.retain(|name, _| SERIES_FACTS.contains(&name.as_str()));
    facts.insert("TS.RANGE".to_string(), ask(database, key, "TS.RANGE", &["-", "+"]).await?);
    Ok(facts)
}

async fn filter(database: &Database, key: &[u8], family: &str) -> RedisResult<BTreeMap<String, Value>> {
    let mut answers = reply::fields(ask(database, key, &format!("{family}.INFO"), &[]).await?);
    let mut iterator = 0;
    loop {
        let chunk = ask(database, key, &format!("{family}.SCANDUMP"), &[&iterator.to_string()]).await?;
        answers.insert(format!("SCANDUMP {iterator}"), chunk.clone());
        iterator = reply::list(chunk).first().map_or(0, reply::number);
        if iterator == 0 {
            return Ok(answers);
        }
    }
}

async fn ask(database: &Database, key: &[u8], name: &str, args: &[&str]) -> RedisResult<Value> {
    database.nodes.ask_one(key, redis::cmd(name).arg(key).arg(args)).await
}
