//! A plain verify changes nothing on either side, as the servers themselves see it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use testkit::dataset::{self, Kind};
use testkit::server::Reply;
use testkit::{Access, Server};

use super::corruption::{SMALL, corruptions, spoiled_pair};
use super::equal::put_off_expiries;

/// Every command that reaches the server, by MONITOR, until the receiver is dropped.
pub(super) fn monitor(server: &Server) -> mpsc::Receiver<String> {
    let access: Access = server.access();
    let mut stream = TcpStream::connect((access.host.as_str(), access.port)).unwrap();
    let mut answers = 1;
    if let Some(password) = access.password {
        write!(stream, "AUTH {password}\r\n").unwrap();
        answers = 2;
    }
    write!(stream, "MONITOR\r\n").unwrap();
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    // From the last of these on the server tells everything.
    assert_eq!(lines.by_ref().take(answers).filter(|line| line == "+OK").count(), answers);
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || lines.try_for_each(|line| sender.send(line)));
    receiver
}

/// The names of all commands that came, with the subcommand of those that have one.
fn names(lines: &mpsc::Receiver<String>) -> BTreeSet<String> {
    const CONTAINERS: [&str; 8] =
        ["CLUSTER", "CLIENT", "MEMORY", "OBJECT", "XINFO", "MODULE", "CONFIG", "COMMAND"];
    let mut names = BTreeSet::new();
    while let Ok(line) = lines.recv_timeout(Duration::from_millis(500)) {
        let mut words = line.split('"').skip(1).step_by(2);
        let Some(name) = words.next().map(str::to_ascii_uppercase) else { continue };
        names.insert(match words.next() {
            Some(word) if CONTAINERS.contains(&name.as_str()) => {
                format!("{name} {}", word.to_ascii_uppercase())
            }
            _ => name,
        });
    }
    names
}

/// Whether the server itself calls a command one that writes. Subcommands have flags of their own since Redis 7.
fn writes(server: &Server, name: &str) -> bool {
    let info = server.command(&["COMMAND", "INFO", &name.replace(' ', "|")]);
    let Reply::Array(infos) = info else { panic!("COMMAND INFO {name} was answered with {info:?}") };
    match infos.first() {
        Some(Reply::Array(fields)) => match fields.get(2) {
            Some(Reply::Array(flags)) => flags.iter().any(|flag| flag.text() == "write"),
            other => panic!("no flags of {name}: {other:?}"),
        },
        // Only what the server does not know.
        _ => false,
    }
}

/// What runs other commands or changes the server rather than a key.
const NEVER: [&str; 14] = [
    "EVAL",
    "EVALSHA",
    "FCALL",
    "SCRIPT",
    "FUNCTION",
    "CONFIG SET",
    "CONFIG RESETSTAT",
    "CONFIG REWRITE",
    "CLIENT KILL",
    "CLIENT PAUSE",
    "CLUSTER FAILOVER",
    "DEBUG",
    "PUBLISH",
    "KEYS",
];

fn changes(server: &Server) -> String {
    let info = server.command(&["INFO", "persistence"]).text();
    let line = info.lines().find(|line| line.starts_with("rdb_changes_since_last_save"));
    line.expect("the server counts its changes").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_reads_reaches_either_side() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::every_type(&source.access(), 61, 1).await;
    put_off_expiries(&source.access()).await;
    for kind in Kind::ALL {
        dataset::big(&source.access(), kind, 300_000).await;
    }
    let corruptions = corruptions(SMALL);
    let pair = spoiled_pair(&source.access(), &target.access(), &corruptions, &[]).await;
    let before = (changes(&source), changes(&target));
    let lines = (monitor(&source), monitor(&target));
    // Every path at once: values in pieces, all levels, filters that ask for more, samples, and a plan to repair.
    let all: [&[&str]; 7] = [
        &["--big-key", "64KiB"],
        &["--level", "quick"],
        &["--level", "count"],
        &["--sample", "50%"],
        &["--type", "string,list,stream", "--min-ttl", "1ms"],
        &["--repair", "--delete-extra", "--dry-run"],
        &["--report", "report.html", "--state", "state.json"],
    ];
    for options in all {
        let ended = pair.verify(options);
        assert!(matches!(ended.code, 0 | 1), "{options:?}: {ended:#?}");
    }
    for (side, server, lines) in [("source", &source, &lines.0), ("target", &target, &lines.1)] {
        let seen = names(lines);
        assert!(
            seen.contains("SCAN") && seen.contains("TIME"),
            "not even that was seen on the {side}: {seen:?}"
        );
        let wrong: Vec<_> =
            seen.iter().filter(|name| NEVER.contains(&name.as_str()) || writes(&target, name)).collect();
        assert!(wrong.is_empty(), "the {side} was sent {wrong:?}");
        let before = if side == "source" { &before.0 } else { &before.1 };
        assert_eq!(&changes(server), before, "{side}");
    }
    assert!(writes(&target, "RESTORE") && writes(&target, "XGROUP CREATE"), "writes are told from reads");
}
