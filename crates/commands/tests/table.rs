//! The table by itself; `servers.rs` compares it with real servers.

use commands::{Categories, Command, Flags, KeysError, find, keys, lookup, table};
use proptest::prelude::*;

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn every_command_is_found_by_its_name_in_any_case() {
    for command in table() {
        assert_eq!(lookup(command.name.as_bytes()), Some(command));
        assert_eq!(lookup(command.name.to_lowercase().as_bytes()), Some(command));
        let argv: Vec<_> = command.name.split('|').collect();
        if argv.len() == 2 {
            assert_eq!(find(&argv), Some(command));
        }
    }
    assert!(table().windows(2).all(|pair| pair[0].name < pair[1].name), "sorted, no name twice");
}

#[test]
fn what_is_not_redis_own_is_unknown() {
    for name in ["", "JSON.SET", "FT.SEARCH", "GETT", "GE", "XGROUP|", "|", "HOST:", "POST"] {
        assert_eq!(lookup(name.as_bytes()), None, "{name}");
    }
    assert_eq!(lookup(&[b'A'; 1000]), None);
    assert_eq!(find(&words("XGROUP FROB k g")), None);
    assert_eq!(find(&["XGROUP", &"x".repeat(1000)]), None);
    assert_eq!(find::<&str>(&[]), None);
    assert_eq!(keys(&words("JSON.SET k $ 1")), Err(KeysError::UnknownCommand));
}

#[test]
fn a_container_alone_is_itself() {
    assert_eq!(find(&["command"]).map(|command| command.name), Some("COMMAND"));
    assert_eq!(find(&words("command docs")).map(|command| command.name), Some("COMMAND|DOCS"));
}

