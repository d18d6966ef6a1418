//! The findings for a person: both sides beside each other, then the checks.

use std::fmt::Write as _;

use super::findings::{Check, Findings, Layout, SideFacts, Status};

/// Characters per line.
const WIDTH: usize = 100;
const LABEL: usize = 14;
const COLUMN: usize = (WIDTH - LABEL) / 2;

impl Findings {
    /// A table of at most 100 columns, and the checks below it. Ends with a line feed.
    pub fn table(&self) -> String {
        let mut out = String::new();
        row(&mut out, "", "source", "target");
        let mut line = |label: &str, fact: fn(&SideFacts) -> String| {
            row(&mut out, label, &fact(&self.source), &fact(&self.target));
        };
        line("address", |facts| facts.address.clone());
        line("product", |facts| facts.product.clone());
        line("nodes", |facts| match facts.topology {
            Layout::Single => "1".to_owned(),
            Layout::Cluster => format!("{} primaries", facts.nodes.len()),
        });
        line("encryption", |facts| if facts.tls { "TLS" } else { "none" }.to_owned());
        line("keys", databases);
        line("memory", memory);
        line("eviction", |facts| known(facts.eviction_policy.clone()));
        line("modules", modules);
        line("clock", |facts| {
            // Adding zero turns -0.0 into 0.0.
            let rounded = |offset: f64| (offset * 10.0).round() / 10.0 + 0.0;
            known(facts.clock_offset_ms.map(|offset| format!("{:+.1} ms to this machine", rounded(offset))))
        });
        line("round trip", |facts| format!("{:.2} ms", facts.round_trip_us as f64 / 1000.0));
        line("missing", missing);
        out.push('\n');
        for check in &self.checks {
            write_check(&mut out, check);
        }
        out
    }
}

/// A size as people read it, in powers of 1024.
pub(super) fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{size} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

fn known(fact: Option<String>) -> String {
    fact.unwrap_or_else(|| "not told".to_owned())
}

fn databases(facts: &SideFacts) -> String {
    match facts.databases.as_slice() {
        [] => "none".to_owned(),
        [only] => format!("{} in database {}", only.keys, only.db),
        several => {
            let each: Vec<String> =
                several.iter().map(|found| format!("{}: {}", found.db, found.keys)).collect();
            format!("{} ({})", facts.keys(), each.join(", "))
        }
    }
}

fn memory(facts: &SideFacts) -> String {
    let used = known(facts.used_memory.map(bytes));
    match facts.maxmemory {
        Some(0) => format!("{used}, no limit"),
        Some(limit) => format!("{used} of {}", bytes(limit)),
        None => format!("{used}, limit not told"),
    }
}

fn modules(facts: &SideFacts) -> String {
    known(facts.modules.as_ref().map(|modules| match modules.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(|module| module.name.as_str()).collect::<Vec<_>>().join(", "),
    }))
}

fn missing(facts: &SideFacts) -> String {
    let missing: Vec<&str> =
        facts.commands.iter().filter(|tried| !tried.available).map(|tried| tried.command).collect();
    if missing.is_empty() { "nothing".to_owned() } else { missing.join(", ") }
}

/// One row; a fact that is too long goes on below.
fn row(out: &mut String, label: &str, source: &str, target: &str) {
    let (source, target) = (wrap(source, COLUMN - 2), wrap(target, COLUMN));
    for index in 0..source.len().max(target.len()) {
        let label = if index == 0 { label } else { "" };
        let part = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
        let line = format!("{label:LABEL$}{:COLUMN$}{}", part(&source), part(&target));
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn write_check(out: &mut String, check: &Check) {
    let sign = match check.status {
        Status::Ok => "✓",
        Status::Note => "·",
        Status::Warning => "!",
        Status::Refused => "✗",
    };
    let indent = LABEL + 2;
    for (index, line) in wrap(&check.text, WIDTH - indent).iter().enumerate() {
        let (sign, id) = if index == 0 { (sign, check.id) } else { (" ", "") };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{sign} {id:LABEL$}{line}");
    }
    if !check.remedy.is_empty() && check.status >= Status::Warning {
        for (index, line) in wrap(&check.remedy, WIDTH - indent - 3).iter().enumerate() {
            let arrow = if index == 0 { "-> " } else { "   " };
            let _ = writeln!(out, "{:indent$}{arrow}{line}", "");
        }
    }
}

/// Lines of at most `width` characters, broken at spaces; longer words are cut into pieces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(String::new());
            used = 0;
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(String::new());
            let line = lines.len() - 2;
            lines[line] = word.into_iter().collect();
            word = rest;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.extend(&word);
            used += word.len();
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_at_spaces_and_never_too_wide() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("a abcdefgh", 4), ["a", "abcd", "efgh"]);
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(12 << 30), "12.0 GiB");
    }
}
