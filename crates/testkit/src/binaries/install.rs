//! A folder of installed things that many processes may fill at once.
//!
//! Each thing is made in a side folder, stamped, and renamed into place, so it is either there completely
//! or not at all. A lock file makes the second process wait for the first instead of downloading too.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Name of the file that marks a folder as complete and says what is in it.
const STAMP: &str = "INSTALLED";

/// The folder that everything fetched is kept in.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the folder, and makes it if it is not there.
    pub(crate) fn open(root: PathBuf) -> Result<Store> {
        fs::create_dir_all(&root).with_context(|| format!("cannot make the folder {}", root.display()))?;
        let root = root.canonicalize().with_context(|| format!("cannot open {}", root.display()))?;
        Ok(Store { root })
    }

    /// Returns the folder `name`, and lets `make` fill it if it is not there yet.
    ///
    /// The name carries the version: another version is another folder, so a running test keeps its files.
    /// `make` returns a record of what it installed.
    pub(crate) fn installed(
        &self,
        name: &str,
        make: impl FnOnce(&Path) -> Result<String>,
    ) -> Result<PathBuf> {
        let folder = self.root.join(name);
        if folder.join(STAMP).exists() {
            return Ok(folder);
        }
        let lock = File::create(self.root.join(format!("{name}.lock"))).context("cannot make a lock file")?;
        lock.lock().context("cannot lock the folder of test servers")?;
        // Whoever held the lock before may have done the work.
        if folder.join(STAMP).exists() {
            return Ok(folder);
        }
        let partial = self.root.join(format!("{name}.partial"));
        remove(&partial)?;
        remove(&folder)?;
        fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
        let record = make(&partial)?;
        fs::write(partial.join(STAMP), record).context("cannot write the stamp of an installed folder")?;
        fs::rename(&partial, &folder).with_context(|| format!("cannot rename to {}", folder.display()))?;
        Ok(folder)
    }
}

/// Removes what an interrupted run left behind.
fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("servers")).unwrap();
        (dir, store)
    }

    #[test]
    fn many_at_once_make_it_once() {
        let (_dir, store) = store();
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let folder = store
                        .installed("thing-1", |partial| {
                            made.fetch_add(1, Ordering::SeqCst);
                            thread::sleep(std::time::Duration::from_millis(50));
                            fs::write(partial.join("file"), "x")?;
                            Ok("thing 1".into())
                        })
                        .unwrap();
                    assert_eq!(fs::read_to_string(folder.join("file")).unwrap(), "x");
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_attempt_leaves_nothing_that_looks_complete() {
        let (_dir, store) = store();
        let failed = store.installed("thing-1", |partial| {
            fs::write(partial.join("half"), "x")?;
            bail!("the network went away")
        });
        assert!(failed.is_err());
        let folder = store.installed("thing-1", |_| Ok(String::new())).unwrap();
        assert!(!folder.join("half").exists());
    }
}
