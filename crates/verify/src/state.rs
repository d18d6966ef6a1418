//! Where a comparison is, kept on disk so that the same command goes on after an interruption.
//!
//! The file holds cursors, counts, hashes of names, and the names of keys that seem to differ; no value and no
//! password.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use client::{Node, Side};
use serde::{Deserialize, Serialize};

use crate::judged::Judged;
use crate::sums::Sums;
use crate::suspects::Record;

const FORMAT: u32 = 1;

/// By this, other commands know that the file is not theirs.
const COMMAND: &str = "verify";

/// Everything that a later run has to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    command: String,
    format: u32,
    /// What the run was asked to do.
    pub(crate) arguments: BTreeMap<String, String>,
    /// Milliseconds spent by earlier runs.
    pub(crate) elapsed_ms: u64,
    pub(crate) scans: Vec<Scan>,
    pub(crate) suspects: Vec<Record>,
    pub(crate) judged: Judged,
    pub(crate) ttl_error_bound_ms: u64,
    /// Whether suspects had to be judged early, and how often.
    pub(crate) overflows: u32,
}

/// Where the listing of one node and database is, with what was counted up to there.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Scan {
    #[serde(with = "side_as_text")]
    pub(crate) side: Side,
    host: String,
    port: u16,
    pub(crate) db: u32,
    /// The process that issued the cursor; `None` where the server hides it, and before the first page.
    pub(crate) run_id: Option<String>,
    /// Slots of the node when the listing began; empty outside of a cluster.
    pub(crate) slots: Vec<(u16, u16)>,
    /// How often it began anew.
    pub(crate) restarts: u32,
    pub(crate) reached: Reached,
}

/// How far a listing is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Reached {
    pub(crate) cursor: u64,
    pub(crate) done: bool,
    /// Keys that are meant.
    pub(crate) listed: u64,
    /// Keys that were looked at on both sides.
    pub(crate) compared: u64,
    pub(crate) sums: Sums,
}

impl Scan {
    /// A listing that has not begun.
    pub(crate) fn new(side: Side, node: &Node, db: u32, slots: Vec<(u16, u16)>) -> Scan {
        let (host, port) = (node.host.clone(), node.port);
        Scan { side, host, port, db, run_id: None, slots, restarts: 0, reached: Reached::default() }
    }

    pub(crate) fn node(&self) -> Node {
        Node { host: self.host.clone(), port: self.port }
    }
}

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It cannot be read.
    #[error("the state file {} cannot be read ({source}); check its permissions, or name another with --state", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is no state of a comparison.
    #[error("{} is not a state file of this version of redferry verify ({problem}); name another with --state, or delete it to begin anew", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// It belongs to another run.
    #[error("the state file {} belongs to another run: {}; repeat that command, or name another file with --state", path.display(), differences.join("; "))]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs, one sentence each.
        differences: Vec<String>,
    },
    /// It cannot be written.
    #[error("the state file {} cannot be written ({source}); free disk space or name another place with --state", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl State {
    /// The state of a run that has not begun.
    pub(crate) fn new(arguments: BTreeMap<String, String>) -> State {
        State {
            command: COMMAND.into(),
            format: FORMAT,
            arguments,
            elapsed_ms: 0,
            scans: Vec::new(),
            suspects: Vec::new(),
            judged: Judged::default(),
            ttl_error_bound_ms: 0,
            overflows: 0,
        }
    }

    /// Reads what an earlier run left; `None` when there is none.
    pub(crate) fn load(
        path: &Path,
        arguments: &BTreeMap<String, String>,
    ) -> Result<Option<State>, StateError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Unreadable { path: path.to_owned(), source }),
        };
        let broken = |problem: String| StateError::Broken { path: path.to_owned(), problem };
        let other = |differences| StateError::OtherRun { path: path.to_owned(), differences };
        let Envelope { command, format } =
            serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        if command.as_deref() != Some(COMMAND) {
            let command = command.unwrap_or_else(|| "another command".into());
            return Err(other(vec![format!("it was made by {command}")]));
        }
        if format != Some(FORMAT) {
            return Err(broken(format!("its format is not {FORMAT}")));
        }
        let state: State = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        let differences = differences(&state.arguments, arguments);
        if differences.is_empty() { Ok(Some(state)) } else { Err(other(differences)) }
    }

    /// Writes it, so that after a crash at any moment the old or the new one is there.
    pub(crate) fn save(&self, path: &Path) -> Result<(), StateError> {
        let write = || -> io::Result<()> {
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            let mut buffered = io::BufWriter::new(&mut file);
            serde_json::to_writer(&mut buffered, self)?;
            buffered.flush()?;
            drop(buffered);
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            // The rename itself has to reach the disk too.
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| StateError::Unwritable { path: path.to_owned(), source })
    }

    /// Removes it after a complete run; that it is gone already is fine.
    pub(crate) fn remove(path: &Path) -> Result<(), StateError> {
        match std::fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Unwritable { path: path.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

/// What every version and every command's file has.
#[derive(Deserialize)]
struct Envelope {
    command: Option<String>,
    format: Option<u32>,
}

fn differences(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let show = |value: Option<&String>| value.map_or("not given".to_owned(), |value| format!("\"{value}\""));
    names
        .into_iter()
        .filter(|name| then.get(*name) != now.get(*name))
        .map(|name| format!("{name} was {} and is now {}", show(then.get(name)), show(now.get(name))))
        .collect()
}

mod side_as_text {
    use client::Side;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(side: &Side, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(side)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Side, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "source" => Ok(Side::Source),
            "target" => Ok(Side::Target),
            _ => Err(D::Error::custom("neither source nor target")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(target: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("source".into(), "a:1".into()), ("target".into(), target.into())])
    }

    #[test]
    fn what_was_saved_is_loaded_and_another_pair_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify.json");
        assert!(State::load(&path, &arguments("b:1")).unwrap().is_none());
        let mut state = State::new(arguments("b:1"));
        let node = Node { host: "10.0.0.1".into(), port: 6380 };
        state.scans.push(Scan::new(Side::Target, &node, 3, vec![(0, 5460)]));
        state.scans[0].reached.cursor = u64::MAX;
        state.scans[0].reached.sums.add(u128::MAX / 3);
        state.save(&path).unwrap();
        let loaded = State::load(&path, &arguments("b:1")).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&loaded).unwrap(), serde_json::to_value(&state).unwrap());
        let error = State::load(&path, &arguments("c:1")).unwrap_err().to_string();
        assert!(error.contains("target was \"b:1\" and is now \"c:1\""), "{error}");
        State::remove(&path).unwrap();
        State::remove(&path).unwrap();
        assert!(State::load(&path, &arguments("b:1")).unwrap().is_none());
    }

    #[test]
    fn what_is_no_state_of_a_comparison_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify.json");
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            State::load(&path, &arguments("b")).unwrap_err()
        };
        assert!(matches!(load("{\"format\":1,"), StateError::Broken { .. }));
        assert!(matches!(load("{\"format\":1,\"arguments\":{}}"), StateError::OtherRun { .. }));
        assert!(matches!(load("{\"command\":\"verify\",\"format\":2}"), StateError::Broken { .. }));
    }
}
