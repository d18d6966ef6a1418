//! Keys that one command or script would need in one slot.

use std::sync::LazyLock;

use regex::Regex;

use super::calls::{Argument, Call};
use super::{Language, Line, Said};
use crate::ClusteringPolicy;
use crate::catalog::{MultiKey, Reach, Table};

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

pub(super) fn look(
    line: &Line<'_>,
    calls: &[Call],
    policy: Option<ClusteringPolicy>,
    rules: &Table<MultiKey>,
) -> Vec<Said> {
    if policy == Some(ClusteringPolicy::NoCluster) {
        return Vec::new();
    }
    let rule = |command: &str, keys: &[String]| finding(rules.of(command)?, policy, command, keys);
    let mut said: Vec<Said> = (calls.iter())
        .filter_map(|call| match keys(call) {
            Some((command, keys)) => rule(command, &keys),
            None => {
                let row = module_row(rules, call)?;
                let command = row.all().find(|name| squashed(name) == call.name)?;
                finding(row, policy, command, &module_keys(command, &call.arguments))
            }
        })
        .collect();
    if calls.iter().any(|call| call.name.starts_with("EVAL"))
        && let Some(listed) = LISTED.captures(line.text)
    {
        let keys: Vec<String> = LITERAL
            .captures_iter(&listed[1])
            .filter_map(|found| found.get(1).or(found.get(2)).map(|key| key.as_str().to_owned()))
            .collect();
        said.extend(rule("EVAL", &keys));
    }
    said.extend(rule("MULTI", &transaction(calls)));
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

/// The keys of a transaction that is written as one chain: `r.multi().set("a", 1).del("b").exec()`.
fn transaction(calls: &[Call]) -> Vec<String> {
    let begun = calls.iter().skip_while(|call| call.name != "MULTI").skip(1);
    let queued = begun.take_while(|call| call.of_before && call.name != "EXEC");
    queued.filter_map(keys).flat_map(|(_, keys)| keys).collect()
}

/// What the policy makes of a command with these keys, where it does not take them as they are.
fn finding(row: &MultiKey, policy: Option<ClusteringPolicy>, command: &str, keys: &[String]) -> Option<Said> {
    let reaches =
        || ClusteringPolicy::ALL.into_iter().filter(|one| policy.is_none_or(|policy| policy == *one));
    let matters = |reach: Reach| match reach {
        Reach::NotInMulti => true,
        reach => reach.spares() && spread(keys),
    };
    if !reaches().any(|policy| matters(row.under(policy))) {
        return None;
    }
    let id = if row.id == "scripts" { "script_keys" } else { "multi_key" };
    let keys = match keys {
        [] => String::new(),
        keys => format!(" with keys of different slots: {}", keys.join(", ")),
    };
    let remedy = row.instead.clone().unwrap_or_else(|| TAG.to_owned());
    Some(Said { id, text: format!("{command}{keys}; {}", row.told(policy)), remedy })
}

/// The row of a module's command, whose name clients write without its point.
fn module_row<'r>(rules: &'r Table<MultiKey>, call: &Call) -> Option<&'r MultiKey> {
    let of_module = |name: &str| name.contains('.') && squashed(name) == call.name;
    rules.rows.iter().find(|row| row.all().any(of_module))
}

fn squashed(name: &str) -> String {
    name.replace('.', "")
}

/// The keys of a module's command that are literally there.
fn module_keys(command: &str, arguments: &[Argument]) -> Vec<String> {
    let keys: Vec<&Argument> = match command {
        // The last is the path.
        "JSON.MGET" => arguments.iter().take(arguments.len().saturating_sub(1)).collect(),
        "JSON.MSET" | "TS.MADD" => arguments.iter().step_by(3).collect(),
        "TS.CREATERULE" | "TS.DELETERULE" => arguments.iter().take(2).collect(),
        _ => Vec::new(),
    };
    let literal = |argument: &Argument| match argument {
        Argument::Literal(key) => Some(key.clone()),
        Argument::Unknown => None,
    };
    keys.into_iter().filter_map(literal).collect()
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
