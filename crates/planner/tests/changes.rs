//! Every row of `changes.json` is seen to happen: the same commands on Redis 6.0 and on 7.4.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use planner::Catalog;
use testkit::Server;
use testkit::server::Reply;

fn both() -> (Server, Server) {
    (Server::plain6().start(), Server::plain7().start())
}

/// Answers in a form that can be compared: an array as its elements in brackets, nil as `nil`.
fn said(reply: &Reply) -> String {
    match reply {
        Reply::Integer(number) => number.to_string(),
        Reply::Bulk(None) => "nil".to_owned(),
        Reply::Array(replies) => format!("[{}]", replies.iter().map(said).collect::<Vec<_>>().join(" ")),
        reply => reply.text(),
    }
}

/// Commands whose arguments have no spaces; the last answer.
fn run(server: &Server, commands: &[&str]) -> String {
    let answers = commands.iter().map(|line| server.command(&line.split(' ').collect::<Vec<_>>()));
    answers.map(|reply| said(&reply)).last().unwrap()
}

fn eval(server: &Server, script: &str) -> String {
    said(&server.command(&["EVAL", script, "0"]))
}

/// Waits until a condition holds.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what} did not happen");
        thread::sleep(Duration::from_millis(20));
    }
}

fn info(server: &Server, line: &str) -> bool {
    server.command(&["INFO"]).text().lines().any(|found| found == line)
}

fn script_tables() {
    let (six, seven) = both();
    for script in ["string.len = nil return 1", "redis.own = 1 return 1", "print('x') return 1"] {
        assert_eq!(eval(&six, script), "1", "{script}");
        assert!(eval(&seven, script).starts_with("ERR user_script:1: "), "{script}");
    }
    // What Redis 6 has refused already is no change.
    assert!(eval(&six, "own = 1").starts_with("ERR ") && eval(&seven, "own = 1").starts_with("ERR "));
}

fn script_errors() {
    let (six, seven) = both();
    let script = "redis.call('SET', 'text', 'a') return redis.call('LPUSH', 'text', 'b')";
    assert!(eval(&six, script).starts_with("ERR Error running script"));
    assert!(eval(&seven, script).starts_with("WRONGTYPE "));
}

fn script_clock() {
    let (six, seven) = both();
    let script = "local function now() local time = redis.call('TIME') return time[1] .. '.' .. time[2] end
        local begin = now()
        for _ = 1, 3000000 do end
        return begin == now() and 'same' or 'later'";
    assert_eq!((eval(&six, script).as_str(), eval(&seven, script).as_str()), ("later", "same"));
}

fn script_cache() {
    let replicated = |primary: Server, replica: Server| {
        let port = primary.access().port.to_string();
        replica.command(&["REPLICAOF", "127.0.0.1", &port]);
        until("replication", || info(&replica, "master_link_status:up"));
        let sha = said(&primary.command(&["SCRIPT", "LOAD", "return 7"]));
        // What comes after it on the way shows that it had its time.
        primary.command(&["SET", "after", "1"]);
        until("the write on the replica", || run(&replica, &["GET after"]) == "1");
        said(&replica.command(&["SCRIPT", "EXISTS", &sha]))
    };
    let (six, seven) = both();
    let (replica_six, replica_seven) = both();
    assert_eq!(replicated(six, replica_six), "[1]");
    assert_eq!(replicated(seven, replica_seven), "[0]");
}

fn stralgo() {
    let (six, seven) = both();
    let lines = ["MSET a ohmytext b mynewtext", "STRALGO LCS KEYS a b"];
    assert_eq!(run(&six, &lines), "mytext");
    assert!(run(&seven, &lines).starts_with("ERR unknown command 'STRALGO'"));
    assert_eq!(run(&seven, &["LCS a b"]), "mytext");
}

fn xclaim_deleted() {
    let (six, seven) = both();
    let lines = [
        "XADD x 1-0 f v",
        "XGROUP CREATE x g 0",
        "XREADGROUP GROUP g one STREAMS x >",
        "XDEL x 1-0",
        "XCLAIM x g two 0 1-0",
    ];
    assert_eq!((run(&six, &lines).as_str(), run(&seven, &lines).as_str()), ("[nil]", "[]"));
    let pending = |server| run(server, &["XPENDING x g - + 10"]);
    assert!(pending(&six).starts_with("[[1-0 two "));
    assert_eq!(pending(&seven), "[]");
}

