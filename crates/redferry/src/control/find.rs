//! Which sync is meant.

use std::path::{Path, PathBuf};

use super::file::{ENDING, beside};
use super::{Control, ControlError};

const BEGINNING: &str = "redferry-sync-";

impl Control {
    /// The sync with this state file, or the only one whose state is in the working folder.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub(crate) fn find(state: Option<&Path>) -> Result<Control, ControlError> {
        if let Some(state) = state {
            return Control::read(beside(state));
        }
        let mut states = states(Path::new("."))?;
        match (states.pop(), states.is_empty()) {
            (None, _) => {
                Err(ControlError::NoneHere(std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))))
            }
            (Some(only), true) => Control::read(beside(&only)),
            (Some(last), false) => {
                states.push(last);
                Err(ControlError::SeveralHere(states))
            }
        }
    }
}

/// State files in a folder that have a control file, by their names alone.
fn states(folder: &Path) -> Result<Vec<PathBuf>, ControlError> {
    let unreadable = |source| ControlError::Unreadable { file: folder.to_owned(), source };
    let mut states = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let Some(state) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
        if state.starts_with(BEGINNING) && state.ends_with(".state.json") {
            states.push(PathBuf::from(state));
        }
    }
    states.sort();
    Ok(states)
}
