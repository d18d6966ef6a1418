use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn moved(slot: u16, addr: &str) -> ReplyKind {
    ReplyKind::Moved { slot, addr: addr.to_owned() }
}

/// Lines as Redis 5 to 7.4, Azure and Redis Enterprise send them.
fn lines() -> Vec<(&'static str, ReplyKind)> {
    use ReplyKind::*;
    vec![
        ("MOVED 3999 127.0.0.1:6381", moved(3999, "127.0.0.1:6381")),
        ("MOVED 0 :6381", moved(0, ":6381")),
        ("MOVED 16383 2603:1030::5:15003", moved(16383, "2603:1030::5:15003")),
        (
            "ASK 7 cache.redis.cache.windows.net:15001",
            Ask { slot: 7, addr: "cache.redis.cache.windows.net:15001".into() },
        ),
        ("TRYAGAIN Multiple keys request during rehashing of slot", TryAgain),
        ("CLUSTERDOWN Hash slot not served", ClusterDown),
        ("CLUSTERDOWN The cluster is down", ClusterDown),
        ("LOADING Redis is loading the dataset in memory", Loading),
        ("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", MasterDown),
        ("READONLY You can't write against a read only replica.", ReadOnly),
        ("OOM command not allowed when used memory > 'maxmemory'.", Oom),
        ("BUSYKEY Target key name already exists.", BusyKey),
        ("NOAUTH Authentication required.", NoAuth),
        (
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH",
            NoAuth,
        ),
        ("WRONGPASS invalid username-password pair or user is disabled.", WrongPass),
        ("ERR AUTH <password> called without any password configured for the default user. Are", WrongPass),
        ("ERR invalid password", WrongPass),
        ("NOPERM this user has no permissions to run the 'dump' command", NoPerm),
        ("NOPERM User app has no permissions to run the 'restore' command", NoPerm),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", WrongType),
        ("ERR unknown command `CONFIG`, with args beginning with: `GET`, ", UnknownCommand),
        ("ERR unknown command 'PSYNC', with args beginning with: '?' ", UnknownCommand),
        (
            "ERR Unknown subcommand or wrong number of arguments for 'TRACKINGINFO'. Try CLIENT HELP.",
            UnknownCommand,
        ),
        ("ERR unknown subcommand 'foo'. Try CLIENT HELP.", UnknownCommand),
        ("ERR This instance has cluster support disabled", UnknownCommand),
        ("CROSSSLOT Keys in request don't hash to the same slot", CrossSlot),
        ("CROSSSLOT Keys in request don't hash to the same slot (context='', command='evalsha')", CrossSlot),
        ("EXECABORT Transaction discarded because of previous errors.", ExecAbort),
        ("NOSCRIPT No matching script. Please use EVAL.", NoScript),
        ("BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", Busy),
        ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist", MisConf),
        ("NOREPLICAS Not enough good replicas to write.", NoReplicas),
        ("ERR DUMP payload version or checksum are wrong", BadPayload),
        ("ERR Bad data format", BadDataFormat),
        ("ERR max number of clients reached", MaxClients),
        ("ERR max number of clients + cluster connections reached", MaxClients),
        ("ERR DB index is out of range", DbIndexOutOfRange),
        ("ERR invalid DB index", DbIndexOutOfRange),
        ("ERR SELECT is not allowed in cluster mode", DbIndexOutOfRange),
        ("NOPROTO unsupported protocol version", NoProto),
        ("ERR syntax error", SyntaxError),
        ("ERR wrong number of arguments for 'get' command", WrongArity),
        ("ERR value is not an integer or out of range", Other),
        ("MOVED 16384 a:1", Other),
        ("MOVED 1", Other),
        ("MOVED 1 host-without-port", Other),
        ("MOVED -1 a:1", Other),
        ("OOMPH", Other),
        ("ERR", Other),
        ("", Other),
    ]
}

#[test]
fn lines_of_real_servers() {
    for (line, kind) in lines() {
        assert_eq!(ReplyKind::of(line.as_bytes()), kind, "{line}");
        assert_eq!(ReplyKind::of(format!("-{line}\r\n").as_bytes()), kind, "-{line}");
    }
}

/// The table names every kind, or the compiler sends whoever adds one here.
#[test]
fn every_kind_has_a_line_and_a_remedy_of_one_sentence() {
    let kinds: Vec<ReplyKind> = lines().into_iter().map(|(_, kind)| kind).collect();
    let distinct: HashSet<_> = kinds.iter().map(std::mem::discriminant).collect();
    assert_eq!(distinct.len(), 28, "a kind without a line in this test");
    for kind in kinds {
        let remedy = remedy(&kind);
        assert!(remedy.ends_with('.') && remedy.len() > 20 && !remedy.contains("  "), "{kind:?}: {remedy}");
    }
}

/// What the engine relies on: a full target and a lost login keep their keys, a failover is not a failure.
#[test]
fn retries_that_data_depends_on() {
    for line in ["OOM x", "NOAUTH x", "NOPERM x", "MISCONF x"] {
        assert_eq!(retry(&ReplyKind::of(line.as_bytes())), Retry::AskOperator, "{line}");
    }
    for line in ["READONLY x", "CLUSTERDOWN x", "MASTERDOWN x"] {
        assert_eq!(retry(&ReplyKind::of(line.as_bytes())), Retry::RefreshTopology, "{line}");
    }
    for line in ["LOADING x", "TRYAGAIN x", "NOREPLICAS x"] {
        assert_eq!(retry(&ReplyKind::of(line.as_bytes())), Retry::Backoff, "{line}");
    }
    assert_eq!(retry(&moved(1, ":1")), Retry::Redirect);
    assert_eq!(retry(&ReplyKind::Other), Retry::FailKey);
}

proptest! {
    #[test]
    fn any_bytes_are_some_kind(line in prop::collection::vec(any::<u8>(), 0..80)) {
        let kind = ReplyKind::of(&line);
        let _ = (retry(&kind), remedy(&kind));
    }
}
