//! Only what the source does not have is removed.

use std::time::Duration;

use client::Side;
use engine::{CopyOptions, DeletedOutcome, Halt, Repair, Stop};
use migration::naming::{DbRule, Naming, Rename};
use testkit::relay::{Relay, Way};
use testkit::{Access, Cluster, Server};

use crate::{Key, endpoint, keys_in, keys_of, named, plain_repair, repair, run};

async fn delete(repair: &Repair, names: &[Key]) -> DeletedOutcome {
    let mut outcome = repair.delete_extras(names.to_vec(), &Stop::default()).await;
    outcome.on_source.sort();
    outcome.refused.sort();
    outcome
}

fn assert_whole(outcome: &DeletedOutcome) {
    assert!(outcome.halt.is_none() && outcome.left.is_empty(), "{outcome:?}");
}

async fn sorted_keys(access: &Access) -> Vec<Key> {
    let mut keys = keys_in(access, 0).await;
    keys.sort();
    keys
}

#[tokio::test]
async fn a_key_that_the_source_has_stays() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (mut here, mut there) = (source.access().connect().await, target.access().connect().await);
    for number in 0..250 {
        run(&mut there, &format!("SET extra:{number} v")).await;
    }
    run(&mut there, "SET both v").await;
    run(&mut there, "SET unnamed v").await;
    run(&mut here, "RPUSH both v").await;
    let repair = plain_repair(&source.access(), &target.access()).await;
    let mut names = named(0, (0..250).map(|number| format!("extra:{number}")));
    names.extend(named(0, ["both", "never"]));
    let outcome = delete(&repair, &names).await;
    assert_whole(&outcome);
    assert_eq!((outcome.deleted, outcome.on_source), (250, named(0, ["both"])));
    assert!(outcome.refused.is_empty());
    assert_eq!(sorted_keys(&target.access()).await, named(0, ["both", "unnamed"]));
}

#[tokio::test]
async fn names_are_followed_back_to_every_key_that_goes_there() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let mut there = target.access().connect().await;
    let on_target = ["billing:1", "billing:2", "new:1", "new:2", "new:3", "old:1", "3"];
    for key in on_target {
        run(&mut there, &format!("SET {key} v")).await;
    }
    run(&mut target.access().connect_db(5).await, "SET foreign v").await;
    run(&mut source.access().connect_db(3).await, "SET 1 v").await;
    run(&mut source.access().connect_db(3).await, "SET billing:2 v").await;
    let mut here = source.access().connect().await;
    for key in ["old:1", "new:2"] {
        run(&mut here, &format!("SET {key} v")).await;
    }
    let rule = |source, prefix: &str| DbRule { source, target: 0, prefix: prefix.into() };
    let renames = vec![Rename { from: b"old:".to_vec(), to: b"new:".to_vec() }];
    let naming = Naming::new(vec![rule(0, ""), rule(3, "billing:")], renames).unwrap();
    let repair = repair(&source.access(), &target.access(), naming).await;
    let mut names = named(0, on_target);
    names.extend(named(5, ["foreign"]));
    let outcome = delete(&repair, &names).await;
    assert_whole(&outcome);
    // billing:1 is 1 of database 3, new:1 is old:1 renamed, new:2 keeps its name.
    assert_eq!(outcome.on_source, named(0, ["billing:1", "new:1", "new:2"]));
    assert_eq!((outcome.deleted, outcome.refused), (4, named(5, ["foreign"])));
    assert_eq!(sorted_keys(&target.access()).await, named(0, ["billing:1", "new:1", "new:2"]));
    assert_eq!(keys_in(&target.access(), 5).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_node_of_both_clusters_is_asked() {
    let (source, target) = (Cluster::acr(3).start(), Cluster::amr(3).start());
    let mut here = source.access().connect_cluster().await;
    let mut there = target.access().connect_cluster().await;
    for number in 0..300 {
        run(&mut there, &format!("SET key:{number} v")).await;
        if number % 3 == 0 {
            run(&mut here, &format!("SET key:{number} v")).await;
        }
    }
    let repair = plain_repair(&source.access(), &target.access()).await;
    let names = keys_of(&target).await;
    assert_eq!(names.len(), 300);
    let outcome = delete(&repair, &names).await;
    assert_whole(&outcome);
    assert_eq!((outcome.deleted, outcome.on_source.len()), (200, 100));
    let (mut here, mut there) = (keys_of(&source).await, keys_of(&target).await);
    here.sort();
    there.sort();
    assert_eq!(here, there);
}

#[tokio::test]
async fn del_serves_where_unlink_is_not_allowed_and_forbidden_keys_stay() {
    let rules = [
        ("limited on >limited-secret ~* +@all -unlink", named(0, [""; 0])),
        ("limited on >limited-secret ~extra* ~redferry:* +@all -unlink", named(0, ["other"])),
        ("limited on >limited-secret ~extra* ~redferry:* +@all", named(0, ["other"])),
    ];
    for (user, stays) in rules {
        let (source, target) = (Server::plain6().start(), Server::plain7().arg("user", user).start());
        let mut there = target.access().connect().await;
        for key in ["extra:1", "extra:2", "other"] {
            run(&mut there, &format!("SET {key} v")).await;
        }
        let limited = Access {
            user: Some("limited".into()),
            password: Some("limited-secret".into()),
            ..target.access()
        };
        let repair = plain_repair(&source.access(), &limited).await;
        let outcome = delete(&repair, &named(0, ["extra:1", "extra:2", "other"])).await;
        assert_whole(&outcome);
        assert_eq!((outcome.deleted, &outcome.refused), (3 - stays.len() as u64, &stays), "{user}");
        assert_eq!(sorted_keys(&target.access()).await, stays, "{user}");
    }
}

#[tokio::test]
async fn what_the_source_does_not_let_us_look_at_stays() {
    let user = "limited on >limited-secret ~extra* ~redferry:* +@all";
    let (source, target) = (Server::plain6().arg("user", user).start(), Server::plain7().start());
    let mut there = target.access().connect().await;
    for key in ["extra:1", "other"] {
        run(&mut there, &format!("SET {key} v")).await;
    }
    let limited =
        Access { user: Some("limited".into()), password: Some("limited-secret".into()), ..source.access() };
    let repair = plain_repair(&limited, &target.access()).await;
    let outcome = delete(&repair, &named(0, ["extra:1", "other"])).await;
    assert_whole(&outcome);
    assert_eq!((outcome.deleted, outcome.refused), (1, named(0, ["other"])));
    assert_eq!(sorted_keys(&target.access()).await, named(0, ["other"]));
}

/// Replies are lost again and again: what was removed stays removed, what is wanted stays.
#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_do_not_matter() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let (mut here, mut there) = (source.access().connect().await, target.access().connect().await);
    for number in 0..1000 {
        run(&mut there, &format!("SET key:{number} v")).await;
        if number % 10 == 0 {
            run(&mut here, &format!("SET key:{number} v")).await;
        }
    }
    let to_source = Relay::to("127.0.0.1", source.access().port);
    let to_target = Relay::to("127.0.0.1", target.access().port);
    let via = (source.access().via(to_source.port()), target.access().via(to_target.port()));
    let repair = plain_repair(&via.0, &via.1).await;
    // Enough for one chunk of keys (100 a look, twice), not for two.
    to_source.cut_after(Way::ToServer, 7_000);
    to_target.cut_after(Way::ToServer, 4_000);
    let names = keys_in(&target.access(), 0).await;
    let before = (to_source.accepted(), to_target.accepted());
    let outcome = delete(&repair, &names).await;
    assert_whole(&outcome);
    assert!(to_source.accepted() > before.0 + 2 && to_target.accepted() > before.1 + 2, "lines were cut");
    assert_eq!(outcome.on_source.len(), 100);
    assert_eq!(sorted_keys(&target.access()).await, sorted_keys(&source.access()).await);
}

