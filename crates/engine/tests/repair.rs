//! Named keys are brought over and extra keys removed, between real servers.

#[path = "repair/extras.rs"]
mod extras;
#[path = "repair/faults.rs"]
mod faults;
#[path = "repair/keys.rs"]
mod keys;
#[path = "repair/moved.rs"]
mod moved;
mod support;

use std::sync::Arc;

use client::Side;
use engine::preflight::{DbWish, Wishes, probe};
use engine::{CopyOptions, KeysOutcome, Repair, Stop};
use migration::conflict::OnConflict;
use migration::naming::Naming;
use redis::aio::ConnectionLike;
use support::endpoint;
use testkit::compare::{self, Options};
use testkit::{Access, Cluster};

/// A database and a name.
type Key = (u32, Vec<u8>);

/// What brings keys from one test cache to another, set up as `redferry` does it: over a target full of keys.
async fn repair(source: &Access, target: &Access, naming: Naming) -> Repair {
    let (source, target) = (endpoint(Side::Source, source), endpoint(Side::Target, target));
    let wishes = Wishes {
        databases: DbWish::List(naming.source_dbs().collect()),
        db_map: naming.source_dbs().filter_map(|db| Some((db, naming.target_db(db)?))).collect(),
        on_conflict: OnConflict::Replace,
        resuming: true,
        filters: true,
        ..Wishes::default()
    };
    let findings = probe(&source, &target, &wishes).await.unwrap();
    let refusals: Vec<_> = findings.refusals().collect();
    assert!(refusals.is_empty(), "{refusals:?}");
    Repair { source, target, naming, abilities: findings.abilities, options: CopyOptions::new("".into()) }
}

/// The same for database 0, every key under its own name.
async fn plain_repair(source: &Access, target: &Access) -> Repair {
    repair(source, target, Naming::identity([0]).unwrap()).await
}

async fn copy(repair: &Repair, keys: &[Key]) -> KeysOutcome {
    repair.copy_keys(keys.to_vec(), Arc::new(Stop::default())).await
}

/// Copies these keys and expects every one of them to be copied.
async fn copy_all(repair: &Repair, keys: &[Key]) -> KeysOutcome {
    let outcome = copy(repair, keys).await;
    assert!(outcome.halt.is_none() && outcome.not_copied.is_empty(), "{outcome:?}");
    assert!(outcome.left.is_empty(), "{outcome:?}");
    assert_eq!((outcome.total.scanned, outcome.total.copied), (keys.len() as u64, keys.len() as u64));
    outcome
}

async fn assert_equal(source: &Access, target: &Access) {
    compare::caches(source, target, &Options::default()).await.assert_equal();
}

/// Runs one command, written as words.
async fn run(connection: &mut impl ConnectionLike, command: &str) -> redis::Value {
    let mut words = command.split_whitespace();
    let mut cmd = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        cmd.arg(word);
    });
    cmd.query_async(connection).await.unwrap_or_else(|error| panic!("{command}: {error}"))
}

fn named(db: u32, names: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Vec<Key> {
    names.into_iter().map(|name| (db, name.into())).collect()
}

/// All keys of a database of one server.
async fn keys_in(access: &Access, db: u32) -> Vec<Key> {
    let mut connection = access.connect_db(i64::from(db)).await;
    let names: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    named(db, names)
}

/// All keys of a cluster.
async fn keys_of(cluster: &Cluster) -> Vec<Key> {
    let mut keys = Vec::new();
    for node in 0..cluster.nodes().len() {
        keys.extend(keys_in(&cluster.node_access(node), 0).await);
    }
    keys
}

/// Gives each of these keys a value of another type on the target, with a time to live.
async fn spoil(source: &mut impl ConnectionLike, target: &mut impl ConnectionLike, keys: &[Key]) {
    for (_, name) in keys {
        let kind: String = redis::cmd("TYPE").arg(name).query_async(source).await.unwrap();
        let mut wrong = redis::cmd(if kind == "string" { "RPUSH" } else { "SET" });
        wrong.arg(name).arg("wrong").exec_async(target).await.unwrap();
        redis::cmd("EXPIRE").arg(name).arg(5000).exec_async(target).await.unwrap();
    }
}
