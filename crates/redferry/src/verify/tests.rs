//! Documents, texts and pages of comparisons that are made up.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use ::verify::{Counts, DbTotals, Example, Kind};
use clap::Parser;
use client::{Node, Topology};
use engine::preflight::{DatabaseFacts, Layout, NodeFacts, SideFacts};
use migration::naming::Naming;
use serde_json::json;

use super::*;
use crate::args::{Cli, Command};

fn args(options: &[&str]) -> VerifyArgs {
    let typed = [&["redferry", "verify", "--source", "a:1", "--target", "b:2"], options].concat();
    match Cli::try_parse_from(typed).unwrap().command {
        Command::Verify(args) => *args,
        other => panic!("{other:?}"),
    }
}

fn side(address: &str, product: &str, databases: &[(u32, u64)]) -> SideFacts {
    let database = |&(db, keys): &(u32, u64)| DatabaseFacts { db, keys, expires: 0 };
    SideFacts {
        address: address.to_owned(),
        product: product.to_owned(),
        version: None,
        topology: Layout::Single,
        nodes: vec![NodeFacts {
            address: address.to_owned(),
            run_id: None,
            role: None,
            keys: 0,
            used_memory: None,
            maxmemory: None,
        }],
        databases: databases.iter().map(database).collect(),
        used_memory: None,
        data_memory: None,
        maxmemory: None,
        eviction_policy: None,
        modules: None,
        tls: true,
        clock_offset_ms: None,
        round_trip_us: 0,
        commands: Vec::new(),
        layout: Topology::Single(Node { host: "a".into(), port: 1 }),
    }
}

fn look() -> Look {
    Look {
        source: side(
            "rediss://shop.redis.cache.windows.net:6380",
            "Azure Cache for Redis, Redis 6.0.16, single",
            &[(0, 9)],
        ),
        target: side(
            "rediss://shop.westeurope.redis.azure.net:10000",
            "Azure Managed Redis, Redis 7.4.1, single",
            &[(0, 9), (3, 7)],
        ),
        databases: vec![0],
        checks: Vec::new(),
    }
}

/// Keys that differ in every way.
fn spoiled() -> Outcome {
    let example = |kind, key: &[u8]| Example { kind, db: 0, key: key.to_vec() };
    Outcome {
        counts: Counts {
            keys_source: 1_200_345,
            keys_target: 1_200_331,
            keys_compared: 1_200_345,
            found: [
                (Kind::Missing, 17),
                (Kind::Extra, 3),
                (Kind::Value, 40_205),
                (Kind::Ttl, 1_201),
                (Kind::Group, 2),
                (Kind::Unstable, 12),
                (Kind::NotCompared, 5),
            ]
            .into(),
            keys_differing: 41_400,
            repaired: 0,
            rechecked: 41_900,
            hurried: 0,
            reasons: [("no_permission".to_owned(), 5)].into(),
        },
        examples: vec![
            example(Kind::Missing, b"session:<script>alert(1)</script>"),
            example(Kind::Value, b"patient-4711"),
            example(Kind::Extra, b"a\"onload=\"x"),
        ],
        prefixes: [
            (b"session:".to_vec(), [(Kind::Missing, 17), (Kind::Value, 40_000)].into()),
            (b"user-profile:".to_vec(), [(Kind::Value, 205), (Kind::Ttl, 1_200)].into()),
            (b"patient-4711".to_vec(), [(Kind::Value, 1)].into()),
            (b"".to_vec(), [(Kind::Extra, 3)].into()),
        ]
        .into(),
        ttl_error_bound_ms: 4,
        resumed: true,
        restarts: 1,
        elapsed: Duration::from_millis(14_820),
        elapsed_here: Duration::from_millis(9_000),
        halt: None,
    }
}

fn equal() -> Outcome {
    let counts = Counts { keys_source: 300, keys_target: 300, keys_compared: 300, ..Counts::default() };
    Outcome {
        counts,
        examples: Vec::new(),
        prefixes: BTreeMap::new(),
        resumed: false,
        restarts: 0,
        ..spoiled()
    }
}

fn totals() -> Totals {
    let db = |number, keys_source, keys_target| DbTotals {
        source_dbs: vec![number],
        target_db: number,
        keys_source,
        keys_target,
        expires_source: Some(7),
        expires_target: None,
    };
    Totals {
        databases: vec![db(0, 300, 301), db(5, 200, 199)],
        types_source: [("string".to_owned(), 900), ("hash".to_owned(), 100)].into(),
        memory_source: Some(5_000_000),
        ..Totals::default()
    }
}

