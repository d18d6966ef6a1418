//! What a sync remembers on disk: which caches and keys it is about, and which of the two is in charge.
//!
//! It needs no more. What changed while no process listened is not known, so whoever goes on compares everything.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use engine::Arguments;
use serde::{Deserialize, Serialize};

use super::direction::{Direction, Turn};
use crate::utc;

/// The only format so far.
const FORMAT: u32 = 1;

/// The remembered state of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    command: String,
    format: u32,
    /// What the sync was asked to do.
    arguments: Arguments,
    /// Tells its connections from those of others.
    pub(crate) run: String,
    /// Which way it goes.
    pub(crate) direction: Direction,
    /// Each time that the other cache was put in charge.
    pub(crate) turns: Vec<Turned>,
}

/// The other cache was put in charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Turned {
    /// Which way.
    pub(crate) turn: Turn,
    /// When, in UTC.
    pub(crate) at: String,
}

/// Why a state cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("the state file {} cannot be read ({source}); check its permissions, or name another with --state", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not a state file of redferry sync ({problem}); name another with --state, or delete it to begin anew", path.display())]
    Broken { path: PathBuf, problem: String },
    #[error("the state file {} belongs to another sync: {}; repeat that one, or name another file with --state", path.display(), differences.join("; "))]
    OtherRun { path: PathBuf, differences: Vec<String> },
    #[error("the state file {} cannot be written ({source}); free disk space or name another place with --state", path.display())]
    Unwritable { path: PathBuf, source: io::Error },
}

impl State {
    /// The state of a sync that has not begun.
    pub(crate) fn new(arguments: Arguments) -> State {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = format!("{:x}{:x}", since.as_nanos(), std::process::id());
        State {
            command: "sync".to_owned(),
            format: FORMAT,
            arguments,
            run,
            direction: Direction::Forward,
            turns: Vec::new(),
        }
    }

    /// Reads what an earlier process left; `None` when there is none.
    pub(crate) fn load(path: &Path, arguments: &Arguments) -> Result<Option<State>, StateError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StateError::Unreadable { path: path.to_owned(), source }),
        };
        let broken = |problem: String| StateError::Broken { path: path.to_owned(), problem };
        let state: State = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        if state.command != "sync" || state.format != FORMAT {
            return Err(broken(format!("it is format {} of redferry {}", state.format, state.command)));
        }
        let names: std::collections::BTreeSet<&String> =
            state.arguments.keys().chain(arguments.keys()).collect();
        let absent = "nothing".to_owned();
        let differences: Vec<String> = names
            .into_iter()
            .filter_map(|name| {
                let (was, is) = (state.arguments.get(name), arguments.get(name));
                let (was, is) = (was.unwrap_or(&absent), is.unwrap_or(&absent));
                (was != is).then(|| format!("{name} was {was} and is {is}"))
            })
            .collect();
        match differences.is_empty() {
            true => Ok(Some(state)),
            false => Err(StateError::OtherRun { path: path.to_owned(), differences }),
        }
    }

    /// The other cache is in charge from now on.
    pub(crate) fn turned(&self, turn: Turn) -> State {
        let mut state = self.clone();
        state.direction = turn.ends().turned();
        state.turns.push(Turned { turn, at: utc::text(SystemTime::now()) });
        state
    }

    /// Writes it, so that after a crash at any moment the old or the new one is there.
    pub(crate) fn save(&self, path: &Path) -> Result<(), StateError> {
        let write = || -> io::Result<()> {
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            // The rename itself has to reach the disk too.
            File::open(folder)?.sync_all()
        };
        write().map_err(|source| StateError::Unwritable { path: path.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(target: &str) -> Arguments {
        Arguments::from([("target".to_owned(), target.to_owned())])
    }

    #[test]
    fn who_is_in_charge_survives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.json");
        assert_eq!(State::load(&path, &arguments("b")).unwrap(), None);
        let state = State::new(arguments("b")).turned(Turn::CutOver);
        state.save(&path).unwrap();
        let loaded = State::load(&path, &arguments("b")).unwrap().unwrap();
        assert_eq!((loaded.direction, loaded.turns.len()), (Direction::Back, 1));
        assert_eq!(loaded, state);
        assert_eq!(loaded.turned(Turn::RollBack).direction, Direction::Forward);
    }

    #[test]
    fn a_state_of_another_pair_or_command_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sync.json");
        State::new(arguments("b")).save(&path).unwrap();
        let error = State::load(&path, &arguments("c")).unwrap_err().to_string();
        assert!(error.contains("target was b and is c"), "{error}");
        std::fs::write(&path, br#"{"format":1,"arguments":{},"elapsed_ms":0,"scans":[]}"#).unwrap();
        assert!(matches!(State::load(&path, &arguments("b")), Err(StateError::Broken { .. })));
        std::fs::write(&path, b"{").unwrap();
        assert!(matches!(State::load(&path, &arguments("b")), Err(StateError::Broken { .. })));
    }
}
