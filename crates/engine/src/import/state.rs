//! What an import remembers on disk.

use std::path::Path;

use migration::sequence::SequencePosition;
use migration::tally::Tally;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Arguments, CheckpointError, load_state, write_whole};

/// The only format so far.
const FORMAT: u32 = 1;

/// The command, as it stands in the file.
const COMMAND: &str = "rdb import";

/// The remembered state of one import. It holds no password, no key and no value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportState {
    command: String,
    format: u32,
    /// What the run was asked to do.
    pub arguments: Arguments,
    /// Milliseconds spent by earlier runs.
    pub elapsed_ms: u64,
    /// Which of the files is being imported; those before it are done.
    pub file: usize,
    /// What tells this file from another of the same name, once its head was read.
    pub fingerprint: Option<String>,
    /// How far it is.
    pub position: SequencePosition,
    /// What became of the keys of the files before.
    pub before: Tally,
}

impl ImportState {
    /// The state of a run that has not begun.
    pub fn new(arguments: Arguments) -> ImportState {
        ImportState {
            command: COMMAND.to_owned(),
            format: FORMAT,
            arguments,
            elapsed_ms: 0,
            file: 0,
            fingerprint: None,
            position: SequencePosition::default(),
            before: Tally::default(),
        }
    }

    /// Reads what an earlier run left; `None` when there is none.
    ///
    /// # Errors
    /// The file is unreadable or no such state, or belongs to a run with other arguments.
    pub fn load(path: &Path, arguments: &Arguments) -> Result<Option<ImportState>, CheckpointError> {
        load_state(path, COMMAND, FORMAT, arguments)
    }

    /// Writes it, so that after a crash at any moment the old or the new one is there.
    ///
    /// # Errors
    /// The folder is missing, full or read-only.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        write_whole(path, self)
    }

    /// What became of all keys up to here.
    pub fn total(&self) -> Tally {
        let mut total = self.before.clone();
        total.add(&self.position.tally);
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Checkpoint;

    #[test]
    fn states_of_copy_and_import_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let arguments = Arguments::from([("target".into(), "a:1".into())]);
        let mut state = ImportState::new(arguments.clone());
        state.file = 2;
        state.save(&path).unwrap();
        assert_eq!(ImportState::load(&path, &arguments).unwrap(), Some(state));
        let error = Checkpoint::load(&path, &arguments).unwrap_err().to_string();
        assert!(error.contains("redferry rdb import"), "{error}");
        Checkpoint::new(arguments.clone()).save(&path).unwrap();
        let error = ImportState::load(&path, &arguments).unwrap_err().to_string();
        assert!(error.contains("redferry copy"), "{error}");
        assert!(ImportState::load(&folder.path().join("none"), &arguments).unwrap().is_none());
    }
}
