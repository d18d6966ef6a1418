//! Every server's payloads, read, written for every version, and taken by every server.

use std::collections::HashSet;

use bytes::Bytes;
use rdb::{TypeCode, Unfit, Value, Version, decode, dump, encode, transcode};
use testkit::compare::{self, Options};
use testkit::dataset::{self, random::Random};

use crate::fleet::{self, Ship};
use crate::payloads::{VERSIONS, check, kind};
use crate::typed::{self, assert_same, write};
use crate::values;

/// What this server makes of a value. Streams come by a payload, as commands cannot say all that is in them.
fn made_by(ship: &mut Ship, value: &Value) -> Vec<u8> {
    redis::cmd("DEL").arg("made").exec(&mut ship.connection).expect("DEL");
    match value {
        Value::Stream(_) => {
            let payload = encode::payload(value, ship.writes).expect("every version holds it");
            ship.restore("made", &payload).expect("RESTORE");
        }
        _ => write(&mut ship.connection, "made", value),
    }
    ship.dump("made")
}

fn decoded(payload: &[u8]) -> (TypeCode, Value) {
    let opened = dump::open(payload).expect("a whole payload");
    let body = Bytes::copy_from_slice(opened.body);
    (opened.code, decode::value_of_version(opened.code, opened.version, &body).expect("a whole value"))
}

fn check_on_all(ships: &mut [Ship], value: &Value, name: &str, from: impl Fn(&Ship) -> bool) {
    let mut written = HashSet::new();
    for source in 0..ships.len() {
        if !from(&ships[source]) {
            continue;
        }
        let theirs = made_by(&mut ships[source], value);
        let name = format!("{name} of {}", ships[source].name);
        let (code, read) = decoded(&theirs);
        // A server may change a value at once: 7.0 makes 0 of a score of -0.
        let expected = typed::read(&mut ships[source].connection, "made", kind(value));
        assert_same(&expected, &read, code, &name);
        for version in VERSIONS {
            let payload = match encode::payload(&read, version) {
                Ok(payload) => payload,
                Err(Unfit::FieldExpiry(_)) => continue,
                Err(other) => panic!("{name} cannot be written for version {}: {other}", version.0),
            };
            let (code, again) = decoded(&payload);
            assert_same(&read, &again, code, &format!("{name}, written for version {},", version.0));
            // Another server's payload gave the same bytes.
            if !written.insert(payload.clone()) {
                continue;
            }
            for ship in ships.iter_mut().filter(|ship| ship.reads(version)) {
                check(ship, &read, &payload, &format!("{name}, written for version {},", version.0));
            }
        }
    }
}

#[test]
fn values_pass_from_every_server_to_every_server() {
    let mut random = Random::new(crate::seed());
    let mut ships = fleet::all();
    for turn in 0..values::ALL {
        let value = values::value(&mut random, turn);
        check_on_all(&mut ships, &value, &format!("value {turn}"), |_| true);
    }
}

#[test]
fn expiring_fields_pass_from_every_server_that_has_them() {
    let mut random = Random::new(crate::seed());
    let mut ships = fleet::all();
    for turn in 0..10 {
        let value = values::expiring_hash(&mut random, turn);
        check_on_all(&mut ships, &value, &format!("hash {turn}"), |ship| ship.writes >= Version::REDIS_7_4);
    }
}

/// Around 16,378 and 2,097,146 bytes the width of what stands behind a value in a listpack changes. At exactly these,
/// Redis and Valkey 9.1 change it differently.
#[test]
fn entries_of_streams_of_awkward_sizes_pass_between_redis_and_valkey() {
    let mut random = Random::new(crate::seed());
    let mut ships = fleet::all();
    for length in [122, 123, 4_093, 4_094, 16_377, 16_378, 16_379, 2_097_145, 2_097_146, 2_097_147] {
        let value = values::stream_around(&mut random, length);
        for source in 0..ships.len() {
            let payload = Bytes::from(made_by(&mut ships[source], &value));
            let name = format!("a stream with {length} bytes of {}", ships[source].name);
            for ship in &mut ships {
                let (payload, _) = transcode(&payload, ship.writes).expect("every version holds it");
                check(ship, &value, &payload, &name);
            }
        }
    }
}

/// Everything that 6.0 can hold, made by commands on each server and moved to each other one.
#[test]
fn whole_caches_pass_from_every_server_to_every_server() {
    let seed = crate::seed();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut ships = fleet::all();
    for _ in 0..ships.len() {
        for ship in &mut ships {
            redis::cmd("FLUSHALL").exec(&mut ship.connection).expect("FLUSHALL");
        }
        ships.rotate_left(1);
        let Some((source, targets)) = ships.split_first_mut() else { panic!("no servers") };
        runtime.block_on(dataset::every_type(&source.server.access(), seed, 1));
        for target in targets {
            move_all(source, target);
            let (source, target) = (source.server.access(), target.server.access());
            let options = Options::default().ttl_tolerance_ms(1000);
            runtime.block_on(compare::caches(&source, &target, &options)).assert_equal();
        }
    }
}

fn move_all(source: &mut Ship, target: &mut Ship) {
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut source.connection).expect("KEYS");
    assert!(keys.len() > 90);
    for key in keys {
        let (payload, left): (Vec<u8>, i64) = redis::pipe()
            .cmd("DUMP")
            .arg(&key)
            .cmd("PTTL")
            .arg(&key)
            .query(&mut source.connection)
            .expect("DUMP and PTTL");
        let (payload, _) = transcode(&payload.into(), target.writes).expect("every version holds it");
        let mut restore = redis::cmd("RESTORE");
        restore.arg(&key).arg(left.max(0)).arg(&payload[..]);
        if let Err(error) = restore.exec(&mut target.connection) {
            let key = String::from_utf8_lossy(&key);
            panic!("{} refuses {key} of {}, now of type {}: {error}", target.name, source.name, payload[0]);
        }
    }
}
