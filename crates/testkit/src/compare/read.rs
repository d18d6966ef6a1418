//! Reads values by the commands of their type: small ones by pipelines, big ones in pieces.

use std::collections::BTreeMap;
use std::time::Instant;

use redis::{Cmd, RedisError, RedisResult};

use super::side::Database;
use super::value::{Score, Value};
use super::{modules, reply, streams};

/// Values of more elements, or strings of more than `BYTES_AT_ONCE`, are read in pieces.
const ELEMENTS_AT_ONCE: i64 = 5_000;
const BYTES_AT_ONCE: i64 = 4 << 20;

/// Reads the value of each key of the given type. `began` is what times are counted from.
pub(super) async fn values(database: &Database, keys: &[(&[u8], &str)], began: Instant) -> Vec<Value> {
    let sized: Vec<_> = keys.iter().filter_map(|(key, kind)| Some((*key, size_of(kind, key)?))).collect();
    let mut sizes = database.nodes.ask(sized).await.into_iter();
    let mut read = Vec::with_capacity(keys.len());
    let mut small = Vec::new();
    for (position, (key, kind)) in keys.iter().enumerate() {
        let size = if size_of(kind, key).is_some() { sizes.next() } else { None };
        match whole(kind, key).zip(size) {
            Some((command, Ok(size))) if reply::number(&size) <= limit(kind) => {
                small.push((position, *key, *kind, command));
                read.push(None);
            }
            _ => read.push(Some(alone(database, key, kind, began).await)),
        }
    }
    let commands = small.iter().map(|(_, key, _, command)| (*key, command.clone())).collect();
    for ((position, _, kind, _), answer) in small.into_iter().zip(database.nodes.ask(commands).await) {
        read[position] = Some(answer.map_or_else(refused, |answer| typed(kind, answer)));
    }
    let mut values: Vec<Value> = read.into_iter().map(|value| value.expect("every key was read")).collect();
    if database.has_field_ttl {
        add_field_expiries(database, keys, &mut values, began).await;
    }
    values
}

fn limit(kind: &str) -> i64 {
    if kind == "string" { BYTES_AT_ONCE } else { ELEMENTS_AT_ONCE }
}

fn size_of(kind: &str, key: &[u8]) -> Option<Cmd> {
    let name = match kind {
        "string" => "STRLEN",
        "list" => "LLEN",
        "set" => "SCARD",
        "hash" => "HLEN",
        "zset" => "ZCARD",
        _ => return None,
    };
    Some(redis::cmd(name).arg(key).take())
}

fn whole(kind: &str, key: &[u8]) -> Option<Cmd> {
    Some(match kind {
        "string" => redis::cmd("GET").arg(key).take(),
        "list" => redis::cmd("LRANGE").arg(key).arg(&[0, -1]).take(),
        "set" => redis::cmd("SMEMBERS").arg(key).take(),
        "hash" => redis::cmd("HGETALL").arg(key).take(),
        "zset" => redis::cmd("ZRANGE").arg(key).arg(&[0, -1]).arg("WITHSCORES").take(),
        _ => return None,
    })
}

fn typed(kind: &str, answer: redis::Value) -> Value {
    match kind {
        "string" => Value::String(reply::bytes(answer)),
        "list" => Value::List(reply::list(answer).into_iter().map(reply::bytes).collect()),
        "set" => {
            Value::Set(reply::list(answer).into_iter().map(|member| (reply::bytes(member), ())).collect())
        }
        "hash" => {
            hash(reply::pairs(answer).into_iter().map(|(f, v)| (reply::bytes(f), reply::bytes(v))).collect())
        }
        _ => Value::Zset(scores(answer)),
    }
}

fn hash(fields: BTreeMap<Vec<u8>, Vec<u8>>) -> Value {
    Value::Hash { fields, expiries: BTreeMap::new() }
}

fn scores(answer: redis::Value) -> BTreeMap<Vec<u8>, Score> {
    reply::pairs(answer)
        .into_iter()
        .map(|(member, score)| (reply::bytes(member), Score(reply::score(score))))
        .collect()
}

fn refused(error: RedisError) -> Value {
    Value::Unreadable(error.to_string())
}

