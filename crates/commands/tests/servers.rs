//! The table, the positions of keys and the slots against what Redis 6.0 and 7.4 say themselves.

use std::collections::BTreeMap;

use commands::{Command, keys, lookup, slot, table, tag_for_slot};
use testkit::Server;
use testkit::server::Reply;

/// Command lines with keys of every kind. `-` stands for an empty argument.
const LINES: &[&str] = &[
    "GET a",
    "SET a b EX 10 GET",
    "MGET a b c",
    "MSET a 1 b 2",
    "DEL a b c",
    "EXPIRE a 10",
    "OBJECT ENCODING a",
    "MEMORY USAGE a SAMPLES 5",
    "BITOP AND to a b",
    "BITFIELD a GET u8 0",
    "RENAME a b",
    "COPY a b DB 1",
    "LMOVE a b LEFT RIGHT",
    "RPOPLPUSH a b",
    "BRPOPLPUSH a b 0",
    "BLPOP a b c 0",
    "BZPOPMIN a b 0",
    "LMPOP 2 a b LEFT COUNT 3",
    "BLMPOP 0 2 a b LEFT",
    "ZMPOP 1 a MIN",
    "BZMPOP 0 2 a b MAX",
    "SMOVE a b m",
    "SDIFFSTORE to a b",
    "SINTERSTORE to a",
    "SINTERCARD 2 a b LIMIT 1",
    "PFCOUNT a b",
    "PFMERGE to a b",
    "ZUNIONSTORE to 2 a b WEIGHTS 1 2",
    "ZINTERSTORE to 1 a AGGREGATE MAX",
    "ZDIFFSTORE to 2 a b",
    "ZUNION 2 a b WITHSCORES",
    "ZINTERCARD 1 a",
    "ZRANGESTORE to a 0 -1",
    "GEOSEARCHSTORE to a FROMMEMBER m BYRADIUS 1 m",
    "GEORADIUS a 1 2 3 m",
    "GEORADIUS a 1 2 3 m COUNT 1 STORE to",
    "GEORADIUSBYMEMBER a m 3 m STOREDIST to",
    "GEORADIUS_RO a 1 2 3 m",
    "SORT a",
    "SORT a BY w* LIMIT 0 5 GET # GET o* DESC ALPHA STORE to",
    "SORT a STORE x STORE to",
    "SORT_RO a BY w*",
    "EVAL return 2 a b arg",
    "EVALSHA sha 1 a arg arg",
    "EVAL_RO return 1 a",
    "FCALL f 2 a b arg",
    "FCALL_RO f 1 a",
    "XADD a MAXLEN ~ 10 * f v",
    "XREAD COUNT 2 BLOCK 0 STREAMS a b 0 0",
    "XREADGROUP GROUP g c COUNT 1 NOACK STREAMS a b > >",
    "XACK a g 1-1",
    "XGROUP CREATE a g $ MKSTREAM",
    "XINFO STREAM a FULL",
    "XSETID a 5-0",
    "XCLAIM a g c 0 1-1",
    "MIGRATE h 1 a 0 10",
    "MIGRATE h 1 a 0 10 COPY REPLACE AUTH secret",
    "MIGRATE h 1 - 0 10 AUTH2 user secret KEYS a b c",
    "RESTORE a 0 payload ABSTTL REPLACE",
    "DUMP a",
    "TOUCH a b",
    "WATCH a b",
    "HEXPIRE a 10 FIELDS 1 f",
    "LCS a b IDX",
    "GETEX a PERSIST",
];

/// Lines that 7.4 reads by its key specifications and gets wrong: it names `x` as well, although the command writes
/// the last destination only, and takes the group for the option.
const LINES_FOR_6: &[&str] =
    &["GEORADIUS a 1 2 3 m STORE x STOREDIST to", "XREADGROUP COUNT 1 GROUP streams c STREAMS a >"];
/// Redis 6.0 takes the user for the option.
const LINES_FOR_7: &[&str] = &["MIGRATE h 1 - 0 10 AUTH2 keys secret KEYS a b c"];

#[test]
fn keys_are_where_redis_7_says() {
    let server = Server::plain7().start();
    let compared = compare_keys(&server, LINES_FOR_7, |command| command.in_redis_7);
    assert_eq!(compared, LINES.len() + LINES_FOR_7.len());
}

#[test]
fn keys_are_where_redis_6_says() {
    let server = Server::plain6().start();
    let compared = compare_keys(&server, LINES_FOR_6, |command| command.in_redis_6);
    assert!(compared >= 45, "only {compared} lines were compared");
}

