//! Against real servers.

use std::sync::Arc;
use std::time::Duration;

use client::Side;
use testkit::{Access, Server};

use super::SpotCheck;
use crate::compare::tests::endpoint;
use crate::halt::Halt;
use crate::scope::Scope;

/// Every key, of database 0 under its own name, of database 1 as `one:` and its name.
#[derive(Debug)]
struct Everything;

impl Scope for Everything {
    fn source_dbs(&self) -> Vec<u32> {
        vec![0, 1]
    }

    fn target_db(&self, _db: u32) -> u32 {
        0
    }

    fn name_on_target(&self, db: u32, key: &[u8]) -> Option<Vec<u8>> {
        (db == 1).then(|| [b"one:", key].concat())
    }

    fn keeps_names(&self, db: u32) -> bool {
        db == 0
    }

    fn origins(&self, _target_db: u32, name: &[u8]) -> Vec<(u32, Vec<u8>)> {
        vec![(0, name.to_vec())]
    }

    fn wants_key(&self, _db: u32, _key: &[u8]) -> bool {
        true
    }

    fn asks_type(&self) -> bool {
        false
    }

    fn wants_type(&self, _name: &str) -> bool {
        true
    }

    fn asks_ttl(&self) -> bool {
        false
    }

    fn wants_ttl(&self, _pttl_ms: i64) -> bool {
        true
    }

    fn scan_match(&self) -> Option<&[u8]> {
        None
    }

    fn scan_type(&self) -> Option<&str> {
        None
    }
}

fn spot_check(source: &Access, target: &Access, ttl_tolerance: Duration) -> SpotCheck {
    let (source, target) = (endpoint(Side::Source, source), endpoint(Side::Target, target));
    let silence = Duration::from_secs(20);
    SpotCheck::new(source, target, Arc::new(Everything), ttl_tolerance, 1 << 20, silence)
}

fn names(keys: &[&str]) -> Vec<Box<[u8]>> {
    keys.iter().map(|key| key.as_bytes().into()).collect()
}

#[tokio::test]
async fn keys_that_differ_are_named() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    for (server, value) in [(&source, "x"), (&target, "y")] {
        server.command(&["SET", "equal", "x"]);
        server.command(&["SET", "value", value]);
        server.command(&["SET", "persistent", "x"]);
        server.command(&["HSET", "fields", "a", "1"]);
    }
    source.command(&["SET", "missing", "x"]);
    target.command(&["SET", "extra", "x"]);
    target.command(&["EXPIRE", "persistent", "1000"]);
    source.command(&["HEXPIRE", "fields", "1000", "FIELDS", "1", "a"]);
    let check = spot_check(&source.access(), &target.access(), Duration::ZERO);
    let keys = names(&["equal", "value", "missing", "extra", "nowhere", "persistent", "fields"]);
    let spotted = check.differing(0, &keys).await.unwrap();
    assert_eq!(spotted.differing, names(&["value", "missing", "extra", "persistent", "fields"]));
    assert!(spotted.bytes_read > 0);
    // Another database, another name.
    source.command(&["MSET", "a", "x"]);
    source.command(&["MOVE", "a", "1"]);
    assert_eq!(check.differing(1, &names(&["a"])).await.unwrap().differing, names(&["a"]));
    target.command(&["SET", "one:a", "x"]);
    assert!(check.differing(1, &names(&["a"])).await.unwrap().differing.is_empty());
}

/// Expiries may be as far apart as is said, and no farther.
#[tokio::test]
async fn a_tolerance_is_told_and_hides_no_more_than_it() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    let later = 4_102_444_800_000_i64;
    for (server, field) in [(&source, later), (&target, later + 900)] {
        server.command(&["SET", "near", "x", "PXAT", &field.to_string()]);
        server.command(&["HSET", "field", "a", "1"]);
        server.command(&["HPEXPIREAT", "field", &field.to_string(), "FIELDS", "1", "a"]);
    }
    let keys = names(&["near", "field"]);
    let near = spot_check(&source.access(), &target.access(), Duration::from_secs(1));
    let spotted = near.differing(0, &keys).await.unwrap();
    assert!(spotted.differing.is_empty(), "{spotted:?}");
    let told = Duration::from_secs(1)..Duration::from_secs(2);
    assert!(told.contains(&spotted.ttl_error) && spotted.ttl_error > Duration::from_secs(1), "{spotted:?}");
    let exact = spot_check(&source.access(), &target.access(), Duration::ZERO);
    let none = exact.differing(0, &names(&["nowhere"])).await.unwrap();
    assert_eq!(none.ttl_error, Duration::ZERO, "no expiry was compared");
    assert_eq!(exact.differing(0, &keys).await.unwrap().differing, keys);
}

#[tokio::test]
async fn what_is_not_shown_counts_as_different_and_who_is_away_is_told() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    source.command(&["SET", "closed", "x"]);
    target.command(&["SET", "closed", "x"]);
    let check = spot_check(&source.access(), &target.access(), Duration::ZERO);
    assert!(check.differing(0, &names(&["closed"])).await.unwrap().differing.is_empty());
    source.command(&["ACL", "SETUSER", "default", "-getrange", "-get"]);
    assert_eq!(check.differing(0, &names(&["closed"])).await.unwrap().differing, names(&["closed"]));
    source.command(&["ACL", "SETUSER", "default", "+@all"]);
    target.kill();
    let halt = check.differing(0, &names(&["closed"])).await.unwrap_err();
    assert!(matches!(halt, Halt::Outage { side: Side::Target, .. }), "{halt}");
    // The same check goes on with whoever answers now.
    target.restart();
    assert_eq!(check.differing(0, &names(&["closed"])).await.unwrap().differing, names(&["closed"]));
    target.command(&["SET", "closed", "x"]);
    assert!(check.differing(0, &names(&["closed"])).await.unwrap().differing.is_empty());
}
