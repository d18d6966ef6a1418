//! Values as commands give them: an independent witness of what a payload meant to a server.

use std::collections::BTreeMap;

use bytes::Bytes;
use rdb::{Consumer, Entry, Field, Group, Kind, Pending, Stream, StreamFacts, StreamId, TypeCode, Value};
use redis::{Connection, Value as Reply};

/// Reads the value of a key of that kind.
pub fn read(connection: &mut Connection, key: &str, kind: Kind) -> Value {
    match kind {
        Kind::String => Value::String(bytes(ask(connection, &["GET", key]))),
        Kind::List => Value::List(list(ask(connection, &["LRANGE", key, "0", "-1"]))),
        Kind::Set => Value::Set(list(ask(connection, &["SMEMBERS", key]))),
        Kind::Zset => {
            let replies = pairs(ask(connection, &["ZRANGE", key, "0", "-1", "WITHSCORES"]));
            let members: Vec<_> =
                replies.into_iter().map(|(member, score)| (bytes(member), double(score))).collect();
            let in_order = members.is_sorted_by(|a, b| a.1 < b.1 || a.1 == b.1 && a.0 < b.0);
            assert!(in_order, "the server took a sorted set that is not sorted");
            Value::Zset(members)
        }
        Kind::Hash => Value::Hash(hash(connection, key)),
        Kind::Stream => {
            Value::Stream(stream(fields(ask(connection, &["XINFO", "STREAM", key, "FULL", "COUNT", "0"]))))
        }
        Kind::Module => panic!("modules are not read here"),
    }
}

/// What a payload of this code says of a value, in an order of its own: so that two of them compare.
fn comparable(mut value: Value, code: TypeCode) -> Value {
    match &mut value {
        Value::Set(members) => members.sort(),
        Value::Zset(members) => members.sort_by(|a, b| a.0.cmp(&b.0)),
        Value::Hash(fields) => fields.sort_by(|a, b| a.name.cmp(&b.name)),
        Value::Stream(stream) => {
            if code == TypeCode::STREAM_1 {
                let StreamFacts { length, last_id, .. } = stream.facts;
                stream.facts = StreamFacts { length, last_id, ..StreamFacts::default() };
            }
            stream.groups.sort_by(|a, b| a.name.cmp(&b.name));
            for group in &mut stream.groups {
                if code == TypeCode::STREAM_1 {
                    group.entries_read = None;
                }
                if code != TypeCode::STREAM_3 {
                    group.consumers.iter_mut().for_each(|consumer| consumer.active_at_ms = None);
                }
                sort_consumers(group);
            }
        }
        Value::String(_) | Value::List(_) | Value::Module(_) => {}
    }
    value
}

/// Panics unless a payload of this code says the same of both values.
#[track_caller]
pub fn assert_same(expected: &Value, found: &Value, code: TypeCode, what: &str) {
    let (expected, found) = (comparable(expected.clone(), code), comparable(found.clone(), code));
    if !same(&expected, &found) {
        let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
        let at = expected.bytes().zip(found.bytes()).take_while(|(a, b)| a == b).count();
        let near = |text: &str| text.chars().skip(at.saturating_sub(100)).take(300).collect::<String>();
        let (expected, found) = (near(&expected), near(&found));
        panic!("{what}, type {}, is not\n...{expected}... but\n...{found}...", code.0);
    }
}

/// Whether both are the same, scores to the bit.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Zset(a), Value::Zset(b)) => {
            let bits = |members: &[(Bytes, f64)]| -> Vec<_> {
                members.iter().map(|(member, score)| (member.clone(), score.to_bits())).collect()
            };
            bits(a) == bits(b)
        }
        _ => a == b,
    }
}

/// Makes the value by the commands of its type. Streams are not made here.
pub fn write(connection: &mut Connection, key: &str, value: &Value) {
    let (command, arguments): (_, Vec<Vec<Bytes>>) = match value {
        Value::String(text) => ("SET", vec![vec![text.clone()]]),
        Value::List(items) => ("RPUSH", items.iter().map(|item| vec![item.clone()]).collect()),
        Value::Set(members) => ("SADD", members.iter().map(|member| vec![member.clone()]).collect()),
        Value::Zset(members) => (
            "ZADD",
            members.iter().map(|(member, score)| vec![format!("{score:?}").into(), member.clone()]).collect(),
        ),
        Value::Hash(fields) => {
            ("HSET", fields.iter().map(|field| vec![field.name.clone(), field.value.clone()]).collect())
        }
        Value::Stream(_) | Value::Module(_) => panic!("this is not made by commands here"),
    };
    let mut pipeline = redis::pipe();
    for some in arguments.chunks(500) {
        let arguments: Vec<&[u8]> = some.iter().flatten().map(|argument| &argument[..]).collect();
        pipeline.cmd(command).arg(key).arg(arguments);
    }
    if let Value::Hash(fields) = value {
        for field in fields {
            if let Some(at) = field.expires_at_ms {
                pipeline.cmd("HPEXPIREAT").arg(key).arg(at).arg(&["FIELDS", "1"]).arg(&field.name[..]);
            }
        }
    }
    pipeline.exec(connection).unwrap_or_else(|error| panic!("{command} failed: {error}"));
}

