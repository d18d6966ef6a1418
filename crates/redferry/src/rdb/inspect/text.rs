//! What is in the files, for the terminal.

use std::fmt::Write;
use std::time::{Duration, UNIX_EPOCH};

use indicatif::{HumanBytes, HumanCount};

use super::document::checksum;
use super::survey::{Count, FileFacts, Life, told_beginning};
use super::{Account, refusals};
use crate::printable::printable;
use crate::utc;

/// Beginnings of names that get a line of their own.
const BEGINNINGS: usize = 20;

/// Width of the words at the left.
const LABEL: usize = 12;

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn line(&mut self, label: &str, text: impl std::fmt::Display) {
        _ = writeln!(self.text, "{label:>LABEL$}  {text}");
    }

    /// Rows under one label, each with keys, bytes in the file and bytes in memory.
    fn counts<'c>(&mut self, label: &str, rows: impl Iterator<Item = (String, &'c Count)>) {
        let rows: Vec<(String, &Count)> = rows.collect();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (index, (name, count)) in rows.iter().enumerate() {
            let line = format!(
                "{name:width$} {:>13} keys {:>11} in the file {:>11} in memory",
                HumanCount(count.keys).to_string(),
                HumanBytes(count.bytes).to_string(),
                HumanBytes(count.resident).to_string(),
            );
            self.line(if index == 0 { label } else { "" }, line);
        }
    }
}

/// Facts about a file that are told here; the JSON report and the page have all.
const FACTS: [&str; 5] = ["redis-ver", "valkey-ver", "redis-bits", "ctime", "used-mem"];

fn told(file: &FileFacts, fact: &str) -> Option<String> {
    let (_, value) = file.aux.iter().find(|(name, _)| name == fact.as_bytes())?;
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
    Some(match (fact, number) {
        ("ctime", Some(seconds)) => format!("of {}", utc::text(UNIX_EPOCH + Duration::from_secs(seconds))),
        ("used-mem", Some(bytes)) => format!("memory in use {}", HumanBytes(bytes)),
        ("redis-bits", _) => format!("{} bits", printable(value)),
        _ => format!("{} {}", fact.trim_end_matches("-ver"), printable(value)),
    })
}

/// The report.
pub(super) fn of(account: &Account<'_>) -> String {
    let survey = account.survey;
    let mut out = Lines::default();
    for file in &survey.files {
        let version =
            file.version.map_or("unknown version".to_owned(), |version| format!("RDB version {version}"));
        let sum = match checksum(file.checksum) {
            "not_reached" => "its end was not reached".to_owned(),
            word => format!("checksum {word}"),
        };
        out.line("file", format!("{}: {version}, {}, {sum}", file.name, HumanBytes(file.bytes)));
        let facts: Vec<String> = FACTS.iter().filter_map(|fact| told(file, fact)).collect();
        if !facts.is_empty() {
            out.line("", facts.join(", "));
        }
        if file.functions + file.module_aux > 0 {
            out.line(
                "",
                format!("{} libraries of functions, {} facts of modules", file.functions, file.module_aux),
            );
        }
    }
    out.line(
        "keys",
        format!("{}, {} with an expiry", HumanCount(survey.total.keys), HumanCount(survey.total.expires)),
    );
    let told = survey.used_memory().map(|bytes| format!("; the server said {}", HumanBytes(bytes)));
    out.line(
        "memory",
        format!(
            "about {} of the keys, estimated{}",
            HumanBytes(survey.total.resident),
            told.unwrap_or_default()
        ),
    );
    out.counts("databases", survey.databases.iter().map(|(db, count)| (db.to_string(), count)));
    out.counts("types", survey.types.iter().map(|(name, count)| (printable(name.as_bytes()), count)));
    out.counts(
        "encodings",
        survey.encodings.iter().map(|((kind, encoding), count)| (format!("{kind}/{encoding}"), count)),
    );
    out.counts(
        "to live",
        Life::ALL.iter().filter_map(|life| Some((life.words().to_owned(), survey.ttl.get(life)?))),
    );
    let prefixes = survey.prefixes();
    let name = |prefix: &[u8]| if prefix.is_empty() { "(others)".to_owned() } else { printable(prefix) };
    out.counts("by prefix", prefixes.iter().take(BEGINNINGS).map(|(prefix, count)| (name(prefix), *count)));
    if prefixes.len() > BEGINNINGS {
        out.line("", format!("and {} more, which --output json tells", prefixes.len() - BEGINNINGS));
    }
    for (index, large) in survey.largest().into_iter().enumerate() {
        let key = if account.shows_keys {
            printable(&large.name)
        } else {
            name(told_beginning(&large.name, false))
        };
        let db = if large.db == 0 { String::new() } else { format!(" (database {})", large.db) };
        let elements = large.elements.map(|n| format!(", {} elements", HumanCount(n))).unwrap_or_default();
        let line = format!(
            "{:>11} {}/{}{elements}  {key}{db}",
            HumanBytes(large.bytes).to_string(),
            large.kind,
            large.encoding
        );
        out.line(if index == 0 { "largest" } else { "" }, line);
    }
    let refused = refusals::of(survey);
    if refused.is_empty() {
        out.line("AMR's import", "nothing stands in the way");
    }
    for (index, refusal) in refused.iter().enumerate() {
        out.line(if index == 0 { "AMR's import" } else { "" }, &refusal.text);
        out.line("", format!("-> {}", refusal.remedy));
    }
    let seconds = account.elapsed.as_secs_f64().max(0.001);
    out.line(
        "redferry",
        format!(
            "{:.1} s ({}/s), {:.2} s CPU, {} memory at most",
            account.elapsed.as_secs_f64(),
            HumanBytes((survey.bytes_read() as f64 / seconds) as u64),
            account.usage.cpu_ms as f64 / 1000.0,
            HumanBytes(account.usage.peak_rss_bytes)
        ),
    );
    out.text
}