fn calls_of_exists(server: &Server) -> Option<String> {
    let stats = server.command(&["INFO", "commandstats"]).text();
    let line = stats.lines().find(|line| line.starts_with("cmdstat_exists:"));
    line.and_then(|line| line.split(',').next()).map(str::to_owned)
}

/// The source gets the key after it was asked and before the target's is removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_to_be_meanwhile_is_told() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    run(&mut target.access().connect().await, "SET key old").await;
    let relay = Relay::to("127.0.0.1", target.access().port);
    let repair = plain_repair(&source.access(), &target.access().via(relay.port())).await;
    // To the target's connection and its answer it is a long way, so the removal does not follow at once.
    relay.delay(Duration::from_millis(300));
    let asked = calls_of_exists(&source);
    let deleting = tokio::spawn(async move { delete(&repair, &named(0, ["key"])).await });
    while calls_of_exists(&source) == asked {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    relay.stall(true);
    run(&mut source.access().connect().await, "SET key new").await;
    relay.heal();
    let outcome = deleting.await.unwrap();
    assert_whole(&outcome);
    assert_eq!((outcome.deleted, outcome.on_source), (1, named(0, ["key"])));
}

#[tokio::test]
async fn a_side_that_is_away_for_too_long_ends_it() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    run(&mut target.access().connect().await, "SET extra v").await;
    let mut repair = plain_repair(&source.access(), &target.access()).await;
    repair.options.give_up_after = Duration::from_millis(200);
    source.kill();
    let outcome = delete(&repair, &named(0, ["extra"])).await;
    assert!(matches!(outcome.halt, Some(Halt::Outage { side: Side::Source, .. })), "{outcome:?}");
    assert_eq!((outcome.left, outcome.deleted), (named(0, ["extra"]), 0));
    assert_eq!(keys_in(&target.access(), 0).await.len(), 1);
}

/// The type of the source's endpoint forbids it, whatever is asked.
#[tokio::test]
async fn a_source_is_never_removed_from() {
    let (source, other) = (Server::plain6().start(), Server::plain6().start());
    run(&mut source.access().connect().await, "SET key v").await;
    let good = plain_repair(&source.access(), &other.access()).await;
    let turned = Repair {
        source: endpoint(Side::Source, &other.access()),
        target: endpoint(Side::Source, &source.access()),
        options: CopyOptions::new("".into()),
        ..good
    };
    let outcome = delete(&turned, &named(0, ["key"])).await;
    assert!(matches!(outcome.halt, Some(Halt::Side(_))), "{outcome:?}");
    assert_eq!(keys_in(&source.access(), 0).await.len(), 1);
}
