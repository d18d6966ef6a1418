//! Which crate may know which: the table of ARCHITECTURE.md, held against `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crates of the workspace that each one depends on, tests left out.
const LAYERS: &[(&str, &[&str])] = &[
    ("resp", &[]),
    ("commands", &[]),
    ("rdb", &[]),
    ("blob", &[]),
    ("planner", &["commands"]),
    ("migration", &["commands"]),
    ("client", &["commands", "resp"]),
    ("engine", &["client", "commands", "migration", "rdb", "resp"]),
    ("verify", &["client", "commands", "resp"]),
    ("redferry", &["blob", "client", "engine", "migration", "planner", "rdb", "resp", "verify"]),
];

/// Crates that only serve development: nothing may need them outside its tests.
const DEVELOPMENT: &[&str] = &["testkit", "xtask"];

/// Crates that decide and never do.
const PURE: &[&str] = &["resp", "rdb", "commands", "migration", "planner"];

/// What would give a pure crate a clock, a socket, chance or a runtime.
const IMPURE: &[&str] = &["tokio", "mio", "socket2", "rand", "rustls"];

#[test]
fn crates_depend_only_on_the_layers_below() {
    let found = dependencies();
    let mut expected: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    expected.extend(DEVELOPMENT);
    assert_eq!(
        found.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        expected,
        "a crate came or went: write it into the table above and into ARCHITECTURE.md"
    );
    for (name, below) in LAYERS {
        let below: BTreeSet<&str> = below.iter().copied().collect();
        let needs: BTreeSet<&str> = found[*name].iter().map(String::as_str).collect();
        assert_eq!(needs, below, "what {name} depends on (left) is not what the table allows (right)");
    }
}

#[test]
fn only_tests_need_the_development_crates() {
    for (name, needs) in dependencies() {
        for development in DEVELOPMENT.iter().filter(|development| needs.contains(**development)) {
            assert_eq!(
                (name.as_str(), *development),
                ("xtask", "testkit"),
                "{name} depends on {development} outside its tests"
            );
        }
    }
}

#[test]
fn pure_crates_have_no_way_to_the_outside() {
    for name in PURE {
        let tree = cargo(&["tree", "--offline", "-p", name, "-e", "normal", "--prefix", "none"]);
        let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert!(crates.contains(name), "cargo tree does not name {name} itself:\n{tree}");
        for impure in IMPURE {
            assert!(!crates.contains(impure), "{name} is pure but reaches {impure}:\n{tree}");
        }
    }
}

/// For every crate of the workspace, those that it depends on outside its tests.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let members: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    packages
        .iter()
        .map(|package| {
            let needs = package["dependencies"].as_array().unwrap();
            let needs = needs
                .iter()
                .filter(|dependency| dependency["kind"] != "dev")
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| members.contains(name));
            (text(&package["name"]), needs.collect())
        })
        .collect()
}

fn cargo(args: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO")).current_dir(env!("CARGO_MANIFEST_DIR")).args(args).output().unwrap();
    assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
