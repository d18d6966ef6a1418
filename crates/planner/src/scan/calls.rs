//! Calls of Redis commands in a line: methods of client libraries, and commands sent by their names.

use std::sync::LazyLock;

use regex::Regex;

use super::{Language, Line};

/// A call with what can be read of its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The command in capitals and without separators, such as `CONFIGGET`.
    pub(super) name: String,
    /// As it stands in the line.
    pub(super) written: String,
    /// Sent by its name, or called on something that is named like a cache.
    pub(super) certain: bool,
    /// Called on the result of the call before it.
    pub(super) of_before: bool,
    pub(super) arguments: Vec<Argument>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Literal(String),
    /// What only the running program knows.
    Unknown,
}

static METHOD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:(?P<receiver>[A-Za-z_$@][\w]*)(?:\(\))?|\))(?:\.(?P<module>json|ts)\(\))?(?:\.|->|\?\.|::)(?P<name>[A-Za-z_]\w*)\s*(?:<[^>()]*>)?\(",
    )
    .expect("an expression of this file, which every test of it compiles")
});

/// Methods that take a command by its name.
const SENDERS: &[&str] = &[
    "executecommand",
    "execute",
    "call",
    "sendcommand",
    "do",
    "rawcommand",
    "executeraw",
    "pcall",
    "scriptevaluate",
    "dispatch",
    "customcommand",
];

/// What clients call before the commands of a module, as in `client.json.mGet` and `r.ts().mget`.
const MODULES: &[&str] = &["JSON", "TS"];

/// Methods of StackExchange.Redis that give something to call commands on.
const GETTERS: &[&str] = &["GETSERVER", "GETDATABASE"];

/// Names of StackExchange.Redis and node-redis that are not those of commands.
const ALIASES: &[(&str, &str)] = &[
    ("STRINGGET", "MGET"),
    ("STRINGSET", "MSET"),
    ("KEYDELETE", "DEL"),
    ("KEYEXISTS", "EXISTS"),
    ("KEYTOUCH", "TOUCH"),
    ("KEYRENAME", "RENAME"),
    ("KEYCOPY", "COPY"),
    ("KEYMOVE", "MOVE"),
    ("SETMOVE", "SMOVE"),
    ("LISTRIGHTPOPLEFTPUSH", "RPOPLPUSH"),
    ("HYPERLOGLOGMERGE", "PFMERGE"),
    ("FLUSHDATABASE", "FLUSHDB"),
    ("FLUSHALLDATABASES", "FLUSHALL"),
    ("DATABASESIZE", "DBSIZE"),
    ("SWAPDATABASES", "SWAPDB"),
    ("DELETE", "DEL"),
    ("SLAVEOF", "SLAVEOF"),
];

pub(super) fn of(line: &Line<'_>) -> Vec<Call> {
    if matches!(line.language, Language::Config | Language::Other) {
        return Vec::new();
    }
    let text = line.text.trim_start();
    if ["//", "#", "* ", "--", "/*"].iter().any(|comment| text.starts_with(comment)) {
        return Vec::new();
    }
    let mut calls: Vec<Call> = Vec::new();
    for found in METHOD.captures_iter(text) {
        // `mux.GetServer(...).ConfigSet(...)`: what is called on the result of a call is as certain as that.
        let chained =
            calls.last().is_some_and(|before| before.certain || GETTERS.contains(&before.name.as_str()));
        calls.extend(call(text, &found, chained));
    }
    calls
}

fn call(text: &str, found: &regex::Captures<'_>, chained: bool) -> Option<Call> {
    let name = squashed(found.name("name")?.as_str());
    let name = name.strip_suffix("ASYNC").unwrap_or(&name).to_owned();
    let mut arguments = arguments(&text[found.get(0)?.end()..]);
    let receiver = found.name("receiver").map(|receiver| receiver.as_str().to_ascii_lowercase());
    if SENDERS.contains(&name.to_ascii_lowercase().as_str()) {
        // The first of Go is the context.
        let at = arguments.iter().position(|argument| matches!(argument, Argument::Literal(_)))?;
        let words: Vec<Argument> = arguments.split_off(at);
        let Argument::Literal(command) = &words[0] else { return None };
        let mut sent = command.split_whitespace().map(|word| Argument::Literal(word.to_owned()));
        let Some(Argument::Literal(first)) = sent.next() else { return None };
        let rest: Vec<Argument> = sent.chain(words[1..].iter().cloned()).collect();
        return Some(Call {
            name: squashed(&first),
            written: first,
            certain: true,
            of_before: false,
            arguments: rest,
        });
    }
    let certain = receiver.as_deref().map_or(chained, |receiver| {
        ["redis", "jedis", "cache", "rdb", "valkey", "lettuce"].iter().any(|word| receiver.contains(word))
            || ["r", "conn", "client", "db", "server", "pipe", "pipeline", "database", "commands", "sync"]
                .contains(&receiver)
    });
    if arguments.len() > 1 && arguments[0] == Argument::Unknown && text.contains("(ctx,") {
        arguments.remove(0);
    }
    let written = found.name("name")?.as_str().to_owned();
    let before =
        found.name("module").map(|module| module.as_str()).or(receiver.as_deref()).unwrap_or_default();
    let module = MODULES.iter().find(|module| before.eq_ignore_ascii_case(module));
    let name = module.map_or(name.clone(), |module| format!("{module}{name}"));
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, command)| (*command).to_owned());
    let of_before = receiver.is_none();
    Some(Call { name: alias.unwrap_or(name), written, certain, of_before, arguments })
}

fn squashed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase()
}

/// What stands between the brackets. Literals of an array count one by one.
fn arguments(text: &str) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let (mut depth, mut unknown, mut literal) = (0_usize, false, None);
    let mut chars = text.char_indices();
    let mut end = |unknown: &mut bool, literal: &mut Option<String>| {
        match literal.take() {
            Some(text) if !*unknown => arguments.push(Argument::Literal(text)),
            Some(_) => arguments.push(Argument::Unknown),
            None if *unknown => arguments.push(Argument::Unknown),
            None => {}
        }
        *unknown = false;
    };
    while let Some((at, char)) = chars.next() {
        match char {
            '"' | '\'' | '`' => {
                let rest = &text[at + 1..];
                let Some(close) = rest.find(char) else { break };
                let inner = &rest[..close];
                unknown |= inner.contains("${") || inner.contains("#{") || text[..at].ends_with(['f', '$']);
                literal = Some(inner.to_owned());
                while chars.next().is_some_and(|(next, _)| next < at + 1 + close) {}
            }
            ')' if depth == 0 => break,
            ',' => end(&mut unknown, &mut literal),
            '(' | '[' | '{' => {
                // `new RedisKey[] {` and the like: what comes in it counts.
                unknown = char == '(' && depth == 0 && unknown;
                depth += 1;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            char if char.is_whitespace() || char == ';' => {}
            digit if digit.is_ascii_digit() && !unknown => match &mut literal {
                Some(text) => text.push(digit),
                None => literal = Some(digit.to_string()),
            },
            _ => unknown = true,
        }
    }
    end(&mut unknown, &mut literal);
    arguments
}
