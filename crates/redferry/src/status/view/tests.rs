use serde_json::json;

use super::*;

fn document(settled: u64, listed: u64, used: u64) -> Document {
    serde_json::from_value(json!({
        "phase": "snapshot", "direction": "forward", "source": "a:6380", "target": "b:10000", "feed": "tracking",
        "elapsed_ms": 10_000, "changes": 3, "keys_carried": settled, "keys_removed": 0,
        "refused": { "target_forbids": 2 },
        "nodes": [{
            "node": "a:6380", "heard": false, "dirty": 12, "lag_ms": 34, "keys_settled": settled,
            "snapshot_listed": listed, "snapshot_expected": 10_000,
        }],
        "gaps": [
            { "node": "a:6380", "reason": "beginning", "since_ms": 0, "healed_ms": null },
            { "node": "a:6380", "reason": "feed_lost", "since_ms": 1000, "healed_ms": 3500 },
        ],
        "target_memory": [
            { "node": "b:10000", "used_bytes": used, "limit_bytes": 8192 },
            { "node": "c:10000", "used_bytes": used, "limit_bytes": null },
        ],
        "conditions": [
            { "name": "quiet", "met": true, "text": "nobody writes to the source" },
            { "name": "no_gaps", "met": false, "text": "1 gaps are open" },
        ],
    }))
    .unwrap()
}

#[track_caller]
fn expect_line(view: &str, beginning: &str, words: &[&str]) {
    let line = view.lines().find(|line| line.trim_start().starts_with(beginning));
    let line = line.unwrap_or_else(|| panic!("no line {beginning:?} in:\n{view}"));
    words.iter().for_each(|words| assert!(line.contains(words), "nothing about {words:?} in {line:?}"));
}

#[test]
fn two_looks_say_how_fast_it_goes_now() {
    let began = Instant::now();
    let older = Look { at: began, document: document(1000, 4000, 4096) };
    let newer = Look { at: began + Duration::from_secs(2), document: document(2000, 5000, 5120) };
    let view = text(&older, &newer);
    expect_line(&view, "phase", &["snapshot", "forward", "10 seconds", "tracking"]);
    expect_line(&view, "node", &["500 keys/s", "12 dirty", "34 ms behind", "NOT HEARD"]);
    expect_line(&view, "snapshot", &["5,000 of about 10,000", "10 seconds left"]);
    expect_line(&view, "open gap", &["beginning at 0.0 s"]);
    expect_line(&view, "healed gap", &["feed_lost at 1.0 s, after 2.5 s"]);
    expect_line(&view, "refused", &["2 target_forbids"]);
    expect_line(&view, "target  b", &["5.00 KiB of 8.00 KiB", "full in about 6 seconds"]);
    expect_line(&view, "target  c", &["does not tell its limit"]);
    expect_line(&view, "met", &["nobody writes"]);
    expect_line(&view, "not met", &["1 gaps are open"]);
}

#[test]
fn one_look_says_how_fast_it_went() {
    let look = Look { at: Instant::now(), document: document(2000, 5000, 5120) };
    let view = text(&look, &look);
    expect_line(&view, "node", &["200 keys/s"]);
    expect_line(&view, "snapshot", &["10 seconds left"]);
    assert!(!view.contains("full in"), "{view}");
}

#[test]
fn of_many_healed_gaps_the_last_ones_are_shown() {
    let mut document = document(1, 1, 1);
    document.gaps = (0..8)
        .map(|n| super::super::document::Gap {
            node: "a:6380".into(),
            reason: "feed_lost".into(),
            since_ms: n * 1000,
            healed_ms: Some(n * 1000 + 100),
        })
        .collect();
    let look = Look { at: Instant::now(), document };
    let view = text(&look, &look);
    expect_line(&view, "healed gaps", &["3 before these"]);
    assert!(!view.contains("at 2.0 s") && view.contains("at 3.0 s"), "{view}");
}
