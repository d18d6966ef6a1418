//! Where a key goes: which database, under which name; and back.
//!
//! A clustered or managed target has one database only, so several source databases are told apart by
//! a prefix. The way back (`origins`) is what the change feed needs to find the key behind a target's name.

mod collision;
mod text;

use serde::{Deserialize, Serialize};

pub use text::{parse_db_list, parse_db_map, parse_db_prefix, parse_rename, prefix_by_db};

/// One source database that is copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DbRule {
    /// The database on the source.
    pub source: u32,
    /// The database on the target.
    pub target: u32,
    /// Put before every key of this database; mostly empty.
    pub prefix: Vec<u8>,
}

/// Keys that begin with `from` begin with `to` on the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rename {
    /// The beginning to look for. Empty: every key.
    pub from: Vec<u8>,
    /// What stands there instead. Empty: it is cut off.
    pub to: Vec<u8>,
}

/// Rules that contradict each other, or a text that is no rule. Prefixes appear in the message, keys never.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// No database at all.
    #[error("no database is selected; name at least one")]
    NoDatabase,
    /// Two rules for one source database.
    #[error("source database {0} is given twice; a database goes to one place")]
    DatabaseTwice(u32),
    /// A rename that does nothing.
    #[error("a rename from nothing to nothing has no effect; leave it out")]
    EmptyRename,
    /// A rename that an earlier one always wins over, such as the same `from` again.
    #[error(
        "the rename of {hidden:?} never applies, because the one of {earlier:?} before it takes all its keys; \
         put it first or leave it out"
    )]
    HiddenRename {
        /// `from` of the rule that cannot apply.
        hidden: String,
        /// `from` of the rule before it.
        earlier: String,
    },
    /// A text on the command line that is no such rule.
    #[error("{given:?} is not {expected}")]
    Text {
        /// What was given.
        given: String,
        /// What would be right, with an example.
        expected: &'static str,
    },
}

/// Checked rules for databases and names.
///
/// A key first goes through the renames, of which the first that fits applies and only that one, in
/// every database alike; then its database's prefix is put before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Naming {
    databases: Vec<DbRule>,
    renames: Vec<Rename>,
}

impl Naming {
    /// # Errors
    /// When there is no database or one comes twice, or when a rename has no effect.
    pub fn new(databases: Vec<DbRule>, renames: Vec<Rename>) -> Result<Naming, NamingError> {
        if databases.is_empty() {
            return Err(NamingError::NoDatabase);
        }
        for (i, rule) in databases.iter().enumerate() {
            if databases[..i].iter().any(|earlier| earlier.source == rule.source) {
                return Err(NamingError::DatabaseTwice(rule.source));
            }
        }
        for (i, rename) in renames.iter().enumerate() {
            if rename.from.is_empty() && rename.to.is_empty() {
                return Err(NamingError::EmptyRename);
            }
            if let Some(earlier) = renames[..i].iter().find(|earlier| rename.from.starts_with(&earlier.from))
            {
                return Err(NamingError::HiddenRename {
                    hidden: printable(&rename.from),
                    earlier: printable(&earlier.from),
                });
            }
        }
        Ok(Naming { databases, renames })
    }

    /// The given databases to themselves, every key under its own name.
    ///
    /// # Errors
    /// When no database is given, or one twice.
    pub fn identity(databases: impl IntoIterator<Item = u32>) -> Result<Naming, NamingError> {
        let rule = |db| DbRule { source: db, target: db, prefix: Vec::new() };
        Naming::new(databases.into_iter().map(rule).collect(), Vec::new())
    }

    /// The source databases that are copied, in the order given.
    pub fn source_dbs(&self) -> impl Iterator<Item = u32> {
        self.databases.iter().map(|rule| rule.source)
    }

    /// Where a source database goes; `None` when it is not copied.
    pub fn target_db(&self, source_db: u32) -> Option<u32> {
        self.rule(source_db).map(|rule| rule.target)
    }

