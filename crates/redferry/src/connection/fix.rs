//! Rewriting what is safe: after a look at the diff, and only files that are as they were.

use std::collections::BTreeSet;
use std::fs;
use std::hash::Hasher;
use std::io::{self, BufRead, IsTerminal, Write};

use planner::scan::{Scanner, fixed};

use super::scan::Fixable;
use super::tree::{self, Content};
use crate::args::NewCache;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// By the names that findings have.
    pub(super) written: BTreeSet<String>,
    pub(super) failed: Vec<String>,
}

/// Whether somebody at a terminal can be asked.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows the diff and asks whether to write.
pub(super) fn agreed(diff: &str, files: usize) -> bool {
    eprint!("{diff}Write these changes to {files} files? [y/N] ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok()
        && ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str())
}

/// Writes each file whole or not at all.
pub(super) fn write(files: &[Fixable], scanner: &Scanner, largest: u64) -> Done {
    let mut done = Done::default();
    for file in files {
        match rewrite(file, scanner, largest) {
            Ok(()) => {
                done.written.insert(file.name.clone());
            }
            Err(error) => done.failed.push(format!("{}: not written: {error}", file.path.display())),
        }
    }
    done
}

fn rewrite(file: &Fixable, scanner: &Scanner, largest: u64) -> io::Result<()> {
    let text = match tree::read(&file.path, largest)? {
        Content::Text(text) if fingerprint(&text) == file.fingerprint => text,
        _ => return Err(io::Error::other("it has changed since it was read; run the command again")),
    };
    let new = fixed(&text, &scanner.text(&file.name, &text));
    let folder = file.path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut temporary = match folder {
        Some(folder) => tempfile::NamedTempFile::new_in(folder)?,
        None => tempfile::NamedTempFile::new_in(".")?,
    };
    temporary.write_all(new.as_bytes())?;
    temporary.as_file().set_permissions(fs::metadata(&file.path)?.permissions())?;
    temporary.as_file().sync_all()?;
    temporary.persist(&file.path).map_err(|error| error.error)?;
    Ok(())
}

/// What was written and what was not, for people.
pub(super) fn account(files: &[Fixable], done: &Done, new: &NewCache) -> String {
    if files.is_empty() {
        let hint = match (&new.to_host, &new.region) {
            (None, None) => "; give the new host with --to-host",
            _ => "",
        };
        format!("nothing can be rewritten safely{hint}\n")
    } else if done.written.is_empty() && done.failed.is_empty() {
        format!("{} files can be rewritten; nothing was written: --yes does it\n", files.len())
    } else {
        format!("{} files were rewritten\n", done.written.len())
    }
}

/// The same in one run.
pub(super) fn fingerprint(text: &str) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use planner::Catalog;
    use planner::connection::Wish;

    use super::*;

    #[test]
    fn a_file_that_changed_since_it_was_read_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let text = "REDIS_HOST=shop.redis.cache.windows.net\n";
        let wish = Wish { to_host: Some("new.example.com".into()), ..Wish::default() };
        let scanner = Scanner::new(&wish, &Catalog::embedded()).unwrap();
        let file = Fixable {
            path: path.clone(),
            name: ".env".into(),
            diff: String::new(),
            fingerprint: fingerprint(text),
        };
        fs::write(&path, format!("{text}# mine\n")).unwrap();
        let done = write(std::slice::from_ref(&file), &scanner, 1000);
        assert!(done.written.is_empty() && done.failed[0].contains("has changed"), "{done:?}");
        assert!(fs::read_to_string(&path).unwrap().contains("windows.net"));
        fs::write(&path, text).unwrap();
        let done = write(&[file], &scanner, 1000);
        assert!(done.failed.is_empty(), "{done:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "REDIS_HOST=new.example.com\n");
    }
}
