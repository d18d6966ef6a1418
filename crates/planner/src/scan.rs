//! What the sources of an application say about its cache, line by line.
//!
//! A finding is only as good as a look at one line: what is not literally there is not guessed. Connection settings are
//! read by [`connection`](crate::connection), which also says what stands there instead.

mod blocked;
mod calls;
mod diff;
mod keys;
mod language;
mod mask;
mod settings;

use std::collections::BTreeMap;

use serde::Serialize;

pub use diff::unified;
pub use language::Language;
pub use mask::masked;

use crate::Catalog;
use crate::catalog::{MultiKey, Table};
use crate::connection::{self, ConnectionError, Form, Kind, Places, Wish};

/// Longer lines are written by machines: only hosts are looked for in them. Bytes.
const LONGEST: usize = 10_000;

/// Something to change, or to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// One of [`IDS`].
    pub id: &'static str,
    /// What is there; never a password.
    pub text: String,
    /// What to do about it.
    pub remedy: String,
    /// The line as it should be, where that is safe to write.
    pub fix: Option<Fix>,
}

/// A line as it should be. It is shown, in every way, without its passwords.
#[derive(Clone, PartialEq, Eq)]
pub struct Fix(String);

impl Fix {
    /// With everything that is in it.
    pub fn line(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Fix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", masked(&self.0))
    }
}

impl Serialize for Fix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&masked(&self.0))
    }
}

/// Everything that a finding can be.
pub const IDS: [&str; 11] = [
    "host",
    "port",
    "tls",
    "database",
    "cluster",
    "dns_zone",
    "notifications",
    "config",
    "command",
    "multi_key",
    "script_keys",
];

/// Looks through files, one after the other.
#[derive(Debug)]
pub struct Scanner {
    wish: Wish,
    places: Places,
    blocked: blocked::Blocked,
    multikey: Table<MultiKey>,
}

/// A line, and what is known of its file.
struct Line<'t> {
    number: usize,
    text: &'t str,
    language: Language,
}

/// What a rule says of a line.
struct Said {
    id: &'static str,
    text: String,
    remedy: String,
}

impl Scanner {
    /// # Errors
    /// The wished host or region cannot be one.
    pub fn new(wish: &Wish, catalog: &Catalog) -> Result<Scanner, ConnectionError> {
        let wish = Wish { cautious: true, ..wish.clone() };
        let places = Places::new(&wish, catalog)?;
        let blocked = blocked::Blocked::new(catalog, wish.policy);
        Ok(Scanner { wish, places, blocked, multikey: catalog.multikey.clone() })
    }

    /// What is found in a file, in the order of its lines.
    pub fn text(&self, path: &str, text: &str) -> Vec<Finding> {
        let language = Language::of(path);
        let lower = text.to_ascii_lowercase();
        let redis = ["redis", "valkey", "jedis", "lettuce"].iter().any(|word| lower.contains(word));
        if !redis {
            return Vec::new();
        }
        let mut found = self.settings(path, text, language);
        for (number, line) in text.lines().enumerate() {
            let line = Line { number: number + 1, text: line, language };
            for said in self.line(&line) {
                let known = found.iter().any(|finding| finding.line == line.number && finding.id == said.id);
                if !known {
                    let Said { id, text, remedy } = said;
                    found.push(Finding {
                        file: path.to_owned(),
                        line: line.number,
                        id,
                        text,
                        remedy,
                        fix: None,
                    });
                }
            }
        }
        found.sort_by_key(|finding| finding.line);
        found
    }

    fn line(&self, line: &Line<'_>) -> Vec<Said> {
        let mut said = settings::hosts(line, &self.places);
        if line.text.len() > LONGEST || line.language == Language::Other {
            return said;
        }
        said.extend(settings::look(line, &self.places));
        let calls = calls::of(line);
        said.extend(self.blocked.look(&calls));
        said.extend(keys::look(line, &calls, self.wish.policy, &self.multikey));
        said
    }

    /// What the connection settings of a file have to be otherwise, with the lines instead.
    fn settings(&self, path: &str, text: &str, language: Language) -> Vec<Finding> {
        let form = language.form(path, text);
        let read = connection::changes(text, form, &self.wish, &self.places)
            .or_else(|| connection::changes(text, Form::Source, &self.wish, &self.places));
        let Some((document, changes)) = read else { return Vec::new() };
        let lines = Lines::of(text);
        // Half a connection string would be worse than an old one.
        let safe = changes.unresolved.is_none() && changes.enterprise.is_none();
        let mut new: BTreeMap<usize, Vec<connection::Edit>> = BTreeMap::new();
        for edit in changes.edits.iter().filter(|_| safe) {
            new.entry(lines.number(edit.span.start)).or_default().push(edit.clone());
        }
        let fixes: BTreeMap<usize, Fix> = (new.iter())
            .map(|(number, edits)| (*number, Fix(document.write_within(edits, lines.span(*number)))))
            .collect();
        let finding = |change: &connection::Change| {
            let line = lines.number(change.at);
            let id = match change.kind {
                Kind::Host => "host",
                Kind::Port => "port",
                Kind::Tls => "tls",
                Kind::Database => "database",
                Kind::Cluster | Kind::Password => "cluster",
            };
            let (text, remedy) = change.text.split_once("; ").unwrap_or((&change.text, settings::remedy(id)));
            let fix = fixes.get(&line).filter(|_| change.kind != Kind::Database).cloned();
            Finding { file: path.to_owned(), line, id, text: text.to_owned(), remedy: remedy.to_owned(), fix }
        };
        changes.list.iter().map(finding).collect()
    }
}

/// The text with the fixes of its findings, as far as they are lines of it.
pub fn fixed(text: &str, findings: &[Finding]) -> String {
    let fixes: BTreeMap<usize, &Fix> =
        findings.iter().filter_map(|finding| Some((finding.line, finding.fix.as_ref()?))).collect();
    let mut new = String::with_capacity(text.len() + 64);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let content = line.trim_end_matches(['\n', '\r']);
        match fixes.get(&(number + 1)) {
            Some(fix) => {
                new.push_str(fix.line());
                new.push_str(&line[content.len()..]);
            }
            None => new.push_str(line),
        }
    }
    new
}

/// Where lines begin.
struct Lines<'t> {
    text: &'t str,
    begins: Vec<usize>,
}

impl Lines<'_> {
    fn of(text: &str) -> Lines<'_> {
        let begins = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, begins }
    }

    fn number(&self, at: usize) -> usize {
        self.begins.partition_point(|begin| *begin <= at)
    }

    /// Without what ends it.
    fn span(&self, number: usize) -> std::ops::Range<usize> {
        let begin = self.begins[number - 1];
        let end = self.begins.get(number).copied().unwrap_or(self.text.len());
        begin..begin + self.text[begin..end].trim_end_matches(['\n', '\r']).len()
    }
}