fn hash(connection: &mut Connection, key: &str) -> Vec<Field> {
    let replies = pairs(ask(connection, &["HGETALL", key]));
    let mut fields: Vec<_> = replies
        .into_iter()
        .map(|(name, value)| Field { name: bytes(name), value: bytes(value), expires_at_ms: None })
        .collect();
    if ask(connection, &["COMMAND", "INFO", "HPEXPIRETIME"]) == Reply::Array(vec![Reply::Nil]) {
        return fields;
    }
    let mut command = redis::cmd("HPEXPIRETIME");
    command.arg(key).arg("FIELDS").arg(fields.len());
    for field in &fields {
        command.arg(&field.name[..]);
    }
    let expiries: Vec<i64> = command.query(connection).expect("HPEXPIRETIME");
    for (field, expiry) in fields.iter_mut().zip(expiries) {
        field.expires_at_ms = u64::try_from(expiry).ok();
    }
    fields
}

fn stream(mut facts: BTreeMap<String, Reply>) -> Stream {
    let mut take = |name: &str| facts.remove(name);
    let entries = take("entries").map(array).unwrap_or_default();
    let groups = take("groups").map(array).unwrap_or_default();
    Stream {
        entries: entries.into_iter().map(entry).collect(),
        facts: StreamFacts {
            length: take("length").map(number).unwrap_or_default(),
            last_id: take("last-generated-id").map(id).unwrap_or_default(),
            first_id: take("recorded-first-entry-id").map(id),
            max_deleted_id: take("max-deleted-entry-id").map(id),
            entries_added: take("entries-added").map(number),
        },
        groups: groups.into_iter().map(|facts| group(fields(facts))).collect(),
    }
}

fn entry(reply: Reply) -> Entry {
    let (entry_id, texts) = pairs(reply).remove(0);
    Entry { id: id(entry_id), fields: pairs(texts).into_iter().map(|(a, b)| (bytes(a), bytes(b))).collect() }
}

fn group(mut facts: BTreeMap<String, Reply>) -> Group {
    // Servers before 7.0 call it otherwise.
    let pending_entries = facts.remove("pel").or_else(|| facts.remove("pending"));
    let mut take = |name: &str| facts.remove(name).unwrap_or(Reply::Nil);
    let consumers = array(take("consumers"));
    let consumers: Vec<Consumer> = consumers.into_iter().map(|facts| consumer(fields(facts))).collect();
    let mut pending = Vec::new();
    for reply in pending_entries.map(array).unwrap_or_default() {
        let [entry, name, delivered, deliveries] =
            <[Reply; 4]>::try_from(array(reply)).expect("four of a pending entry");
        let name = bytes(name);
        pending.push(Pending {
            id: id(entry),
            delivered_at_ms: number(delivered),
            deliveries: number(deliveries),
            consumer: consumers.iter().position(|consumer| consumer.name == name).expect("its consumer"),
        });
    }
    Group {
        name: bytes(take("name")),
        last_id: id(take("last-delivered-id")),
        entries_read: Some(take("entries-read")).filter(|reply| *reply != Reply::Nil).map(number),
        consumers,
        pending,
    }
}

fn consumer(mut facts: BTreeMap<String, Reply>) -> Consumer {
    let mut take = |name: &str| facts.remove(name);
    Consumer {
        name: take("name").map(bytes).unwrap_or_default(),
        seen_at_ms: take("seen-time").map(number).unwrap_or_default(),
        active_at_ms: match take("active-time") {
            Some(Reply::Int(-1)) | None => None,
            Some(reply) => Some(number(reply)),
        },
    }
}

fn sort_consumers(group: &mut Group) {
    let mut order: Vec<usize> = (0..group.consumers.len()).collect();
    order.sort_by(|a, b| group.consumers[*a].name.cmp(&group.consumers[*b].name));
    group.consumers = order.iter().map(|from| group.consumers[*from].clone()).collect();
    for pending in &mut group.pending {
        pending.consumer = order.iter().position(|from| *from == pending.consumer).expect("its consumer");
    }
    group.pending.sort_by_key(|pending| pending.id);
}

fn ask(connection: &mut Connection, words: &[&str]) -> Reply {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query(connection).unwrap_or_else(|error| panic!("{} failed: {error}", words[0]))
}

#[track_caller]
fn array(reply: Reply) -> Vec<Reply> {
    match reply {
        Reply::Array(replies) => replies,
        other => panic!("no array: {other:?}"),
    }
}

#[track_caller]
fn bytes(reply: Reply) -> Bytes {
    match reply {
        Reply::BulkString(bytes) => bytes.into(),
        other => panic!("no string: {other:?}"),
    }
}

fn list(reply: Reply) -> Vec<Bytes> {
    array(reply).into_iter().map(bytes).collect()
}

fn pairs(reply: Reply) -> Vec<(Reply, Reply)> {
    let mut replies = array(reply).into_iter();
    std::iter::from_fn(|| Some((replies.next()?, replies.next()?))).collect()
}

fn fields(reply: Reply) -> BTreeMap<String, Reply> {
    pairs(reply).into_iter().map(|(name, value)| (text(name), value)).collect()
}

fn text(reply: Reply) -> String {
    String::from_utf8(bytes(reply).to_vec()).expect("text")
}

#[track_caller]
fn number(reply: Reply) -> u64 {
    match reply {
        Reply::Int(number) => number.try_into().expect("a positive number"),
        other => panic!("no number: {other:?}"),
    }
}

fn double(reply: Reply) -> f64 {
    text(reply).parse().expect("a score")
}

fn id(reply: Reply) -> StreamId {
    let text = text(reply);
    let (ms, seq) = text.split_once('-').expect("an id");
    StreamId { ms: ms.parse().expect("an id"), seq: seq.parse().expect("an id") }
}
