//! Whole files, checked by `redis-check-rdb`, loaded by servers, and read again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rdb::file::{Event, Key, Limits, Reader, Writer};
use rdb::{TypeCode, Value, Version, encode, transcode};
use testkit::Server;
use testkit::compare::{self, Options};
use testkit::dataset::{self, random::Random};

use crate::fleet::{self, Ship};
use crate::payloads::{VERSIONS, kind};
use crate::typed::{assert_same, read};
use crate::values;

const LIBRARY: &[u8] = b"#!lua name=ferry\nredis.register_function('cross', function() return 'there' end)";
/// In 2033.
const EXPIRES_AT_MS: u64 = 2_000_000_000_123;
const IDLE_S: u64 = 1234;
const FREQUENCY: u8 = 77;
/// The database besides 0.
const OTHER_DATABASE: u32 = 9;

/// A file of that version with a value of every type in every size, in two databases.
fn file(version: Version, values: &[Value]) -> Vec<u8> {
    let mut writer = Writer::new(version);
    let mut file = Vec::new();
    writer.aux(b"redis-ver", b"6.0.16");
    writer.aux(b"redis-bits", b"64");
    writer.function(LIBRARY);
    for database in [0, OTHER_DATABASE] {
        writer.database(database);
        writer.sizes(values.len() as u64 / 2, values.len() as u64 / 6);
        for (turn, value) in values.iter().enumerate().filter(|(turn, _)| (turn % 2 == 1) == (database > 0)) {
            let mut body = Vec::new();
            let code = encode::body(value, version, &mut body).expect("every version holds it");
            let key = Key {
                name: name(turn),
                code,
                expires_at_ms: expiry(turn),
                idle_s: turn.is_multiple_of(5).then_some(IDLE_S),
                frequency: turn.is_multiple_of(5).then_some(FREQUENCY),
            };
            if turn % 3 == 0 {
                writer.key_head(&key);
                body.chunks(1000).for_each(|part| writer.part(part));
            } else {
                writer.key(&key, &body);
            }
            if writer.buffered() > 10_000 {
                file.extend_from_slice(&writer.take());
            }
        }
    }
    writer.end();
    file.extend_from_slice(&writer.take());
    assert_eq!(writer.buffered(), 0);
    file
}

fn name(turn: usize) -> Bytes {
    format!("key {turn}").into()
}

fn expiry(turn: usize) -> Option<u64> {
    turn.is_multiple_of(3).then_some(EXPIRES_AT_MS)
}

#[test]
fn servers_load_files_of_every_version_they_read() {
    let mut random = Random::new(crate::seed());
    let values: Vec<_> = (0..values::ALL).map(|turn| values::value(&mut random, turn)).collect();
    let folder = tempfile::tempdir().expect("a folder");
    for version in VERSIONS {
        std::fs::write(folder.path().join("dump.rdb"), file(version, &values)).expect("a file");
        for (turn, (name, builder)) in fleet::builders().into_iter().enumerate() {
            if !reads(name, version) {
                continue;
            }
            let policy = if turn % 2 == 0 { "allkeys-lru" } else { "allkeys-lfu" };
            let builder = builder.policy(policy).arg("dir", &folder.path().to_string_lossy());
            let mut ship = Ship::launch(name, builder);
            let said = ship.server.program().check_rdb(&folder.path().join("dump.rdb"));
            said.unwrap_or_else(|error| panic!("{error:#}"));
            check(&mut ship, version, &values, policy);
        }
    }
}

/// Before the server is started, which would refuse to.
fn reads(name: &str, version: Version) -> bool {
    match name {
        "Redis 6.0" => version.0 <= 9,
        "Redis 7.0" => version.0 <= 10,
        "Valkey 9.1" => version.0 <= 11 || version.0 == 80,
        _ => version.0 <= 12,
    }
}

