//! Several databases into one, other names, and names that would collide.

use testkit::dataset::{self, Place};
use testkit::{Server, compare};

use crate::support::Redferry;

/// A source with 20 keys in database 0, 30 in database 3 and 5 in database 7, some of the same names.
async fn three_databases() -> Server {
    let source = Server::acr().start();
    for (db, count) in [(0, 20), (3, 30), (7, 5)] {
        dataset::strings(Place::db(&source.access(), db), count, 10 + usize::from(db)).await;
    }
    source
}

/// The comparison when a database's keys get a prefix in database 0 of the target.
fn prefixed(prefix: fn(u16) -> String, dbs: &'static [u16]) -> compare::Options {
    compare::Options::default()
        .only(move |db, _| dbs.contains(&db))
        .map(move |db, key| (0, [prefix(db).as_bytes(), key].concat()))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_chosen_is_refused_and_names_what_there_is() {
    let (source, target) = (three_databases().await, Server::amr().start());
    Redferry::between(&source.access(), &target.access())
        .copy(&[])
        .expect(3)
        .expect_said("0 (20 keys), 3 (30 keys) and 7 (5 keys)")
        .expect_said("--db 0,3,7")
        .expect_said("--all-dbs --prefix-by-db");
    assert_eq!(target.command(&["DBSIZE"]), testkit::server::Reply::Integer(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_the_target_lacks_need_a_place() {
    let (source, target) = (three_databases().await, Server::amr().start());
    let redferry = Redferry::between(&source.access(), &target.access());
    redferry.copy(&["--db", "0,3"]).expect(3).expect_said("no database 3").expect_said("--db-map 3=0");
    let ended = redferry.copy(&["--db", "0,3", "--db-map", "3=0", "--db-prefix", "3=billing:"]).expect(0);
    assert_eq!(ended.number("keys_copied"), 50);
    let options = prefixed(|db| if db == 3 { "billing:".into() } else { String::new() }, &[0, 3]);
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn all_databases_by_prefix() {
    let (source, target) = (three_databases().await, Server::amr().start());
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--all-dbs", "--prefix-by-db"]).expect(0);
    assert_eq!(ended.number("keys_copied"), 55);
    let options = prefixed(|db| if db == 0 { String::new() } else { format!("db{db}:") }, &[0, 3, 7]);
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
    target.command(&["FLUSHALL"]);
    redferry.copy(&["--all-dbs", "--prefix-by-db", "from-{db}/"]).expect(0);
    let options = prefixed(|db| if db == 0 { String::new() } else { format!("from-{db}/") }, &[0, 3, 7]);
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_keep_their_numbers_where_the_target_has_them() {
    let (source, target) = (three_databases().await, Server::plain7().start());
    let ended = Redferry::between(&source.access(), &target.access()).copy(&["--all-dbs"]).expect(0);
    assert_eq!(ended.number("keys_copied"), 55);
    compare::caches(&source.access(), &target.access(), &compare::Options::default()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_by_its_number_in_the_address() {
    let (source, target) = (three_databases().await, Server::amr().start());
    let (port, target_url) = (source.access().port, target.access().url());
    let options = || prefixed(|_| String::new(), &[3]);
    // As a URL, and as the portal's connection string with the .NET client's option.
    for address in [
        format!("redis://:testkit-secret@127.0.0.1:{port}/3"),
        format!("127.0.0.1:{port},password=testkit-secret,ssl=False,abortConnect=False,defaultDatabase=3"),
    ] {
        target.command(&["FLUSHALL"]);
        let redferry =
            Redferry::between_addresses(&address, &target_url).with_passwords("", "testkit-secret");
        redferry.copy(&[]).expect(3).expect_said("--db-map 3=0");
        assert_eq!(redferry.copy(&["--db-map", "3=0"]).expect(0).number("keys_copied"), 30);
        compare::caches(&source.access(), &target.access(), &options()).await.assert_equal();
    }
    // A target that names its database takes everything there.
    target.command(&["FLUSHALL"]);
    let source_url = format!("redis://127.0.0.1:{port}/3");
    let redferry = Redferry::between_addresses(&source_url, &format!("{target_url}/0"))
        .with_passwords("testkit-secret", "testkit-secret");
    redferry.copy(&[]).expect(0);
    compare::caches(&source.access(), &target.access(), &options()).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 20, 10).await;
    for n in 0..5 {
        source.command(&["SET", &format!("old:{n}"), "x"]);
    }
    let redferry = Redferry::between(&source.access(), &target.access());
    assert_eq!(
        redferry.copy(&["--rename", "old:=new:", "--rename", "string:="]).expect(0).number("keys_copied"),
        25
    );
    let options = compare::Options::default().map(|db, key| match key.strip_prefix(b"old:") {
        Some(rest) => (db, [b"new:", rest].concat()),
        None => (db, key.strip_prefix(b"string:").unwrap_or(key).to_vec()),
    });
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_would_collide_are_found_before_anything_is_written() {
    let (source, target) = (three_databases().await, Server::amr().start());
    source.command(&["SET", "old:1", "x"]);
    source.command(&["SET", "new:1", "x"]);
    let redferry = Redferry::between(&source.access(), &target.access());
    let cases: [&[&str]; 4] = [
        &["--db", "0,3", "--db-map", "3=0"],
        &["--db", "0", "--rename", "old:=new:"],
        &["--db", "0,3", "--prefix-by-db", "--db-prefix", "3="],
        // The same, although the target is to be emptied first: that comes after.
        &["--db", "0,3", "--db-map", "3=0", "--flush-target", "--confirm-flush", "127.0.0.1"],
    ];
    for options in cases {
        let ended = redferry
            .copy(options)
            .expect(3)
            .expect_said("taken by two keys")
            .expect_said("nothing was written");
        assert!(
            ended.said.contains("--db-prefix") && ended.said.contains("--rename"),
            "{options:?}: {ended:#?}"
        );
        assert_eq!(target.command(&["DBSIZE"]), testkit::server::Reply::Integer(0), "{options:?}");
    }
    // Rules that could collide and do not are no obstacle.
    redferry.copy(&["--db", "0", "--rename", "old:=older:"]).expect(0);
    target.command(&["FLUSHALL"]);
    redferry.copy(&["--db", "0,3", "--db-map", "3=0", "--exclude", "string:*"]).expect(0);
}