fn xreadgroup_deleted() {
    let ended = |server: Server| {
        run(&server, &["XGROUP CREATE x g $ MKSTREAM"]);
        thread::scope(|scope| {
            let read = || run(&server, &["XREADGROUP GROUP g one BLOCK 3000 STREAMS x >"]);
            let blocked = scope.spawn(read);
            until("the blocked read", || info(&server, "blocked_clients:1"));
            run(&server, &["DEL x"]);
            blocked.join().unwrap()
        })
    };
    let (six, seven) = both();
    assert_eq!(ended(six), "[]", "nothing until its time is up");
    let error = ended(seven);
    assert!(error.starts_with("NOGROUP ") || error.starts_with("UNBLOCKED "), "{error}");
}

fn xreadgroup_consumer() {
    let (six, seven) = both();
    let lines = ["XGROUP CREATE x g $ MKSTREAM", "XREADGROUP GROUP g one STREAMS x >", "XINFO CONSUMERS x g"];
    assert_eq!(run(&six, &lines), "[]");
    assert!(run(&seven, &lines).starts_with("[[name one "));
}

fn xinfo_fields() {
    let (six, seven) = both();
    let lines = ["XADD x 1-0 f v", "XGROUP CREATE x g 0", "XREADGROUP GROUP g one STREAMS x >"];
    let has = |server, what: &str, field: &str| {
        run(server, &lines);
        run(server, &[what]).contains(field)
    };
    for (what, field) in [("XINFO STREAM x", " entries-added 1"), ("XINFO CONSUMERS x g", " inactive ")] {
        assert!(!has(&six, what, field) && has(&seven, what, field), "{what}: {field}");
    }
}

fn object_encoding() {
    let (six, seven) = both();
    for (write, before) in [
        ("HSET hash f v", "ziplist"),
        ("ZADD zset 1 m", "ziplist"),
        ("RPUSH list e", "quicklist"),
        ("SADD set m", "hashtable"),
    ] {
        let key = write.split(' ').nth(1).unwrap();
        let encoding = |server| run(server, &[write, &format!("OBJECT ENCODING {key}")]);
        assert_eq!((encoding(&six).as_str(), encoding(&seven).as_str()), (before, "listpack"), "{write}");
    }
}

fn command_fields() {
    let (six, seven) = both();
    let of = |server: &Server, command: &str| match server.command(&["COMMAND", "INFO", command]) {
        Reply::Array(commands) => match commands.as_slice() {
            [Reply::Array(fields)] => fields.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!((of(&six, "GET").len(), of(&seven, "GET").len()), (7, 10));
    let random = |server| said(&of(server, "RANDOMKEY")[2]).contains("random");
    assert!(random(&six) && !random(&seven));
}

fn dump_version() {
    let (six, seven) = both();
    let restored = |from: &Server, to: &Server| {
        run(from, &["SET key value"]);
        let Reply::Bulk(Some(payload)) = from.command(&["DUMP", "key"]) else { panic!("no payload") };
        // Bytes, which the tiny connection of the test kit does not send: Lua writes them.
        let bytes: String = payload.iter().map(|byte| format!("\\{byte:03}")).collect();
        eval(to, &format!("return redis.pcall('RESTORE', 'key', 0, '{bytes}', 'REPLACE')"))
    };
    assert_eq!(restored(&six, &seven), "OK");
    assert_eq!(restored(&seven, &six), "ERR DUMP payload version or checksum are wrong");
}

#[test]
fn every_change_is_seen() {
    let proofs: [(&str, fn()); 12] = [
        ("script_tables", script_tables),
        ("script_errors", script_errors),
        ("script_clock", script_clock),
        ("script_cache", script_cache),
        ("stralgo", stralgo),
        ("xclaim_deleted", xclaim_deleted),
        ("xreadgroup_deleted", xreadgroup_deleted),
        ("xreadgroup_consumer", xreadgroup_consumer),
        ("xinfo_fields", xinfo_fields),
        ("object_encoding", object_encoding),
        ("command_fields", command_fields),
        ("dump_version", dump_version),
    ];
    let proved: BTreeSet<&str> = proofs.iter().map(|(id, _)| *id).collect();
    let catalog = Catalog::embedded();
    let told: BTreeSet<&str> = catalog.changes.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(told, proved, "a row without a proof (left), or a proof without a row (right)");
    for (id, proof) in proofs {
        println!("{id}");
        proof();
    }
}
