//! Every way in which a key can differ is found, named and called what it is; nothing else is.

mod handmade;
mod table;
mod value;

use testkit::{Access, Cluster, Server, dataset};

use super::Pair;
use super::findings::Expected;
pub(super) use table::{Corruption, corruptions};
pub(super) use value::{BIG, SMALL, Size};

/// Fills the source, copies it, and spoils the target's keys.
pub(super) async fn spoiled_pair(
    source: &Access,
    target: &Access,
    corruptions: &[Corruption],
    options: &[&str],
) -> Pair {
    dataset::run(source, corruptions.iter().flat_map(Corruption::made_by)).await;
    let pair = Pair::of(source, target);
    pair.copy(options);
    pair.expect_equal(options);
    dataset::run(target, corruptions.iter().flat_map(Corruption::spoiled_by)).await;
    pair
}

/// What verify has to say then.
pub(super) fn expected(corruptions: &[Corruption], level: &str) -> Expected {
    let mut expected = Expected::new();
    for corruption in corruptions {
        let kinds = if level == "full" { corruption.full } else { corruption.quick };
        if !kinds.is_empty() {
            expected.insert(corruption.key.clone(), kinds.iter().copied().collect());
        }
        if let Some(name) = &corruption.renamed_to {
            expected.insert(name.clone(), ["extra"].into());
        }
    }
    expected
}

async fn all_are_seen(source: &Access, target: &Access, size: Size, options: &[&str]) {
    let corruptions = corruptions(size);
    let pair = spoiled_pair(source, target, &corruptions, options).await;
    let all = expected(&corruptions, "full");
    pair.expect_witness(&all).await;
    pair.expect_differences(options, &all);
    for level in ["full", "quick"] {
        let options = [options, &["--level", level]].concat();
        let ended = pair.expect_differences(&options, &expected(&corruptions, level));
        assert_eq!(ended.report["level"], level, "{ended:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn small_values_between_single_servers() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    all_are_seen(&source.access(), &target.access(), SMALL, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_values_in_pieces() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    all_are_seen(&source.access(), &target.access(), SMALL, &["--big-key", "1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn big_values_in_pieces_between_single_servers() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    all_are_seen(&source.access(), &target.access(), BIG, &["--big-key", "64KiB"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn big_values_as_one() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    all_are_seen(&source.access(), &target.access(), BIG, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_clusters_of_other_sizes_over_tls() {
    let (source, target) = (Cluster::acr(3).tls(true).start(), Cluster::amr(2).tls(true).start());
    all_are_seen(&source.access(), &target.access(), SMALL, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_cluster_to_a_single_server() {
    let (source, target) = (Cluster::acr(3).start(), Server::amr().start());
    all_are_seen(&source.access(), &target.access(), BIG, &["--big-key", "64KiB"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_single_server_to_a_cluster() {
    let (source, target) = (Server::acr().start(), Cluster::amr(3).start());
    all_are_seen(&source.access(), &target.access(), SMALL, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn between_servers_of_the_newer_version() {
    let (source, target) = (Server::amr().start(), Server::amr().start());
    all_are_seen(&source.access(), &target.access(), SMALL, &[]).await;
}

/// Several pieces of a megabyte each, with one difference in the middle or at an end.
#[tokio::test(flavor = "multi_thread")]
async fn one_element_of_megabytes() {
    const HUGE: Size = Size { elements: 20_000, width: 120 };
    const NAMES: [&str; 9] = [
        ":string:byte@",
        ":list:changed@",
        ":set:changed@",
        ":zset:ulp@",
        ":hash:swapped@",
        ":stream:value@",
        ":stream:order@",
        ":stream:acknowledged@",
        ":stream:exchanged@",
    ];
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let mut corruptions = corruptions(HUGE);
    corruptions.retain(|corruption| NAMES.iter().any(|name| corruption.key.contains(name)));
    assert_eq!(corruptions.len(), 3 * NAMES.len());
    let options = ["--big-key", "256KiB"];
    let pair = spoiled_pair(&source.access(), &target.access(), &corruptions, &options).await;
    let ended = pair.expect_differences(&options, &expected(&corruptions, "full"));
    let peak = ended.number("peak_rss_bytes");
    assert!(peak < 100 << 20, "{peak} bytes of memory");
}

/// The tolerance decides about times to live, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn the_tolerance_is_the_users() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let mut corruptions = corruptions(SMALL);
    corruptions.retain(|corruption| corruption.key.contains("ttl-50ms") || corruption.key.contains("ttl-2s"));
    let pair = spoiled_pair(&source.access(), &target.access(), &corruptions, &[]).await;
    let all = expected(&corruptions, "full");
    assert_eq!(all.len(), 12);
    pair.expect_differences(&["--ttl-tolerance", "20ms"], &all);
    let two_seconds = all.into_iter().filter(|(key, _)| key.contains("2s")).collect();
    pair.expect_differences(&["--ttl-tolerance", "1s"], &two_seconds);
    pair.expect_differences(&["--ttl-tolerance", "1s", "--level", "quick"], &two_seconds);
    pair.expect_equal(&["--ttl-tolerance", "5s"]);
}
