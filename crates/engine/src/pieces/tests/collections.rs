//! Every type, every encoding, in many pieces and in one.

use testkit::dataset::{self, Kind};
use testkit::{Access, Server};

use super::{Pair, PiecesEnd, run};

/// The data set with one exception: the score -0, which small sorted sets of Redis 7 cannot be given.
async fn every_type(access: &Access, seed: u64) {
    dataset::every_type(access, seed, 1).await;
    let mut connection = access.connect().await;
    for key in ["zset:scores:ziplist", "zset:scores:skiplist"] {
        let mut zrem = redis::cmd("ZREM");
        zrem.arg(key).arg("score -0");
        zrem.exec_async(&mut connection).await.unwrap();
    }
}

#[tokio::test]
async fn every_type_goes_from_6_to_7_in_small_pieces() {
    let (source, target) = (Server::acr().start(), Server::amr().modules(false).start());
    every_type(&source.access(), 11).await;
    Pair::of_6_and_7(&source, &target).copy_all_and_compare().await;
}

#[tokio::test]
async fn every_type_goes_from_7_to_7_in_small_pieces() {
    let (source, target) = (Server::plain7().start(), Server::plain7().start());
    every_type(&source.access(), 12).await;
    dataset::hash_field_ttls(&source.access()).await;
    Pair::of_7_and(&source, &target).copy_all_and_compare().await;
}

#[tokio::test]
async fn every_type_goes_back_from_7_to_6() {
    let (source, target) = (Server::plain7().start(), Server::plain6().start());
    every_type(&source.access(), 13).await;
    Pair::of_7_and(&source, &target).copy_all_and_compare().await;
}

/// With the piece size of real runs, so that pieces hold thousands of elements.
#[tokio::test]
async fn big_keys_go_in_pieces_of_a_mebibyte() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    for kind in Kind::ALL {
        dataset::big(&source.access(), kind, 5_000_000).await;
    }
    Pair { piece: super::super::PIECE, ..Pair::of_6_and_7(&source, &target) }.copy_all_and_compare().await;
}

/// Hash tables grow while they are filled: a cursor then brings elements twice.
#[tokio::test]
async fn elements_that_a_cursor_brings_twice_count_once() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let access = source.access();
    for n in 0..40 {
        let members: Vec<String> = (0..50).map(|m| format!("member:{n}:{m}")).collect();
        run(&access, &format!("SADD set {}", members.join(" "))).await;
        run(&access, &format!("HSET hash {}", members.join(" "))).await;
    }
    let removed: Vec<String> =
        (0..39).flat_map(|n| (0..50).map(move |m| format!("member:{n}:{m}"))).collect();
    run(&access, &format!("SREM set {}", removed.join(" "))).await;
    Pair { piece: 64, ..Pair::of_6_and_7(&source, &target) }.copy_all_and_compare().await;
}

#[tokio::test]
async fn the_bytes_of_the_value_are_counted() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    run(&source.access(), &format!("SET key {}", "x".repeat(10_000))).await;
    run(&source.access(), "RPUSH list aaa bbb ccc").await;
    let pair = Pair::of_6_and_7(&source, &target);
    for (key, expected) in [("key", 10_000), ("list", 9)] {
        let PiecesEnd::Copied { bytes, .. } = pair.copy(key).await else { panic!("{key} was not copied") };
        assert_eq!(bytes, expected, "{key}");
    }
}
