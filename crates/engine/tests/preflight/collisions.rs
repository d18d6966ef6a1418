//! Keys that would become one key are found, and only those.

use client::Side;
use engine::collisions::{Collision, find};
use migration::naming::{DbRule, Naming, Rename};
use migration::selection::{Selection, SelectionOptions};
use testkit::{Access, Cluster, Server};

use crate::endpoint;

fn rule(source: u32, target: u32, prefix: &str) -> DbRule {
    DbRule { source, target, prefix: prefix.into() }
}

fn rename(from: &str, to: &str) -> Rename {
    Rename { from: from.into(), to: to.into() }
}

async fn found(access: &Access, naming: &Naming, filter: SelectionOptions, limit: usize) -> Vec<Collision> {
    let source = endpoint(Side::Source, access);
    let topology = source.topology().await.unwrap();
    let selection = Selection::new(&filter).unwrap();
    find(&source, &topology, &selection, naming, limit).await.unwrap()
}

fn origins(collisions: &[Collision]) -> Vec<Vec<(u32, &str)>> {
    fn text((db, key): &(u32, Vec<u8>)) -> (u32, &str) {
        (*db, std::str::from_utf8(key).unwrap())
    }
    let mut all: Vec<Vec<_>> = collisions
        .iter()
        .map(|collision| {
            let mut origins: Vec<_> = collision.origins.iter().map(text).collect();
            origins.sort_unstable();
            origins
        })
        .collect();
    all.sort();
    all
}

/// Sets a string in a database other than 0, and for that never two of one name at once.
fn set(server: &Server, db: u32, key: &str) {
    let script = "redis.call('SELECT', ARGV[1]) return redis.call('SET', KEYS[1], 'v')";
    server.command(&["EVAL", script, "1", key, &db.to_string()]);
}

#[tokio::test]
async fn two_databases_into_one() {
    let server = Server::plain6().start();
    for number in 0..2000 {
        set(&server, 0, &format!("only0:{number}"));
        set(&server, 1, &format!("only1:{number}"));
    }
    let plain = Naming::new(vec![rule(0, 0, ""), rule(1, 0, "")], vec![]).unwrap();
    assert_eq!(found(&server.access(), &plain, SelectionOptions::default(), 10).await, []);
    for key in ["both:1", "both:2", "both:3"] {
        set(&server, 0, key);
        set(&server, 1, key);
    }
    let collisions = found(&server.access(), &plain, SelectionOptions::default(), 10).await;
    assert_eq!(
        origins(&collisions),
        ["both:1", "both:2", "both:3"].map(|key| vec![(0, key), (1, key)]),
        "and a key that is only in one of them is none"
    );
    assert_eq!(found(&server.access(), &plain, SelectionOptions::default(), 2).await.len(), 2);
    let filter = SelectionOptions { excludes: vec!["*:2".into(), "*:3".into()], ..Default::default() };
    assert_eq!(found(&server.access(), &plain, filter, 10).await.len(), 1);
    let filter = SelectionOptions { types: vec!["hash".into()], ..Default::default() };
    assert_eq!(found(&server.access(), &plain, filter, 10).await, []);

    let apart = Naming::new(vec![rule(0, 0, ""), rule(1, 1, "")], vec![]).unwrap();
    let sent = server.command(&["INFO", "commandstats"]).text();
    assert_eq!(found(&server.access(), &apart, SelectionOptions::default(), 10).await, []);
    let scans = |text: &str| text.lines().find(|line| line.starts_with("cmdstat_scan")).map(str::to_owned);
    assert_eq!(
        scans(&server.command(&["INFO", "commandstats"]).text()),
        scans(&sent),
        "what cannot meet is not scanned"
    );
}

#[tokio::test]
async fn a_prefix_that_another_database_uses_already() {
    let server = Server::plain6().start();
    set(&server, 0, "billing:7");
    set(&server, 0, "billing:");
    set(&server, 0, "other");
    set(&server, 3, "7");
    set(&server, 3, "8");
    set(&server, 3, "");
    let naming = Naming::new(vec![rule(0, 0, ""), rule(3, 0, "billing:")], vec![]).unwrap();
    let collisions = found(&server.access(), &naming, SelectionOptions::default(), 10).await;
    assert_eq!(origins(&collisions), [vec![(0, "billing:"), (3, "")], vec![(0, "billing:7"), (3, "7")]]);
    assert!(collisions.iter().all(|collision| collision.db == 0 && collision.name.starts_with(b"billing:")));
}

#[tokio::test]
async fn a_rename_onto_a_name_that_exists_even_on_another_node() {
    let cluster = Cluster::plain6(3).start();
    let mut connection = cluster.access().connect_cluster().await;
    for number in 0..300 {
        for key in [format!("old:{number}"), format!("kept:{number}")] {
            let _: () = redis::cmd("SET").arg(key).arg(1).query_async(&mut connection).await.unwrap();
        }
    }
    for key in ["new:7", "new:42", "new:1000"] {
        let _: () =
            redis::cmd("SET").arg(key).arg(1).arg("EX").arg(5000).query_async(&mut connection).await.unwrap();
    }
    let naming = Naming::new(vec![rule(0, 0, "")], vec![rename("old:", "new:")]).unwrap();
    let collisions = found(&cluster.access(), &naming, SelectionOptions::default(), 10).await;
    assert_eq!(
        origins(&collisions),
        [vec![(0, "new:42"), (0, "old:42")], vec![(0, "new:7"), (0, "old:7")]],
        "each is reported once, though both its keys are scanned"
    );
    let filter = SelectionOptions { no_ttl_only: true, ..Default::default() };
    assert_eq!(
        found(&cluster.access(), &naming, filter, 10).await,
        [],
        "new: keys have a TTL and stay behind"
    );
}
