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

/// What modules' commands that read are called behind the module's name (Redis Stack 7.4).
const READS_OF_MODULES: [&str; 36] = [
    "aggregate",
    "arrindex",
    "arrlen",
    "byrank",
    "byrevrank",
    "card",
    "cdf",
    "count",
    "cursor",
    "exists",
    "explain",
    "get",
    "info",
    "list",
    "max",
    "mexists",
    "mget",
    "min",
    "mrange",
    "mrevrange",
    "objkeys",
    "objlen",
    "profile",
    "quantile",
    "query",
    "queryindex",
    "range",
    "rank",
    "resp",
    "revrange",
    "revrank",
    "scandump",
    "search",
    "strlen",
    "trimmed_mean",
    "type",
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

/// A look at the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) said: Said,
    /// How often commands ran that write. `None` where that is not known: the counters are hidden, or do not count even the
    /// looks at them.
    pub(crate) writes: Option<u64>,
}

/// The counters of one node, as they were last seen.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    connection: Option<SourceConnection>,
    counts: Option<Counts>,
}

/// How often commands ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    /// That change groups.
    groups: u64,
    /// That change keys unseen.
    unseen: u64,
    /// That write. Keys that expire or are evicted are none of these.
    writes: u64,
    /// INFO, which is how they are looked at.
    looks: u64,
}

impl Witness {
    /// What happened since the last look that was answered. A node that hides its counters says nothing: its streams are
    /// then carried once more at the end only.
    pub(crate) async fn look(&mut self, run: &Run, node: &Node, feed: FeedKind) -> Look {
        const FAILED: Look = Look { said: Said::Failed, writes: None };
        let connection = match self.connection.take() {
            Some(connection) => Ok(connection),
            None => run.source.connect_source(node, 0).await,
        };
        let Ok(mut connection) = connection else { return FAILED };
        let asked = tokio::time::timeout(run.options.silence, connection.ask(Read::Info("commandstats")));
        let Ok(Ok(info)) = asked.await else { return FAILED };
        self.connection = Some(connection);
        let counts = info.as_str().map(|info| count(info, feed));
        let before = std::mem::replace(&mut self.counts, counts);
        let said = match (before, counts) {
            (Some(before), Some(now)) if before.unseen != now.unseen => Said::Unseen,
            (Some(before), Some(now)) if before.groups != now.groups => Said::Groups,
            _ => Said::Nothing,
        };
        let live = before.zip(counts).filter(|(before, now)| now.looks > before.looks);
        Look { said, writes: live.map(|(_, now)| now.writes) }
    }
}

fn count(info: &str, feed: FeedKind) -> Counts {
    let by_events = feed == FeedKind::Events;
    let mut counts = Counts::default();
    for line in info.lines() {
        // `cmdstat_xgroup|create:calls=3,...` since Redis 7.
        let Some((name, facts)) = line.strip_prefix("cmdstat_").and_then(|line| line.split_once(':')) else {
            continue;
        };
        let whole = name;
        let name = name.split('|').next().unwrap_or(name);
        let calls = facts.split(',').find_map(|fact| fact.strip_prefix("calls=")?.parse::<u64>().ok());
        let is = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
        let calls = calls.unwrap_or(0);
        counts.groups += if is(&GROUPS) { calls } else { 0 };
        counts.unseen += if is(&UNSEEN) || (by_events && is(&UNSEEN_BY_EVENTS)) { calls } else { 0 };
        counts.writes += if writes(whole) { calls } else { 0 };
        counts.looks += if name.eq_ignore_ascii_case("info") { calls } else { 0 };
    }
    counts
}

/// Whether a command (or a subcommand, as `xgroup|create`) writes. Scripts do so by the commands that they call, which are
/// counted too. Of a module's commands those are taken to that are not known to read.
fn writes(name: &str) -> bool {
    let writing = |command: &commands::Command| command.flags.contains(commands::Flags::WRITE);
    match commands::lookup(name.as_bytes()) {
        // Redis 6 does not tell subcommands apart.
        Some(container) if container.container => {
            let mut subcommands = commands::table()
                .iter()
                .filter(|command| command.name.split_once('|').is_some_and(|(of, _)| of == container.name));
            subcommands.any(writing)
        }
        Some(command) => writing(command),
        None => {
            let verb = name.rsplit('.').next().unwrap_or(name);
            !READS_OF_MODULES.iter().any(|read| read.eq_ignore_ascii_case(verb))
        }
    }
}

#[cfg(test)]
mod tests {
    use client::FeedKind;

    use super::{Counts, count, writes};

    #[test]
    fn calls_are_counted_with_their_subcommands() {
        let info = "# Commandstats\r\ncmdstat_xack:calls=3,usec=1\r\ncmdstat_xgroup|create:calls=2,usec=1\r\n\
                    cmdstat_xgroup:calls=1,usec=9\r\ncmdstat_set:calls=100,usec=1\r\ncmdstat_swapdb:calls=4,usec=1\r\n\
                    cmdstat_flushdb:calls=5,usec=1\r\ncmdstat_info:calls=7,usec=1\r\n";
        let counts = |feed| {
            let Counts { groups, unseen, writes, looks } = count(info, feed);
            assert_eq!(looks, 7);
            [groups, unseen, writes]
        };
        assert_eq!(counts(FeedKind::Tracking), [6, 4, 115]);
        assert_eq!(counts(FeedKind::Events), [6, 9, 115]);
    }

    #[test]
    fn what_writes_is_known_by_the_command_table() {
        assert!(
            [
                "set",
                "GETEX",
                "xgroup",
                "xgroup|create",
                "xreadgroup",
                "flushall",
                "json.set",
                "bf.add",
                "unheard.of"
            ]
            .map(writes)
            .iter()
            .all(|w| *w)
        );
        assert!(
            ![
                "get",
                "eval",
                "exec",
                "info",
                "scan",
                "json.get",
                "ft.search",
                "publish",
                "client|id",
                "object|idletime"
            ]
            .map(writes)
            .iter()
            .any(|w| *w)
        );
    }
}
