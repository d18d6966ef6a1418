//! The server's own counters, which count what no feed sees (design rule R9): INFO commandstats has all commands that were
//! run, also those of scripts and transactions (measured for each of these on 6.0.16 and 7.4.1).

use client::{FeedKind, Node, Read, SourceConnection};

use crate::run::Run;

/// Change a stream's groups, which no feed tells; or its last id.
const GROUPS: [&str; 6] = ["xgroup", "xreadgroup", "xack", "xclaim", "xautoclaim", "xsetid"];

/// Change keys that no feed tells.
const UNSEEN: [&str; 2] = ["swapdb", "cms.incrby"];

/// Change keys, which key events do not tell: whole databases, and the probabilistic types of modules.
const UNSEEN_BY_EVENTS: [&str; 24] = [
    "flushall",
    "flushdb",
    "bf.add",
    "bf.insert",
    "bf.loadchunk",
    "bf.madd",
    "bf.reserve",
    "cf.add",
    "cf.addnx",
    "cf.del",
    "cf.insert",
    "cf.insertnx",
    "cf.loadchunk",
    "cf.reserve",
    "cms.initbydim",
    "cms.initbyprob",
    "cms.merge",
    "tdigest.add",
    "tdigest.create",
    "tdigest.merge",
    "tdigest.reset",
    "topk.add",
    "topk.incrby",
    "topk.reserve",
];

/// What the counters say, from bad to worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    Nothing,
    /// Some stream's groups changed.
    Groups,
    /// Some keys changed unseen.
    Unseen,
    /// The node could not be asked.
    Failed,
}

/// The counters of one node, as they were last seen.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    connection: Option<SourceConnection>,
    counts: Option<[u64; 2]>,
}

impl Witness {
    /// What happened since the last look that was answered. A node that hides its counters says nothing: its streams are
    /// then carried once more at the end only.
    pub(crate) async fn look(&mut self, run: &Run, node: &Node, feed: FeedKind) -> Said {
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => run.source.connect_source(node, 0).await,
        };
        let Ok(mut connection) = connection else { return Said::Failed };
        let asked = tokio::time::timeout(run.options.silence, connection.ask(Read::Info("commandstats")));
        let Ok(Ok(info)) = asked.await else { return Said::Failed };
        self.connection = Some(connection);
        let counts = info.as_str().map(|info| count(info, feed));
        let before = std::mem::replace(&mut self.counts, counts);
        match (before, counts) {
            (Some(before), Some(now)) if before[1] != now[1] => Said::Unseen,
            (Some(before), Some(now)) if before[0] != now[0] => Said::Groups,
            _ => Said::Nothing,
        }
    }
}

/// Calls of commands that change groups, and of those that change keys unseen.
fn count(info: &str, feed: FeedKind) -> [u64; 2] {
    let by_events = feed == FeedKind::Events;
    let mut counts = [0; 2];
    for line in info.lines() {
        // `cmdstat_xgroup|create:calls=3,...` since Redis 7.
        let Some((name, facts)) = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':')) else {
            continue;
        };
        let name = name.split('|').next().unwrap_or(name);
        let calls = facts.split(',').find_map(|fact| fact.strip_prefix("calls=")?.parse::<u64>().ok());
        let is = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        counts[0] += calls.filter(|_| is(&GROUPS)).unwrap_or(0);
        counts[1] += calls.filter(|_| is(&UNSEEN) || (by_events && is(&UNSEEN_BY_EVENTS))).unwrap_or(0);
    }
    counts
}

#[cfg(test)]
mod tests {
    use client::FeedKind;

    use super::count;

    #[test]
    fn calls_are_counted_with_their_subcommands() {
        let info = "# Commandstats\r\ncmdstat_xack:calls=3,usec=1\r\ncmdstat_xgroup|create:calls=2,usec=1\r\n\
                    cmdstat_xgroup:calls=1,usec=9\r\ncmdstat_set:calls=100,usec=1\r\ncmdstat_swapdb:calls=4,usec=1\r\n\
                    cmdstat_flushdb:calls=5,usec=1\r\n";
        assert_eq!(count(info, FeedKind::Tracking), [6, 4]);
        assert_eq!(count(info, FeedKind::Events), [6, 9]);
    }
}
