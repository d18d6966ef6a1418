//! Values written for every version, and read by every server that takes it.

use rdb::{Kind, TypeCode, Unfit, Value, Version, encode};
use testkit::dataset::random::Random;

use crate::fleet::{self, Ship};
use crate::typed::{assert_same, read, write};
use crate::values;

pub const VERSIONS: [Version; 5] =
    [Version::REDIS_6, Version::REDIS_7_0, Version::REDIS_7_2, Version::REDIS_7_4, Version(80)];

pub fn kind(value: &Value) -> Kind {
    match value {
        Value::String(_) => Kind::String,
        Value::List(_) => Kind::List,
        Value::Set(_) => Kind::Set,
        Value::Zset(_) => Kind::Zset,
        Value::Hash(_) => Kind::Hash,
        Value::Stream(_) => Kind::Stream,
        Value::Module(_) => Kind::Module,
    }
}

/// Restores a payload and compares what the server says is in it.
pub fn check(ship: &mut Ship, value: &Value, payload: &[u8], what: &str) {
    let restored = ship.restore("key", payload);
    let code = TypeCode(payload[0]);
    restored.unwrap_or_else(|error| panic!("{} refuses {what} of type {code:?}: {error}", ship.name));
    let found = read(&mut ship.connection, "key", kind(value));
    assert_same(value, &found, code, &format!("{what} on {}", ship.name));
}

#[test]
fn servers_read_what_is_written_for_their_version() {
    let mut random = Random::new(crate::seed());
    let mut ships = fleet::all();
    for turn in 0..values::ALL {
        let value = values::value(&mut random, turn);
        for version in VERSIONS {
            let payload = encode::payload(&value, version).expect("every version holds it");
            for ship in ships.iter_mut().filter(|ship| ship.reads(version)) {
                check(ship, &value, &payload, &format!("value {turn} for version {}", version.0));
            }
        }
    }
}

#[test]
fn field_expiries_are_written_for_redis_7_4_and_refused_before() {
    let mut random = Random::new(crate::seed());
    let mut ships = fleet::all();
    for turn in 0..10 {
        let value = values::expiring_hash(&mut random, turn);
        let Value::Hash(fields) = &value else { unreachable!() };
        let expiring = fields.iter().filter(|field| field.expires_at_ms.is_some()).count() as u64;
        for version in [Version::REDIS_6, Version::REDIS_7_0, Version::REDIS_7_2, Version(80)] {
            assert_eq!(encode::payload(&value, version), Err(Unfit::FieldExpiry(expiring)));
        }
        let payload = encode::payload(&value, Version::REDIS_7_4).expect("7.4 holds it");
        for ship in ships.iter_mut().filter(|ship| ship.reads(Version::REDIS_7_4)) {
            check(ship, &value, &payload, &format!("hash {turn} with expiries"));
            // Code and first expiry of all, by which the server knows when to look.
            assert_eq!(payload[..9], ship.dump("key")[..9], "hash {turn} on {}", ship.name);
        }
    }
}

/// Payloads are as short as the server's own and loaded into the encoding that the server would have chosen.
#[test]
fn payloads_are_what_the_server_itself_would_make() {
    let mut random = Random::new(crate::seed());
    for mut ship in fleet::all() {
        for turn in 0..values::ALL {
            let value = values::value(&mut random, turn);
            if matches!(value, Value::Stream(_)) {
                continue;
            }
            let payload = encode::payload(&value, ship.writes).expect("every version holds it");
            ship.restore("ours", &payload).expect("RESTORE");
            redis::cmd("DEL").arg("theirs").exec(&mut ship.connection).expect("DEL");
            write(&mut ship.connection, "theirs", &value);
            let theirs = ship.dump("theirs");
            let name = format!("value {turn} on {}, type {}", ship.name, payload[0]);
            assert_eq!(payload[0], theirs[0], "{name}");
            assert!(
                payload.len() as f64 <= theirs.len() as f64 * 1.06 + 8.0,
                "{name}: {} bytes, the server's own {}",
                payload.len(),
                theirs.len()
            );
            let mut encoding = |key: &str| -> String {
                redis::cmd("OBJECT").arg("ENCODING").arg(key).query(&mut ship.connection).expect("OBJECT")
            };
            let (ours, theirs) = (encoding("ours"), encoding("theirs"));
            assert_eq!(ours, theirs, "{name}");
        }
    }
}
