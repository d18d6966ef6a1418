//! Keys that one command or script would need in one slot.

use std::sync::LazyLock;

use regex::Regex;

use super::calls::{Argument, Call};
use super::{Language, Line, Said};
use crate::ClusteringPolicy;

/// What the proxy of the Enterprise policy takes apart (redis/docs, multi-key operations).
const ANY_SLOT: &[&str] = &["EXISTS", "MGET", "DEL", "MSET", "TOUCH", "UNLINK"];

/// A script that names a key itself.
static IN_SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"redis\.p?call\(\s*['"](\w+)['"]\s*,\s*['"]([^'"]+)['"]"#)
        .expect("an expression of this file, which every test of it compiles")
});

/// Keys of a script in node-redis.
static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\bkeys\s*:\s*\[([^\]]*)\]"#)
        .expect("an expression of this file, which every test of it compiles")
});

static LITERAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#""([^"]*)"|'([^']*)'"#).expect("an expression of this file, which every test of it compiles")
});

const TAG: &str =
    "give keys that are used together a common hash tag, such as {user:1}:cart and {user:1}:name";

pub(super) fn look(line: &Line<'_>, calls: &[Call], policy: Option<ClusteringPolicy>) -> Vec<Said> {
    if policy == Some(ClusteringPolicy::NoCluster) {
        return Vec::new();
    }
    let apart = |name: &str| policy == Some(ClusteringPolicy::EnterpriseCluster) && ANY_SLOT.contains(&name);
    let mut said: Vec<Said> = (calls.iter())
        .filter(|call| !apart(&call.name))
        .filter_map(|call| {
            let (command, keys) = keys(call)?;
            let script = ["EVAL", "EVALSHA", "FCALL", "EVAL_RO", "EVALSHA_RO", "FCALL_RO"].contains(&command);
            spread(&keys).then(|| finding(command, &keys, if script { "script_keys" } else { "multi_key" }))
        })
        .collect();
    if calls.iter().any(|call| call.name.starts_with("EVAL"))
        && let Some(listed) = LISTED.captures(line.text)
    {
        let keys: Vec<String> = LITERAL
            .captures_iter(&listed[1])
            .filter_map(|found| found.get(1).or(found.get(2)).map(|key| key.as_str().to_owned()))
            .collect();
        if spread(&keys) {
            said.push(finding("EVAL", &keys, "script_keys"));
        }
    }
    // The client of Ruby has a method of that name.
    if line.language != Language::Ruby
        && let Some(found) = IN_SCRIPT.captures(line.text)
        && commands::lookup(found[1].as_bytes()).is_some_and(|command| command.first_key == 1)
    {
        said.push(Said {
            id: "script_keys",
            text: format!(
                "a script names the key {} itself in {}: nobody checks that it is on that shard",
                &found[2], &found[1]
            ),
            remedy: "pass every key in KEYS, all of one slot".to_owned(),
        });
    }
    said
}

fn finding(command: &str, keys: &[String], id: &'static str) -> Said {
    let text = format!("{command} with keys of different slots: {}", keys.join(", "));
    Said { id, text, remedy: TAG.to_owned() }
}

/// Whether keys are of more than one slot.
fn spread(keys: &[String]) -> bool {
    let mut slots = keys.iter().map(|key| commands::slot(key.as_bytes()));
    slots.next().is_some_and(|first| slots.any(|slot| slot != first))
}

/// The keys of a call that are literally there.
fn keys(call: &Call) -> Option<(&'static str, Vec<String>)> {
    let command = commands::lookup(call.name.as_bytes())?;
    let word = |argument: &Argument| match argument {
        Argument::Literal(text) => text.clone().into_bytes(),
        Argument::Unknown => Vec::new(),
    };
    let argv: Vec<Vec<u8>> =
        std::iter::once(call.name.clone().into_bytes()).chain(call.arguments.iter().map(word)).collect();
    let positions: Vec<usize> = commands::keys(&argv).ok()?.indices().collect();
    let keys = positions.into_iter().filter_map(|at| match call.arguments.get(at.checked_sub(1)?) {
        Some(Argument::Literal(key)) => Some(key.clone()),
        _ => None,
    });
    Some((command.name, keys.collect()))
}