#[track_caller]
fn command(name: &str) -> &'static Command {
    lookup(name.as_bytes()).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn fields() {
    let brpop = command("brpop");
    assert_eq!((brpop.arity, brpop.first_key, brpop.last_key, brpop.key_step), (-3, 1, -2, 1));
    assert!(brpop.flags.contains(Flags::WRITE.union(Flags::BLOCKING)));
    assert!(brpop.categories.contains(Categories::LIST) && !brpop.categories.contains(Categories::READ));
    assert_eq!(format!("{:?}", command("time").flags), r#"{"LOADING", "STALE", "FAST"}"#);
}

#[test]
fn versions() {
    let both = |name: &str| (command(name).in_redis_6, command(name).in_redis_7);
    for old in ["GET", "QUIT", "XGROUP|CREATE", "CLIENT|TRACKING", "GEORADIUS", "XREADGROUP"] {
        assert_eq!(both(old), (true, true), "{old}");
    }
    for new in ["GETEX", "COPY", "XAUTOCLAIM", "XGROUP|CREATECONSUMER", "FCALL", "HEXPIRE", "CLIENT|NO-EVICT"]
    {
        assert_eq!(both(new), (false, true), "{new}");
    }
    assert_eq!(both("STRALGO"), (true, false));
}

#[test]
fn scripts_may_write_and_reads_do_not() {
    for name in ["SET", "EVAL", "EVALSHA", "FCALL", "XREADGROUP", "FLUSHALL", "SORT", "PFCOUNT", "GETDEL"] {
        assert!(command(name).may_write(), "{name}");
    }
    for name in [
        "GET",
        "EVAL_RO",
        "FCALL_RO",
        "XREAD",
        "SORT_RO",
        "SCAN",
        "DUMP",
        "SUBSCRIBE",
        "WATCH",
        "OBJECT|FREQ",
    ] {
        assert!(!command(name).may_write(), "{name}");
    }
}

#[test]
fn written_keys_are_told_from_read_ones() {
    let written = |line: &str| -> Vec<usize> {
        keys(&words(line))
            .expect(line)
            .iter()
            .filter(|key| key.access.writes())
            .map(|key| key.index)
            .collect()
    };
    assert_eq!(written("SDIFFSTORE to a b"), [1]);
    assert_eq!(written("COPY a b"), [2]);
    assert_eq!(written("RENAME a b"), [1, 2]);
    assert_eq!(written("SORT a BY w* STORE to"), [5]);
    assert_eq!(written("GEORADIUS a 1 2 3 m STORE to"), [7]);
    assert_eq!(written("XREADGROUP GROUP g c STREAMS s >"), [5]);
    assert_eq!(written("EVAL return 2 a b c"), [3, 4]);
    assert_eq!(written("GET a"), [0; 0]);
}

/// Every command that writes names a key that it writes, or works on the whole database: otherwise its changes
/// would go unseen.
#[test]
fn no_write_is_without_a_written_key() {
    let without: Vec<_> = table()
        .iter()
        .filter(|command| command.flags.contains(Flags::WRITE) && command.name != "XREADGROUP")
        .filter(|command| !format!("{command:?}").contains(r#""RW"#))
        .filter(|command| !["\"OW\"", "\"RM\""].iter().any(|word| format!("{command:?}").contains(word)))
        .map(|command| command.name)
        .collect();
    let whole = [
        "FLUSHALL",
        "FLUSHDB",
        "FUNCTION|DELETE",
        "FUNCTION|FLUSH",
        "FUNCTION|LOAD",
        "FUNCTION|RESTORE",
        "SWAPDB",
    ];
    assert_eq!(without, whole);
}

#[test]
fn what_redis_does_not_describe_is_not_guessed() {
    assert_eq!(keys(&words("STRALGO LCS KEYS a b")), Err(KeysError::Undescribed));
}

#[test]
fn lines_that_redis_refuses_have_no_known_keys() {
    for line in [
        "GET",
        "GET a b",
        "EVAL return",
        "EVAL return x a",
        "EVAL return -1 a",
        "EVAL return 2 a",
        "EVAL return 18446744073709551615 a",
        "EVAL return 99999999999999999999 a",
        "ZUNIONSTORE to 2 a",
        "XREAD COUNT 1",
        "XREAD STREAMS",
        "XREAD STREAMS a",
        "XREAD STREAMS a b 0",
        "XREAD FROB STREAMS a 0",
        "XREAD COUNT STREAMS a 0",
        "SORT a STORE",
        "SORT a LIMIT 0",
        "GEORADIUS a 1 2 3 m STORE",
        "MIGRATE h 1 k 0 1 KEYS a",
        "MIGRATE h 1 k 0 1 AUTH",
    ] {
        assert_eq!(keys(&words(line)), Err(KeysError::Malformed), "{line}");
    }
    assert_eq!(keys(&["MIGRATE", "h", "1", "", "0", "1"]), Err(KeysError::Malformed));
    assert_eq!(keys(&["MIGRATE", "h", "1", "", "0", "1", "KEYS"]), Err(KeysError::Malformed));
}

#[test]
fn an_option_may_be_the_name_of_something_else() {
    let indices = |line: &str| keys(&words(line)).expect(line).indices().collect::<Vec<_>>();
    assert_eq!(indices("XREADGROUP COUNT 1 GROUP streams streams STREAMS a b > >"), [7, 8]);
    assert_eq!(indices("XREAD STREAMS streams 0"), [2]);
    assert_eq!(indices("SORT a BY store GET limit STORE get"), [1, 7]);
    assert_eq!(indices("GEORADIUS store 1 2 3 m STOREDIST store"), [1, 7]);
    assert_eq!(indices("SORT a STORE x STORE y"), [1, 5]);
    let migrate = ["MIGRATE", "keys", "1", "", "0", "1", "AUTH2", "keys", "auth", "KEYS", "a", "keys"];
    assert_eq!(keys(&migrate).expect("valid").indices().collect::<Vec<_>>(), [10, 11]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Also holds that no command has more groups of keys than there is room for, and that each that Redis does not
    /// describe in full has a rule of its own.
    #[test]
    fn any_arguments_give_positions_inside_the_line(
        index in any::<prop::sample::Index>(),
        arguments in prop::collection::vec(
            prop::sample::select(vec!["", "0", "1", "2", "3", "-1", "99999999999", "18446744073709551616", "a",
                "STREAMS", "keys", "STORE", "storedist", "BY", "LIMIT", "GROUP", "COUNT", "AUTH2"]), 0..12),
    ) {
        let command = index.get(table());
        let argv: Vec<&str> = command.name.split('|').chain(arguments).collect();
        match keys(&argv) {
            Ok(keys) => {
                prop_assert!(keys.indices().all(|index| (1..argv.len()).contains(&index)));
                prop_assert_eq!(keys.len(), keys.iter().count());
            }
            Err(KeysError::Malformed) => {}
            Err(KeysError::Undescribed) => prop_assert_eq!(command.name, "STRALGO"),
            Err(KeysError::UnknownCommand) => prop_assert!(command.container),
        }
    }
}
