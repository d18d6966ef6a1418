//! The servers' own way: a replica's first synchronisation, from Redis 6 to Redis 7.4.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::Server;

use crate::bench::{complete, keys};

/// Longer is not waited for.
const LIMIT: Duration = Duration::from_secs(300);

/// How the snapshot travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Straight from socket to socket and into memory.
    Diskless,
    /// By a file on both sides, as the defaults have it.
    Disk,
}

impl Way {
    /// Both.
    pub const ALL: [Way; 2] = [Way::Diskless, Way::Disk];

    /// For messages.
    pub fn name(self) -> &'static str {
        match self {
            Way::Diskless => "diskless",
            Way::Disk => "by disk",
        }
    }
}

/// Time from REPLICAOF to `master_link_status:up`. Always plaintext.
///
/// # Errors
/// A command is refused, or the link does not come up.
pub async fn run(source: &Server, way: Way) -> Result<Duration> {
    let (sync, load) = match way {
        Way::Diskless => ("yes", "on-empty-db"),
        Way::Disk => ("no", "disabled"),
    };
    for (name, value) in [("repl-diskless-sync", sync), ("repl-diskless-sync-delay", "0")] {
        let reply = source.command(&["CONFIG", "SET", name, value]).text();
        ensure!(reply == "OK", "CONFIG SET {name} on the source answers {reply}");
    }
    let target = Server::plain7().arg("repl-diskless-load", load).start();
    let begin = Instant::now();
    let port = source.access().port.to_string();
    let reply = target.command(&["REPLICAOF", "127.0.0.1", &port]).text();
    ensure!(reply == "OK", "REPLICAOF answers {reply}");
    while !target.command(&["INFO", "replication"]).text().contains("master_link_status:up") {
        ensure!(
            begin.elapsed() < LIMIT,
            "no full sync within {LIMIT:?}; the replica's log:\n{}",
            target.log()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let time = begin.elapsed();
    complete(keys(source)?, &target)?;
    Ok(time)
}
