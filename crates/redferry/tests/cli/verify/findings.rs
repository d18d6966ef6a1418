//! What verify says about each key, against what it should say.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::Ended;

/// The kinds of difference that a key has. Keys that are equal are not listed.
pub(super) type Expected = BTreeMap<String, BTreeSet<&'static str>>;

/// Kind of a difference, and the field of the document that counts it.
const KINDS: [(&str, &str); 8] = [
    ("missing", "missing"),
    ("extra", "extra"),
    ("type", "type_differs"),
    ("value", "value_differs"),
    ("ttl", "ttl_differs"),
    ("group", "group_differs"),
    ("unstable", "unstable"),
    ("not_compared", "not_compared"),
];

/// Several keys with one kind of difference each.
pub(super) fn each(keys: &[(&str, &'static str)]) -> Expected {
    let mut expected = Expected::new();
    for (key, kind) in keys {
        expected.entry((*key).to_owned()).or_default().insert(kind);
    }
    expected
}

/// What was found, by key.
pub(super) fn found(ended: &Ended) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for example in ended.report["examples"].as_array().unwrap_or_else(|| panic!("no examples in {ended:#?}"))
    {
        let text = |field: &str| match example[field].as_str() {
            Some(text) => text.to_owned(),
            None => panic!("no {field} in {example}"),
        };
        assert!(KINDS.iter().any(|(kind, _)| *kind == text("kind")), "an unknown kind in {example}");
        found.entry(text("key")).or_default().insert(text("kind"));
    }
    found
}

/// Fails the test unless exactly these keys were found, with exactly these kinds, and the counts say the same.
#[track_caller]
pub(super) fn expect_findings(ended: &Ended, expected: &Expected) {
    assert!(ended.code == 0 || ended.code == 1, "{ended:#?}");
    let found = found(ended);
    let mut wrong = Vec::new();
    for key in found.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
        let found: BTreeSet<&str> =
            found.get(key).map(|kinds| kinds.iter().map(String::as_str).collect()).unwrap_or_default();
        let expected = expected.get(key).cloned().unwrap_or_default();
        if found != expected {
            wrong.push(format!("{key}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} keys judged wrongly:\n  {}\n{ended:#?}", wrong.len(), wrong.join("\n  "));
    for (kind, field) in KINDS {
        let count = expected.values().filter(|kinds| kinds.contains(kind)).count() as u64;
        assert_eq!(ended.number(field), count, "{field} in {ended:#?}");
    }
    let (code, status) = if expected.is_empty() { (0, "done") } else { (1, "done_with_differences") };
    assert_eq!(ended.code, code, "{ended:#?}");
    assert_eq!(ended.report["status"], status, "{ended:#?}");
    assert_eq!(ended.report["exit_code"], code, "{ended:#?}");
    assert_eq!(ended.report["command"], "verify", "{ended:#?}");
}

/// Number of differences of all kinds that caches at rest can have.
pub(super) fn differences(ended: &Ended) -> u64 {
    KINDS[..6].iter().map(|(_, field)| ended.number(field)).sum()
}
