//! What a sync remembers on disk: which caches and keys it is about, and which of the two is in charge.
//!
//! It needs no more. What changed while no process listened is not known, so whoever goes on compares everything.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use engine::{Arguments, CheckpointError};
use serde::{Deserialize, Serialize};

use super::direction::{Direction, Turn};
use crate::utc;

/// The command, as it stands in the file.
const COMMAND: &str = "sync";

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

impl State {
    /// The state of a sync that has not begun.
    pub(crate) fn new(arguments: Arguments) -> State {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let run = format!("{:x}{:x}", since.as_nanos(), std::process::id());
        State {
            command: COMMAND.to_owned(),
            format: FORMAT,
            arguments,
            run,
            direction: Direction::Forward,
            turns: Vec::new(),
        }
    }

    /// Reads what an earlier process left; `None` when there is none.
    pub(crate) fn load(path: &Path, arguments: &Arguments) -> Result<Option<State>, CheckpointError> {
        engine::load_state(path, COMMAND, FORMAT, arguments)
    }

    /// The other cache is in charge from now on.
    pub(crate) fn turned(&self, turn: Turn) -> State {
        let mut state = self.clone();
        state.direction = turn.ends().turned();
        state.turns.push(Turned { turn, at: utc::text(SystemTime::now()) });
        state
    }

    /// Writes it.
    pub(crate) fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        engine::write_whole(path, self)
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
        assert!(error.contains("target was \"b\" and is now \"c\""), "{error}");
        std::fs::write(&path, br#"{"format":1,"arguments":{},"elapsed_ms":0,"scans":[]}"#).unwrap();
        let error = State::load(&path, &arguments("b")).unwrap_err();
        assert!(
            matches!(error, CheckpointError::OtherRun { .. }) && error.to_string().contains("redferry copy")
        );
        std::fs::write(&path, b"{").unwrap();
        assert!(matches!(State::load(&path, &arguments("b")), Err(CheckpointError::Broken { .. })));
    }
}