fn check(ship: &mut Ship, version: Version, values: &[Value], policy: &str) {
    let what = format!("a file of version {} on {}", version.0, ship.name);
    for (turn, value) in values.iter().enumerate() {
        let key = format!("key {turn}");
        let database = if turn % 2 == 1 { OTHER_DATABASE } else { 0 };
        redis::cmd("SELECT").arg(database).exec(&mut ship.connection).expect("SELECT");
        if turn.is_multiple_of(5) {
            let (question, least) =
                if policy == "allkeys-lru" { ("IDLETIME", IDLE_S) } else { ("FREQ", FREQUENCY.into()) };
            let answer: u64 =
                redis::cmd("OBJECT").arg(question).arg(&key).query(&mut ship.connection).expect("OBJECT");
            // Time goes on, and what is not used is forgotten minute by minute.
            assert!((least - 3..least + 60).contains(&answer), "{question} of {key} from {what}: {answer}");
        }
        let mut body = Vec::new();
        let code = encode::body(value, version, &mut body).expect("every version holds it");
        let found = read(&mut ship.connection, &key, kind(value));
        assert_same(value, &found, code, &format!("{key} from {what}"));
        let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut ship.connection).expect("PTTL");
        let expected = expiry(turn).map_or(-1, |at| at as i64 - now());
        assert!((left - expected).abs() < 2_000, "{key} from {what} has {left} ms to live, not {expected}");
    }
    if version >= Version::REDIS_7_0 {
        let answer: String =
            redis::cmd("FCALL").arg("cross").arg(0).query(&mut ship.connection).expect("FCALL");
        assert_eq!(answer, "there", "{what}");
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as i64
}

#[test]
fn files_are_read_as_they_were_written() {
    let mut random = Random::new(crate::seed());
    let values: Vec<_> = (0..values::ALL).map(|turn| values::value(&mut random, turn)).collect();
    for version in VERSIONS {
        let mut reader = Reader::new(Limits::default());
        reader.feed(file(version, &values).into());
        reader.finish();
        let (mut keys, mut functions, mut found) = (0, 0, BTreeMap::new());
        let mut key = None;
        while let Some(event) = reader.next().expect("a whole file") {
            match event {
                Event::Version(found) => assert_eq!(found, version),
                Event::Function(library) => {
                    assert_eq!(library, LIBRARY);
                    functions += 1;
                }
                Event::Key(head) => {
                    keys += 1;
                    key = Some(head);
                }
                Event::Part { bytes, last } => {
                    assert!(last);
                    let Some(Key { name, code, .. }) = key.clone() else { panic!("a part without a key") };
                    assert_eq!(TypeCode(bytes[0]), code);
                    let body = bytes.slice(1..);
                    found.insert(name, (code, rdb::decode::value(code, &body).expect("a whole value")));
                }
                _ => {}
            }
        }
        assert!(reader.is_done());
        assert_eq!((keys, functions), (values.len(), usize::from(version >= Version::REDIS_7_0)));
        for (turn, value) in values.iter().enumerate() {
            let (code, found) = found.remove(&name(turn)).expect("the key");
            assert_same(value, &found, code, &format!("key {turn}"));
        }
    }
}

/// Way 2 of the guide, backwards: a cache of 7.4 as a file that 6.0 starts with.
#[test]
fn a_cache_of_7_4_becomes_a_file_for_6_0() {
    let seed = crate::seed();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut source = Ship::launch("Redis 7.4", Server::plain7());
    runtime.block_on(dataset::every_type(&source.server.access(), seed, 2));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dump.rdb");
    export(&mut source, Version::REDIS_6, &path);
    let builder = Server::plain6().arg("dir", &folder.path().to_string_lossy());
    let target = Ship::launch("Redis 6.0", builder);
    target.server.program().check_rdb(&path).unwrap_or_else(|error| panic!("{error:#}"));
    let (source, target) = (source.server.access(), target.server.access());
    let options = Options::default().ttl_tolerance_ms(1000);
    runtime.block_on(compare::caches(&source, &target, &options)).assert_equal();
}

fn export(source: &mut Ship, version: Version, path: &Path) {
    let mut writer = Writer::new(version);
    writer.database(0);
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut source.connection).expect("KEYS");
    for name in keys {
        let (payload, expires): (Vec<u8>, i64) = redis::pipe()
            .cmd("DUMP")
            .arg(&name)
            .cmd("PEXPIRETIME")
            .arg(&name)
            .query(&mut source.connection)
            .expect("DUMP and PEXPIRETIME");
        let (payload, _) = transcode(&payload.into(), version).expect("6.0 holds it");
        let payload = rdb::dump::open(&payload).expect("a payload");
        let key = Key {
            name: name.into(),
            code: payload.code,
            expires_at_ms: u64::try_from(expires).ok(),
            idle_s: None,
            frequency: None,
        };
        writer.key(&key, payload.body);
    }
    writer.end();
    std::fs::write(path, writer.take()).expect("a file");
}
