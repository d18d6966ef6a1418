//! The source is read and nothing else (design rule R12), seen by the server itself.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use testkit::{Server, dataset};

use crate::support::Redferry;

/// Every command that reaches the server, by MONITOR, until the sender is dropped.
fn monitor(server: &Server) -> mpsc::Receiver<String> {
    let access = server.access();
    let mut stream = TcpStream::connect((access.host.as_str(), access.port)).unwrap();
    let password = access.password.unwrap_or_default();
    write!(stream, "AUTH {password}\r\nMONITOR\r\n").unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The commands of MONITOR's lines: what stands first in quotes, with its second word for containers.
fn commands(lines: &mpsc::Receiver<String>) -> std::collections::BTreeSet<String> {
    let mut found = std::collections::BTreeSet::new();
    while let Ok(line) = lines.recv_timeout(Duration::from_millis(500)) {
        let mut words = line.split('"').skip(1).step_by(2);
        let Some(name) = words.next().map(str::to_ascii_uppercase) else { continue };
        let container = matches!(
            name.as_str(),
            "CLUSTER" | "CLIENT" | "MEMORY" | "OBJECT" | "XINFO" | "MODULE" | "CONFIG"
        );
        found.insert(match words.next() {
            Some(word) if container => format!("{name} {}", word.to_ascii_uppercase()),
            _ => name,
        });
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_reads_ever_reaches_the_source() {
    const ALLOWED: &[&str] = &[
        "AUTH",
        "PING",
        "TIME",
        "INFO",
        "DBSIZE",
        "SELECT",
        "SCAN",
        "MULTI",
        "EXEC",
        "WATCH",
        "UNWATCH",
        "TYPE",
        "EXISTS",
        "PTTL",
        "STRLEN",
        "GETRANGE",
        "DUMP",
        "LLEN",
        "LRANGE",
        "SCARD",
        "SSCAN",
        "HLEN",
        "HSCAN",
        "HPEXPIRETIME",
        "ZCARD",
        "ZRANGE",
        "XLEN",
        "XRANGE",
        "XPENDING",
        "ASKING",
        "READONLY",
        "MEMORY USAGE",
        "OBJECT IDLETIME",
        "OBJECT FREQ",
        "XINFO STREAM",
        "XINFO GROUPS",
        "XINFO CONSUMERS",
        "CLUSTER SLOTS",
        "CLIENT LIST",
        "CLIENT SETNAME",
        "MODULE LIST",
        "CONFIG GET",
    ];
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::every_type(&source.access(), 3, 2).await;
    dataset::big(&source.access(), dataset::Kind::Hash, 300_000).await;
    let before = source.command(&["INFO", "persistence"]).text();
    let lines = monitor(&source);
    // Every path at once: values in pieces, filters by type and TTL, and the whole preflight.
    Redferry::between(&source.access(), &target.access())
        .copy(&["--big-key", "64KiB", "--type", "string,list,set,zset,hash,stream", "--min-ttl", "1ms"])
        .expect(0);
    Redferry::between(&source.access(), &target.access())
        .copy(&["--on-conflict", "replace", "--preserve-idle"])
        .expect(0);
    let seen = commands(&lines);
    assert!(seen.contains("SCAN") && seen.contains("DUMP") && seen.contains("HSCAN"), "{seen:?}");
    let others: Vec<_> = seen.iter().filter(|name| !ALLOWED.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "the source was sent {others:?}");
    let changes = |info: &str| {
        info.lines().find(|line| line.starts_with("rdb_changes_since_last_save")).map(str::to_owned)
    };
    assert_eq!(changes(&before), changes(&source.command(&["INFO", "persistence"]).text()));
}