    /// Whether every key of a source database keeps its database and its name.
    pub fn is_identity(&self, source_db: u32) -> bool {
        self.rule(source_db).is_some_and(|rule| rule.target == source_db && rule.prefix.is_empty())
            && self.renames.iter().all(|rename| rename.from == rename.to)
    }

    /// Whether the keys of a source database keep their names, in whatever database they go to.
    pub fn keeps_names(&self, source_db: u32) -> bool {
        self.rule(source_db).is_none_or(|rule| rule.prefix.is_empty())
            && self.renames.iter().all(|rename| rename.from == rename.to)
    }

    /// The target's name for a key of a source database. A name that stays is `key` itself; only a new
    /// one is written into `scratch`, whose old content is lost. A database that is not copied has no prefix.
    pub fn target_name<'a>(&self, source_db: u32, key: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let prefix = self.rule(source_db).map_or(&[][..], |rule| &rule.prefix);
        let (from, to) = match self.renames.iter().find(|rename| key.starts_with(&rename.from)) {
            Some(rename) => (rename.from.as_slice(), rename.to.as_slice()),
            None => (&[][..], &[][..]),
        };
        if prefix.is_empty() && from == to {
            return key;
        }
        scratch.clear();
        scratch.extend_from_slice(prefix);
        scratch.extend_from_slice(to);
        scratch.extend_from_slice(&key[from.len()..]);
        scratch
    }

    /// Every source database and key that goes to exactly this name in this target database.
    ///
    /// More than one when names collide; none when no key can go there.
    pub fn origins(&self, name: &[u8], target_db: u32) -> Vec<(u32, Vec<u8>)> {
        let mut found = Vec::new();
        let mut scratch = Vec::new();
        for rule in self.databases.iter().filter(|rule| rule.target == target_db) {
            let Some(renamed) = name.strip_prefix(rule.prefix.as_slice()) else { continue };
            let unnamed = self.renames.iter().filter_map(|rename| {
                let tail = renamed.strip_prefix(rename.to.as_slice())?;
                Some([rename.from.as_slice(), tail].concat())
            });
            for key in std::iter::once(renamed.to_vec()).chain(unnamed) {
                // Another rule may apply to the candidate than the one it was made with.
                let is_origin = self.target_name(rule.source, &key, &mut scratch) == name;
                let origin = (rule.source, key);
                if is_origin && !found.contains(&origin) {
                    found.push(origin);
                }
            }
        }
        found
    }

    /// The rules of the way back, from the target to the source; `None` when a name of the target does not say where
    /// it came from: names are changed, or two databases go to one.
    pub fn reversed(&self) -> Option<Naming> {
        let databases = self.databases.iter().map(|rule| DbRule {
            source: rule.target,
            target: rule.source,
            prefix: Vec::new(),
        });
        if !self.databases.iter().all(|rule| self.keeps_names(rule.source)) {
            return None;
        }
        Naming::new(databases.collect(), Vec::new()).ok()
    }

    /// Whether two different keys, one of each source database, can go to one name of one target
    /// database. Exact: `true` means that such keys exist. Both databases may be the same one.
    pub fn may_collide(&self, db_a: u32, db_b: u32) -> bool {
        self.collision(db_a, db_b).is_some()
    }

    /// One line for each rule, for a report. Prefixes are escaped to ASCII.
    pub fn describe(&self) -> Vec<String> {
        let databases =
            self.databases.iter().map(|DbRule { source, target, prefix }| match prefix.as_slice() {
                [] => format!("database {source} -> {target}"),
                prefix => {
                    format!("database {source} -> {target}, \"{}\" put before every key", printable(prefix))
                }
            });
        let renames = self.renames.iter().map(|Rename { from, to }| {
            format!("keys beginning with \"{}\" begin with \"{}\" instead", printable(from), printable(to))
        });
        databases.chain(renames).collect()
    }

    fn rule(&self, source_db: u32) -> Option<&DbRule> {
        self.databases.iter().find(|rule| rule.source == source_db)
    }
}

fn printable(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

#[cfg(test)]
mod tests;
