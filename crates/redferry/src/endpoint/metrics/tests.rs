use std::time::Duration;

use client::Node;
use engine::{Followed, TargetMemory};
use migration::follow::Condition;

use super::*;

fn status() -> SyncStatus {
    let node = |host: &str| Node { host: host.into(), port: 6380 };
    let gap = |reason, healed_us| Gap { node: "a:6380".into(), reason, since_us: 1, healed_us };
    SyncStatus {
        phase: Phase::Healing,
        nodes: vec![Followed {
            node: node("a"),
            dirty: 7,
            lag_us: 1_500_000,
            settled: 40,
            waiting: None,
            heard: false,
            listed: 30,
            expected: 50,
        }],
        changes: 5,
        carried: 39,
        removed: 1,
        refused: [(Cause::TargetForbids, 2)].into(),
        lacking: 4,
        incompatible: 3,
        gaps: vec![
            gap(GapReason::Beginning, Some(2)),
            gap(GapReason::FeedLost, Some(3)),
            gap(GapReason::FeedLost, None),
        ],
        elapsed: Duration::from_millis(2500),
        target_memory: vec![
            TargetMemory { node: node("b"), used: 1024, limit: Some(4096) },
            TargetMemory { node: node("c"), used: 2048, limit: None },
        ],
        conditions: vec![Condition { name: "no_gaps", met: false, text: String::new() }],
        writes_per_sec: None,
        quiet_us: 250_000,
    }
}

#[test]
fn every_number_has_its_sample() {
    let page = text(Some(&status()), false);
    for line in [
        "redferry_ready 0",
        r#"redferry_phase{phase="healing"} 1"#,
        r#"redferry_phase{phase="following"} 0"#,
        "redferry_elapsed_seconds 2.5",
        "redferry_quiet_seconds 0.25",
        r#"redferry_node_heard{node="a:6380"} 0"#,
        r#"redferry_dirty_keys{node="a:6380"} 7"#,
        r#"redferry_lag_seconds{node="a:6380"} 1.5"#,
        r#"redferry_keys_settled_total{node="a:6380"} 40"#,
        r#"redferry_snapshot_listed_keys{node="a:6380"} 30"#,
        r#"redferry_snapshot_expected_keys{node="a:6380"} 50"#,
        "redferry_changes_total 5",
        "redferry_lacking_keys 4",
        "redferry_keys_carried_total 39",
        "redferry_keys_removed_total 1",
        "redferry_incompatible_keys 3",
        r#"redferry_refused_total{cause="target_forbids"} 2"#,
        r#"redferry_refused_total{cause="source_forbids"} 0"#,
        r#"redferry_gaps_open{reason="feed_lost"} 1"#,
        r#"redferry_gaps_total{reason="feed_lost"} 2"#,
        r#"redferry_gaps_open{reason="beginning"} 0"#,
        r#"redferry_gaps_total{reason="too_many_changes"} 0"#,
        r#"redferry_target_memory_used_bytes{node="c:6380"} 2048"#,
        r#"redferry_target_memory_limit_bytes{node="b:6380"} 4096"#,
        r#"redferry_condition_met{condition="no_gaps"} 0"#,
    ] {
        assert!(page.lines().any(|had| had == line), "no {line} in:\n{page}");
    }
    assert!(!page.contains(r#"limit_bytes{node="c"#), "a limit that is not told is no sample");
}

#[test]
fn labels_are_escaped() {
    let mut page = Page::default();
    page.gauge("redferry_test", "Nothing.");
    page.sample(&[("a", "q\"b\\n\n")], 1);
    assert!(page.text.ends_with("redferry_test{a=\"q\\\"b\\\\n\\n\"} 1\n"), "{}", page.text);
}