fn with<T>(options: &[&str], found: Found, told: impl FnOnce(&Account<'_>) -> T) -> T {
    let naming = Naming::identity([0]).unwrap();
    told(&Account {
        args: &args(options),
        look: &look(),
        naming: &naming,
        found,
        not_repaired: [(migration::tally::Cause::TargetForbids, 2)].into(),
        began: UNIX_EPOCH + Duration::from_secs(1_795_701_802),
        ended: UNIX_EPOCH + Duration::from_secs(1_795_701_817),
        usage: usage::Usage { cpu_ms: 9_100, peak_rss_bytes: 31 << 20 },
    })
}

#[test]
fn the_document_names_keys_only_when_asked_to() {
    let document = with(&[], Found::Keys(spoiled()), document::of);
    assert!(document["examples"].is_null() && !document.to_string().contains("4711"), "{document:#}");
    assert_eq!(
        (&document["source"], &document["level"]),
        (&"shop.redis.cache.windows.net:6380".into(), &"full".into())
    );
    assert_eq!((&document["value_differs"], &document["differences"]["type"]), (&40_205.into(), &0.into()));
    assert_eq!(document["causes"]["no_permission"], 5);
    assert!(document["remedies"]["no_permission"].is_string());
    let prefixes = document["prefixes"].as_array().unwrap();
    assert_eq!((&prefixes[0]["prefix"], &prefixes[0]["missing"]), (&"session:".into(), &17.into()));
    // What may name somebody is among the others, and those come last.
    let last = prefixes.last().unwrap();
    assert_eq!((&last["prefix"], &last["value"], &last["extra"]), (&"".into(), &1.into(), &3.into()));
    let document = with(&["--show-keys"], Found::Keys(spoiled()), document::of);
    assert_eq!(document["examples"][1], json!({ "kind": "value", "db": 0, "key": "patient-4711" }));
}

#[test]
fn totals_have_no_kinds() {
    let document = with(&["--level", "count"], Found::Totals(totals(), Duration::ZERO), document::of);
    assert_eq!((&document["keys_source"], &document["keys_target"]), (&500.into(), &500.into()));
    assert!(document["missing"].is_null() && document["unstable"].is_null());
    assert_eq!(document["databases"][1]["source_dbs"], json!([5]));
    let text = with(&["--level", "count"], Found::Totals(totals(), Duration::ZERO), text::of);
    assert!(text.contains("90.0 % string") && text.contains("not in the same databases"), "{text}");
}

#[test]
fn the_last_line_says_it() {
    let last = |options: &[&str], outcome| {
        let text = with(options, Found::Keys(outcome), text::of);
        text.lines().last().unwrap().to_owned()
    };
    assert_eq!(last(&[], equal()), "Equal: 300 keys on the source, 300 on the target, no difference.");
    assert!(last(&["--sample", "1%"], equal()).starts_with("Equal as far as the sample goes: "));
    assert!(last(&["--level", "quick"], equal()).starts_with("Equal as far as level quick sees: "));
    assert_eq!(
        last(&[], spoiled()),
        "Not equal: 41,400 keys differ; 12 keys never stood still; 5 keys could not be compared."
    );
    let mut repaired = spoiled();
    repaired.counts.repaired = 41_400;
    assert!(last(&["--repair"], repaired).starts_with("Not proved equal: 12 keys never stood still"));
    let mut repaired = equal();
    (repaired.counts.keys_differing, repaired.counts.repaired) = (1, 1);
    assert_eq!(last(&["--repair"], repaired), "Equal: 1 key that differed was repaired and compared again.");
    let halted = Outcome { halt: Some(Halt::Asked), ..equal() };
    assert!(last(&[], halted).starts_with("Not finished"));
}

#[test]
fn the_terminal_gets_numbers_and_confidence() {
    let text = with(&["--sample", "1%"], Found::Keys(spoiled()), text::of);
    assert!(text.contains("40,205") && text.contains("session:") && !text.contains("4711"), "{text}");
    assert!(text.contains("95 % confidence") && text.contains("3.4 %"), "{text}");
    assert!(text.contains("databases, which were not looked at: 3 (7 keys)"), "{text}");
    let text = with(&["--sample", "1%"], Found::Keys(equal()), text::of);
    assert!(text.contains("at most 1.00 % of all keys do (some 299 of about 30,000)"), "{text}");
    let text = with(&["--repair", "--dry-run"], Found::Keys(spoiled()), text::of);
    assert!(text.contains("would copy 41,397 keys and delete 0"), "{text}");
}

#[test]
fn a_page_is_text_and_nothing_else() {
    let page = with(&["--show-keys"], Found::Keys(spoiled()), page::of);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("session:&lt;script&gt;alert(1)") && page.contains("a&quot;onload=&quot;x"));
    assert!(!page.contains("<script") && !page.contains("http://") && !page.contains("https://"), "{page}");
    assert!(page.contains("2026-11-26 14:03:22 UTC") && page.contains("2026-11-26 14:03:37 UTC"), "{page}");
    let page = with(&[], Found::Keys(spoiled()), page::of);
    assert!(page.contains("user-profile:") && !page.contains("4711"), "{page}");
}

#[test]
fn a_page_is_written_whole_beside_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    crate::page::can_be_written(&file).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(&file, "old").unwrap();
    with(&[], Found::Keys(equal()), |account| crate::page::write(&file, &page::of(account))).unwrap();
    assert!(std::fs::read_to_string(&file).unwrap().contains("no difference"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(crate::page::can_be_written(folder.path()).is_err());
    assert!(crate::page::can_be_written(&folder.path().join("no-such-folder/report.html")).is_err());
}

#[test]
fn what_totals_cannot_do_is_refused() {
    for options in
        [&["--repair"][..], &["--sample", "1%"], &["--match", "a*"], &["--rename", "a=b"], &["--type", "set"]]
    {
        let options = [options, &["--level", "count"]].concat();
        assert_eq!(args(&options).at_odds_with_count(), Some(options[0]));
    }
    assert_eq!(args(&["--level", "count", "--all-dbs", "--show-keys"]).at_odds_with_count(), None);
    assert_eq!(args(&["--repair", "--match", "a*"]).at_odds_with_count(), None);
}
