//! Commands that Azure Managed Redis does not have, or has otherwise.

use std::collections::BTreeMap;

use super::Said;
use super::calls::{Argument, Call};
use crate::catalog::{BlockedCommand, Condition, Effect, MultiKey, Reach};
use crate::{Catalog, ClusteringPolicy, Service};

/// Names that other things than Redis have methods of: they count on a cache only.
const COMMON: &[&str] = &[
    "SAVE", "SELECT", "MOVE", "WAIT", "ROLE", "SYNC", "RESET", "DEBUG", "KEYS", "SCAN", "SHUTDOWN",
    "RESTORE", "MIGRATE", "FAILOVER", "DELETE",
];

/// The rows of the catalogue, by their names without separators.
#[derive(Debug)]
pub(super) struct Blocked {
    rows: BTreeMap<String, BlockedCommand>,
}

impl Blocked {
    pub(super) fn new(catalog: &Catalog, policy: Option<ClusteringPolicy>) -> Blocked {
        let holds = |row: &BlockedCommand| {
            row.when.is_empty()
                || row.when.iter().any(|condition| match condition {
                    Condition::Policy(under) => policy == Some(*under),
                    Condition::Situation(_) => false,
                })
        };
        let rows = catalog.commands.rows.iter().filter(|row| row.service == Service::Amr && holds(row));
        let mut rows: BTreeMap<String, BlockedCommand> =
            rows.map(|row| (row.command.replace(['|', '-', '.'], ""), row.clone())).collect();
        for row in &catalog.multikey.rows {
            if policy.is_some_and(|policy| row.under(policy) == Reach::OneShard) {
                rows.extend(row.all().map(|command| (command.to_owned(), one_shard(row, command))));
            }
        }
        Blocked { rows }
    }

    pub(super) fn look(&self, calls: &[Call]) -> Vec<Said> {
        calls.iter().filter_map(|call| self.call(call)).collect()
    }

    fn call(&self, call: &Call) -> Option<Said> {
        let sub = match call.arguments.first() {
            Some(Argument::Literal(word)) => {
                Some(format!("{}{}", call.name, word.to_ascii_uppercase().replace('-', "")))
            }
            _ => None,
        };
        let row = sub
            .filter(|_| call.certain)
            .and_then(|name| self.rows.get(&name))
            .or_else(|| self.rows.get(&call.name))?;
        if row.command == "SELECT" && call.arguments.first() == Some(&Argument::Literal("0".into())) {
            return None;
        }
        if COMMON.contains(&call.name.as_str()) && !call.certain {
            return None;
        }
        let command = row.command.replace('|', " ");
        let id = match command.split(' ').next() {
            Some("CONFIG") => "config",
            Some("SELECT" | "SWAPDB" | "MOVE") => "database",
            _ => "command",
        };
        let text = match (row.effect, &row.what) {
            (Effect::Blocked, _) => format!("{}: Azure Managed Redis refuses {command}", call.written),
            (Effect::Changed, Some(what)) => format!("{}: {command} works in part: {what}", call.written),
            (Effect::Changed, None) => format!("{}: {command} works otherwise", call.written),
        };
        Some(Said { id, text, remedy: row.instead.clone() })
    }
}

/// A command that sees the keys of one shard.
fn one_shard(row: &MultiKey, command: &str) -> BlockedCommand {
    BlockedCommand {
        service: Service::Amr,
        command: command.to_owned(),
        effect: Effect::Changed,
        when: Vec::new(),
        what: Some(Reach::OneShard.meaning().to_owned()),
        instead: row.instead.clone().unwrap_or_default(),
        was: Vec::new(),
    }
}
