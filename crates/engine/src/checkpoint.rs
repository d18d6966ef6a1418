//! What a run remembers on disk, so that the same command goes on after any kind of end.
//!
//! The file is written whole beside the old one, forced to disk and renamed over it: a reader sees the
//! old or the new checkpoint, never half of one. It holds no password, no key and no value.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use client::Node;
use migration::pages::ScanPosition;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The only format so far.
const FORMAT: u32 = 1;

/// The arguments that decide what a run does, by name.
pub type Arguments = BTreeMap<String, String>;

/// The remembered state of one copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    format: u32,
    /// What the run was asked to do.
    pub arguments: Arguments,
    /// Milliseconds spent by earlier runs of this copy.
    pub elapsed_ms: u64,
    /// Where each scan is.
    pub scans: Vec<ScanRecord>,
}

/// The command that a state file says it belongs to; a copy's says nothing.
#[derive(Debug, Deserialize)]
struct Owner {
    command: Option<String>,
}

/// Where the scan of one node and database is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanRecord {
    /// Host of the node.
    pub host: String,
    /// Port of the node.
    pub port: u16,
    /// Database.
    pub db: u32,
    /// The process that issued the cursor.
    pub run_id: Option<String>,
    /// Slots the node had when the scan began; empty outside a cluster.
    pub slots: Vec<(u16, u16)>,
    /// Cursor and counts.
    pub position: ScanPosition,
    /// How often the scan began anew.
    pub restarts: u32,
}

impl ScanRecord {
    /// The node that is scanned.
    pub fn node(&self) -> Node {
        Node { host: self.host.clone(), port: self.port }
    }
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It cannot be read.
    #[error("the state file {} cannot be read ({source}); check its permissions, or name another with --state", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is not a checkpoint.
    #[error("{} is not a state file of this version of redferry ({problem}); name another with --state, or delete it to begin anew", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// It belongs to another copy, or to another command.
    #[error("the state file {} belongs to another copy or command: {}; repeat that one, or name another file with --state", path.display(), differences.join("; "))]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs, one sentence each.
        differences: Vec<String>,
    },
    /// Another process is at it.
    #[error("another redferry is using the state file {}; wait for it, or name another file with --state", .0.display())]
    InUse(PathBuf),
    /// It cannot be written.
    #[error("the state file {} cannot be written ({source}); free disk space or name another place with --state", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl Checkpoint {
    /// The checkpoint of a run that has not begun.
    pub fn new(arguments: Arguments) -> Checkpoint {
        Checkpoint { format: FORMAT, arguments, elapsed_ms: 0, scans: Vec::new() }
    }

    /// Reads what an earlier run left; `None` when there is none.
    ///
    /// # Errors
    /// The file is unreadable or no checkpoint, or belongs to a run with other arguments.
    pub fn load(path: &Path, arguments: &Arguments) -> Result<Option<Checkpoint>, CheckpointError> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CheckpointError::Unreadable { path: path.to_owned(), source }),
        };
        let broken = |problem: String| CheckpointError::Broken { path: path.to_owned(), problem };
        if let Ok(Owner { command: Some(command) }) = serde_json::from_slice(&text) {
            let differences = vec![format!("it was made by redferry {command}, and this is copy")];
            return Err(CheckpointError::OtherRun { path: path.to_owned(), differences });
        }
        let checkpoint: Checkpoint =
            serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
        if checkpoint.format != FORMAT {
            return Err(broken(format!("its format is {}", checkpoint.format)));
        }
        let differences = differences(&checkpoint.arguments, arguments);
        if differences.is_empty() {
            Ok(Some(checkpoint))
        } else {
            Err(CheckpointError::OtherRun { path: path.to_owned(), differences })
        }
    }

    /// Writes it, so that after a crash at any moment the old or the new one is there.
    ///
    /// # Errors
    /// The folder is missing, full or read-only.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        write_whole(path, self)
    }

    /// Removes it after a complete run; that it is gone already is fine.
    ///
    /// # Errors
    /// The folder does not allow it.
    pub fn remove(path: &Path) -> Result<(), CheckpointError> {
        match std::fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(CheckpointError::Unwritable { path: path.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

/// What every state file but a copy's says of itself besides its [`Owner`].
#[derive(Debug, Deserialize)]
struct Envelope {
    format: u32,
    arguments: Arguments,
}

/// Reads the state that an earlier run of this command left; `None` when there is none.
///
/// # Errors
/// The file is unreadable or no state file, or belongs to another command or to a run with other arguments.
pub fn load_state<T: DeserializeOwned>(
    path: &Path,
    command: &str,
    format: u32,
    arguments: &Arguments,
) -> Result<Option<T>, CheckpointError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CheckpointError::Unreadable { path: path.to_owned(), source }),
    };
    let broken = |problem: String| CheckpointError::Broken { path: path.to_owned(), problem };
    if let Ok(Owner { command: owner }) = serde_json::from_slice(&text)
        && owner.as_deref() != Some(command)
    {
        let owner = owner.as_deref().unwrap_or("copy");
        let differences = vec![format!("it was made by redferry {owner}, and this is {command}")];
        return Err(CheckpointError::OtherRun { path: path.to_owned(), differences });
    }
    let envelope: Envelope = serde_json::from_slice(&text).map_err(|error| broken(error.to_string()))?;
    if envelope.format != format {
        return Err(broken(format!("its format is {}", envelope.format)));
    }
    let differences = differences(&envelope.arguments, arguments);
    if !differences.is_empty() {
        return Err(CheckpointError::OtherRun { path: path.to_owned(), differences });
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| broken(error.to_string()))
}

