//! What a comparison asks first, by reads alone.

use client::Side;
use engine::preflight::{DbWish, Look, Wishes, look};
use testkit::{Access, Server};

use crate::support::endpoint;
use crate::{changes, restricted};

async fn seen(source: &Access, target: &Access, databases: DbWish) -> Look {
    let wishes = Wishes { databases, ..Wishes::default() };
    look(&endpoint(Side::Source, source), &endpoint(Side::Target, target), &wishes).await.unwrap()
}

fn refusals(look: &Look) -> Vec<&str> {
    look.refusals().map(|check| check.id).collect()
}

#[tokio::test]
async fn a_user_who_may_only_read_is_enough_and_nothing_is_changed() {
    let user = "limited on >limited-secret ~* -@all +@read +info +cluster +time +select +ping +command";
    let (source, target) = (Server::plain6().start(), Server::plain7().arg("user", user).start());
    source.command(&["SET", "a", "1"]);
    target.command(&["SET", "a", "1"]);
    let before = (changes(&source), changes(&target));
    target.command(&["CONFIG", "RESETSTAT"]);
    let look = seen(&source.access(), &restricted(&target.access()), DbWish::Default).await;
    assert_eq!((refusals(&look), &look.databases[..]), (vec![], &[0][..]), "{:?}", look.checks);
    assert_eq!((changes(&source), changes(&target)), before);
    let stats = target.command(&["INFO", "commandstats"]).text();
    assert!(stats.contains("cmdstat_exists"), "not even that was asked: {stats}");
    for writing in ["cmdstat_set:", "cmdstat_restore:", "cmdstat_multi:", "cmdstat_eval:"] {
        assert!(!stats.contains(writing), "{stats}");
    }
}

#[tokio::test]
async fn one_server_on_both_sides_is_refused() {
    let server = Server::plain7().start();
    let here = server.access();
    let other_name = Access { host: "localhost".into(), ..here.clone() };
    for there in [&here, &other_name] {
        assert_eq!(refusals(&seen(&here, there, DbWish::Default).await), ["same_server"]);
    }
}

#[tokio::test]
async fn databases_are_chosen_as_for_a_copy_and_all_means_the_targets_too() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    source.command(&["SET", "a", "1"]);
    target.command(&["SWAPDB", "0", "9"]);
    target.command(&["SET", "a", "1"]);
    target.command(&["SWAPDB", "0", "9"]);
    assert_eq!(seen(&source.access(), &target.access(), DbWish::Default).await.databases, [0]);
    assert_eq!(seen(&source.access(), &target.access(), DbWish::All).await.databases, [0, 9]);
    source.command(&["SWAPDB", "0", "3"]);
    source.command(&["SET", "b", "1"]);
    let look = seen(&source.access(), &target.access(), DbWish::Default).await;
    assert_eq!(refusals(&look), ["databases"]);
    assert_eq!(seen(&source.access(), &target.access(), DbWish::All).await.databases, [0, 3, 9]);
    // A database that the source cannot have is nobody's wish.
    let few = Server::plain6().arg("databases", "4").start();
    few.command(&["SET", "a", "1"]);
    let look = seen(&few.access(), &target.access(), DbWish::All).await;
    assert_eq!((refusals(&look), &look.databases[..]), (vec![], &[0][..]), "{:?}", look.checks);
}