/// One key that is big, a stream, or of a module's type.
async fn alone(database: &Database, key: &[u8], kind: &str, began: Instant) -> Value {
    let read = match kind {
        "string" => big_string(database, key).await.map(Value::String),
        "list" => big_list(database, key).await.map(Value::List),
        "set" => scanned(database, "SSCAN", key)
            .await
            .map(|items| Value::Set(items.into_iter().map(|member| (member, ())).collect())),
        "hash" => scanned(database, "HSCAN", key).await.map(|items| {
            let mut items = items.into_iter();
            hash(std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect())
        }),
        "zset" => big_zset(database, key).await.map(Value::Zset),
        "stream" => streams::read(database, key, began).await.map(|stream| Value::Stream(Box::new(stream))),
        _ => modules::read(database, key, kind).await.map(Value::Module),
    };
    read.unwrap_or_else(refused)
}

async fn big_string(database: &Database, key: &[u8]) -> RedisResult<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let start = bytes.len() as i64;
        let range = redis::cmd("GETRANGE").arg(key).arg(&[start, start + BYTES_AT_ONCE - 1]).take();
        let piece = reply::bytes(database.nodes.ask_one(key, &range).await?);
        if piece.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(piece);
    }
}

async fn big_list(database: &Database, key: &[u8]) -> RedisResult<Vec<Vec<u8>>> {
    let mut elements = Vec::new();
    loop {
        let start = elements.len() as i64;
        let range = redis::cmd("LRANGE").arg(key).arg(&[start, start + ELEMENTS_AT_ONCE - 1]).take();
        let piece = reply::list(database.nodes.ask_one(key, &range).await?);
        if piece.is_empty() {
            return Ok(elements);
        }
        elements.extend(piece.into_iter().map(reply::bytes));
    }
}

async fn big_zset(database: &Database, key: &[u8]) -> RedisResult<BTreeMap<Vec<u8>, Score>> {
    let mut members = BTreeMap::new();
    for start in (0..).step_by(ELEMENTS_AT_ONCE as usize) {
        let mut range = redis::cmd("ZRANGE");
        range.arg(key).arg(&[start, start + ELEMENTS_AT_ONCE - 1]).arg("WITHSCORES");
        let piece = scores(database.nodes.ask_one(key, &range).await?);
        if piece.is_empty() {
            break;
        }
        members.extend(piece);
    }
    Ok(members)
}

/// All items of a `SSCAN` or `HSCAN`; an item may come twice.
async fn scanned(database: &Database, command: &str, key: &[u8]) -> RedisResult<Vec<Vec<u8>>> {
    let mut items = Vec::new();
    let mut cursor = b"0".to_vec();
    loop {
        let scan = redis::cmd(command).arg(key).arg(cursor).arg("COUNT").arg(ELEMENTS_AT_ONCE).take();
        let (next, page) = reply::page(database.nodes.ask_one(key, &scan).await?);
        items.extend(page);
        if next == b"0" {
            return Ok(items);
        }
        cursor = next;
    }
}

/// Asks for the remaining time of every hash field; fields without one are left out.
async fn add_field_expiries(
    database: &Database,
    keys: &[(&[u8], &str)],
    values: &mut [Value],
    began: Instant,
) {
    let mut commands = Vec::new();
    for ((key, _), value) in keys.iter().zip(values.iter()) {
        if let Value::Hash { fields, .. } = value
            && !fields.is_empty()
        {
            let mut command = redis::cmd("HPTTL");
            command.arg(*key).arg("FIELDS").arg(fields.len());
            for field in fields.keys() {
                command.arg(field);
            }
            commands.push((*key, command));
        }
    }
    let asked = began.elapsed();
    let mut answers = database.nodes.ask(commands).await.into_iter();
    let now = i64::try_from(((asked + began.elapsed()) / 2).as_millis()).unwrap_or(i64::MAX);
    for value in values.iter_mut() {
        let refusal = match value {
            Value::Hash { fields, expiries } if !fields.is_empty() => match answers.next() {
                Some(Ok(answer)) => {
                    let remaining = reply::list(answer).into_iter().map(|field| reply::number(&field));
                    let known = fields.keys().zip(remaining).filter(|(_, remaining)| *remaining >= 0);
                    expiries.extend(known.map(|(field, remaining)| (field.clone(), now + remaining)));
                    None
                }
                Some(Err(error)) => Some(refused(error)),
                None => None,
            },
            _ => None,
        };
        if let Some(refusal) = refusal {
            *value = refusal;
        }
    }
}