/// Writes a state file beside the old one and puts it into its place, so that after a crash at any moment the old or the
/// new one is there.
///
/// # Errors
/// The folder is missing, full or read-only.
pub fn write_whole(path: &Path, state: &impl Serialize) -> Result<(), CheckpointError> {
    let write = || -> io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, state)?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        // The rename itself has to reach the disk too.
        File::open(folder)?.sync_all()
    };
    write().map_err(|source| CheckpointError::Unwritable { path: path.to_owned(), source })
}

/// The right to use a state file, for one process at a time. The operating system takes it back however
/// the process ends.
#[derive(Debug)]
pub struct StateLock {
    path: PathBuf,
    _file: File,
}

impl StateLock {
    /// Takes the right for the state file at `state`.
    ///
    /// # Errors
    /// Another process has it, or the folder cannot be written.
    pub fn take(state: &Path) -> Result<StateLock, CheckpointError> {
        let mut path = state.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let unwritable = |source| CheckpointError::Unwritable { path: state.to_owned(), source };
        loop {
            let file = File::create(&path).map_err(unwritable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(CheckpointError::InUse(state.to_owned())),
                Err(TryLockError::Error(source)) => return Err(unwritable(source)),
            }
            // Between opening and locking, its last owner may have removed it, and another made a new one.
            let ours = file.metadata().map_err(unwritable)?.ino();
            if std::fs::metadata(&path).is_ok_and(|there| there.ino() == ours) {
                return Ok(StateLock { path, _file: file });
            }
        }
    }
}

impl Drop for StateLock {
    fn drop(&mut self) {
        // Removed while it is still locked. One that stays behind is harmless: the lock counts, not the file.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn differences(then: &Arguments, now: &Arguments) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let show = |value: Option<&String>| value.map_or("not given".to_owned(), |value| format!("\"{value}\""));
    names
        .into_iter()
        .filter(|name| then.get(*name) != now.get(*name))
        .map(|name| format!("{name} was {} and is now {}", show(then.get(name)), show(now.get(name))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(target: &str) -> Arguments {
        Arguments::from([("source".into(), "a:1".into()), ("target".into(), target.into())])
    }

    #[test]
    fn what_was_saved_is_loaded_and_another_pair_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.json");
        assert!(Checkpoint::load(&path, &arguments("b:1")).unwrap().is_none());
        let mut checkpoint = Checkpoint::new(arguments("b:1"));
        checkpoint.scans.push(ScanRecord {
            host: "10.0.0.1".into(),
            port: 6380,
            db: 3,
            run_id: Some("abc".into()),
            slots: vec![(0, 5460)],
            position: ScanPosition { cursor: u64::MAX, done: false, tally: Default::default() },
            restarts: 1,
        });
        checkpoint.save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path, &arguments("b:1")).unwrap().unwrap(), checkpoint);
        let error = Checkpoint::load(&path, &arguments("c:1")).unwrap_err().to_string();
        assert!(error.contains("target was \"b:1\" and is now \"c:1\""), "{error}");
    }

    #[test]
    fn one_process_at_a_time_uses_a_state_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.json");
        let lock = StateLock::take(&path).unwrap();
        assert!(matches!(StateLock::take(&path), Err(CheckpointError::InUse(_))));
        drop(lock);
        StateLock::take(&path).unwrap();
    }

    #[test]
    fn a_state_of_another_command_is_another_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("verify.json");
        std::fs::write(&path, br#"{"command":"verify","format":1,"scans":{}}"#).unwrap();
        let error = Checkpoint::load(&path, &arguments("b")).unwrap_err();
        assert!(matches!(error, CheckpointError::OtherRun { .. }), "{error}");
        assert!(error.to_string().contains("redferry verify"), "{error}");
    }

    #[test]
    fn half_a_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.json");
        std::fs::write(&path, b"{\"format\":1,").unwrap();
        assert!(matches!(Checkpoint::load(&path, &arguments("b")), Err(CheckpointError::Broken { .. })));
    }
}
