//! What a comparison came to, for the terminal.

use std::fmt::Write;

use ::verify::{Kind, Outcome, PrefixCounts, Totals};
use indicatif::{HumanBytes, HumanCount};

use super::account::{Account, Found, level, meaning, sees};
use crate::printable::printable;

/// Beginnings of names that get a line of their own.
const BEGINNINGS: usize = 20;

/// Width of the words at the left.
const LABEL: usize = 12;

/// The report; its last line says whether both sides are equal.
pub(super) fn of(account: &Account<'_>) -> String {
    let mut out = Lines::default();
    let (keys_source, keys_target) = account.keys();
    let seconds = account.elapsed().as_secs_f64().max(0.001);
    let rate = match account.counts() {
        Some(counts) => format!(" ({} keys/s)", HumanCount((counts.keys_compared as f64 / seconds) as u64)),
        None => String::new(),
    };
    out.line(
        "compared",
        format!(
            "{} keys of the source, {} of the target in {seconds:.1} s{rate}",
            HumanCount(keys_source),
            HumanCount(keys_target)
        ),
    );
    out.line("level", format!("{}: {}", level(account.args.level).name(), sees(account.args.level)));
    if let Some(confidence) = account.confidence() {
        out.line("sample", confidence);
    }
    match &account.found {
        Found::Keys(outcome) => keys(&mut out, account, outcome),
        Found::Totals(totals, _) => databases(&mut out, totals),
    }
    for note in account.notes() {
        out.line("note", note);
    }
    out.line(
        "redferry",
        format!(
            "{:.2} s CPU, {} memory at most",
            account.usage.cpu_ms as f64 / 1000.0,
            HumanBytes(account.usage.peak_rss_bytes)
        ),
    );
    out.text.push_str("\nNot seen by this:\n");
    for not_seen in account.not_seen() {
        wrapped(&mut out.text, not_seen);
    }
    _ = writeln!(out.text, "\n{}", account.verdict());
    out.text
}

/// An item of a list, in lines of 100 columns.
fn wrapped(out: &mut String, item: &str) {
    let mut line = String::from("-");
    for word in item.split(' ') {
        if line.len() + 1 + word.len() > 100 {
            _ = writeln!(out, "{line}");
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    _ = writeln!(out, "{line}");
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, label: &str, text: impl std::fmt::Display) {
        _ = writeln!(self.text, "{label:>LABEL$}  {text}");
    }
}

fn keys(out: &mut Lines, account: &Account<'_>, outcome: &Outcome) {
    let counts = &outcome.counts;
    for (kind, found) in account.kinds() {
        out.line(kind.name(), format!("{:>11}  {}", HumanCount(found).to_string(), meaning(kind)));
        if kind == Kind::NotCompared {
            for (reason, keys, remedy) in account.reasons() {
                out.line("", format!("{:>11}  {reason} -> {remedy}", HumanCount(keys).to_string()));
            }
        }
        for example in account.examples().iter().filter(|example| example.kind == kind) {
            let db = if example.db == 0 { String::new() } else { format!(" (database {})", example.db) };
            out.line("", format!("             {}{db}", printable(&example.key)));
        }
    }
    beginnings(out, &account.beginnings());
    if let Some(plan) = account.plan() {
        let named = if account.shows_keys() { "" } else { "; --show-keys names keys" };
        out.line(
            "plan",
            format!(
                "a repair would copy {} keys and delete {}{named}",
                HumanCount(plan.copy),
                HumanCount(plan.delete)
            ),
        );
    } else if account.args.repair {
        let differing = HumanCount(counts.keys_differing);
        out.line("repaired", format!("{} of {differing} keys that differed", HumanCount(counts.repaired)));
        for (cause, keys) in &account.not_repaired {
            out.line("not repaired", format!("{} {}", HumanCount(*keys), cause.name()));
            out.line("", format!("-> {}", cause.remedy()));
        }
    }
    if counts.rechecked > 0 {
        out.line(
            "looked again",
            format!("at {} keys that did not look equal at once", HumanCount(counts.rechecked)),
        );
    }
    if let Some(bound) = account.ttl_bound() {
        out.line("TTL", bound);
    }
}

/// A column for each kind that occurs.
fn beginnings(out: &mut Lines, all: &[(String, PrefixCounts)]) {
    // With no beginning to tell, the numbers above say the same.
    if all.iter().all(|(name, _)| name.is_empty()) {
        return;
    }
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| all.iter().any(|(_, counts)| counts.contains_key(kind)))
        .collect();
    let shown = &all[..all.len().min(BEGINNINGS)];
    let name = |name: &str| if name.is_empty() { "(others)".to_owned() } else { name.to_owned() };
    let width = shown.iter().map(|(beginning, _)| name(beginning).chars().count()).max().unwrap_or(0);
    let mut header = format!("{:width$}", "");
    for kind in &kinds {
        _ = write!(header, " {:>12}", kind.name());
    }
    out.line("by prefix", header);
    for (beginning, counts) in shown {
        let mut row = format!("{:width$}", name(beginning));
        for kind in &kinds {
            let keys = counts.get(kind).map(|keys| HumanCount(*keys).to_string()).unwrap_or_default();
            _ = write!(row, " {keys:>12}");
        }
        out.line("", row.trim_end());
    }
    if all.len() > shown.len() {
        out.line("", format!("and {} more, which --output json tells", all.len() - shown.len()));
    }
}

fn databases(out: &mut Lines, totals: &Totals) {
    for db in &totals.databases {
        let from: Vec<String> = db.source_dbs.iter().map(u32::to_string).collect();
        let expiring = |expires: Option<u64>| match expires {
            Some(expires) => format!(" ({} with an expiry)", HumanCount(expires)),
            None => String::new(),
        };
        out.line(
            &format!("{} -> {}", from.join(","), db.target_db),
            format!(
                "{} keys{} on the source, {}{} on the target{}",
                HumanCount(db.keys_source),
                expiring(db.expires_source),
                HumanCount(db.keys_target),
                expiring(db.expires_target),
                if db.keys_source == db.keys_target { "" } else { "  <- differ" },
            ),
        );
    }
    for (side, types) in [("source", &totals.types_source), ("target", &totals.types_target)] {
        let sum: u64 = types.values().sum();
        if sum > 0 {
            let share = |(name, keys): (&String, &u64)| {
                format!("{:.1} % {}", *keys as f64 * 100.0 / sum as f64, printable(name.as_bytes()))
            };
            let shares: Vec<String> = types.iter().map(share).collect();
            out.line("types", format!("{side}: {} (of {} keys)", shares.join(", "), HumanCount(sum)));
        }
    }
    let memory =
        |bytes: Option<u64>| bytes.map_or("not told".to_owned(), |bytes| HumanBytes(bytes).to_string());
    out.line(
        "memory",
        format!(
            "{} on the source, {} on the target",
            memory(totals.memory_source),
            memory(totals.memory_target)
        ),
    );
}