/// Number of lines that were compared.
fn compare_keys(server: &Server, special: &[&str], knows: impl Fn(&Command) -> bool) -> usize {
    let mut compared = 0;
    for line in LINES.iter().chain(special) {
        let argv: Vec<&str> = line.split(' ').map(|word| if word == "-" { "" } else { word }).collect();
        if !knows(commands::find(&argv).unwrap_or_else(|| panic!("{line}: unknown"))) {
            continue;
        }
        let asked = [&["COMMAND", "GETKEYS"], &argv[..]].concat();
        let Reply::Array(answer) = server.command(&asked) else {
            panic!("{line}: {:?}", server.command(&asked));
        };
        let mut expected: Vec<String> = answer.iter().map(Reply::text).collect();
        let found = keys(&argv).unwrap_or_else(|error| panic!("{line}: {error}"));
        let mut found: Vec<&str> = found.indices().map(|index| argv[index]).collect();
        // Their order differs between versions.
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "{line}");
        compared += 1;
    }
    compared
}

#[test]
fn the_table_is_what_redis_7_says() {
    let server = Server::plain7().start();
    let told = commands_of(&server);
    for (name, entry) in &told {
        let command =
            lookup(name.as_bytes()).unwrap_or_else(|| panic!("{name} is missing: generate the table again"));
        assert_eq!(numbers(command), entry.numbers, "{name}");
        assert_eq!(words(&command.flags), entry.flags, "{name}");
        assert_eq!(words(&command.categories), entry.categories, "{name}");
        assert!(command.in_redis_7, "{name}");
    }
    let ours = table().iter().filter(|command| command.in_redis_7).count();
    assert_eq!(ours, told.len(), "the table has commands that Redis 7.4 has not");
}

#[test]
fn the_table_knows_which_commands_redis_6_has() {
    let server = Server::plain6().start();
    let told = commands_of(&server);
    let names: Vec<_> =
        told.keys().map(String::as_str).filter(|name| !["HOST:", "POST"].contains(name)).collect();
    let ours: Vec<_> = table()
        .iter()
        .filter(|command| command.in_redis_6 && !command.name.contains('|') && command.name != "QUIT")
        .map(|command| command.name)
        .collect();
    assert_eq!(ours, names);
}

#[test]
fn slots_are_what_a_cluster_node_says() {
    let server = Server::plain7().arg("cluster-enabled", "yes").start();
    let tag = tag_for_slot(16383);
    for key in ["", "foo", "{a}b", "x{}y{z}", "{{a}}", "a}b{c}", "{", "ключ", &format!("{{{tag}}}:tmp")] {
        let said = server.command(&["CLUSTER", "KEYSLOT", key]);
        assert_eq!(said, Reply::Integer(slot(key.as_bytes()).into()), "{key}");
    }
}

struct Entry {
    numbers: [i64; 4],
    flags: Vec<String>,
    categories: Vec<String>,
}

fn numbers(command: &Command) -> [i64; 4] {
    [command.arity, command.first_key, command.last_key, command.key_step].map(i64::from)
}

/// The words of a set as Redis spells them, sorted.
fn words(set: &dyn std::fmt::Debug) -> Vec<String> {
    let shown = format!("{set:?}").to_lowercase();
    let words = shown.trim_matches(['{', '}']).split(", ").filter(|word| !word.is_empty());
    sorted(words.map(|word| word.trim_matches('"').to_owned()).collect())
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort_unstable();
    words
}

/// What a server says of its commands and subcommands, by name in capitals.
fn commands_of(server: &Server) -> BTreeMap<String, Entry> {
    let mut commands = BTreeMap::new();
    let mut rest = vec![server.command(&["COMMAND"])];
    while let Some(Reply::Array(entries)) = rest.pop() {
        for entry in entries {
            let Reply::Array(fields) = entry else { panic!("an entry is no array") };
            let number = |at: usize| match fields[at] {
                Reply::Integer(number) => number,
                ref other => panic!("{other:?} is no number"),
            };
            let list = |at: usize| match &fields[at] {
                Reply::Array(words) => {
                    sorted(words.iter().map(|word| word.text().trim_start_matches('@').to_owned()).collect())
                }
                other => panic!("{other:?} is no list"),
            };
            let entry = Entry { numbers: [1, 3, 4, 5].map(number), flags: list(2), categories: list(6) };
            commands.insert(fields[0].text().to_uppercase(), entry);
            rest.extend(fields.get(9).cloned());
        }
    }
    commands
}
