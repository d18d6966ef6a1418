//! The files of a source tree, one at a time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Folders that hold what others wrote or what was built.
const SKIPPED: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    "target",
    "vendor",
    "dist",
    "obj",
    ".venv",
    "venv",
    "__pycache__",
    ".tox",
    ".terraform",
    ".gradle",
    ".idea",
    ".vs",
    ".next",
    ".nuget",
    "Pods",
];

/// A file with a zero byte in its beginning is not text. Bytes that are looked at.
const BEGINNING: usize = 8 << 10;

/// What was not read, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Skipped {
    pub(crate) binary: u64,
    pub(crate) not_utf8: u64,
    pub(crate) too_large: u64,
    pub(crate) unreadable: u64,
    /// Folders, such as node_modules.
    pub(crate) folders: u64,
}

impl Skipped {
    pub(crate) fn files(&self) -> u64 {
        self.binary + self.not_utf8 + self.too_large + self.unreadable
    }
}

/// A file as text.
pub(super) enum Content {
    Text(String),
    Binary,
    NotUtf8,
    TooLarge,
}

/// Walks a tree in the order of names and hands over its text files, of which one at a time is in memory. Links are not
/// followed.
pub(super) struct Tree<'a> {
    root: &'a Path,
    largest: u64,
    pub(super) skipped: Skipped,
}

impl<'a> Tree<'a> {
    pub(super) fn new(root: &'a Path, largest: u64) -> Tree<'a> {
        Tree { root, largest, skipped: Skipped::default() }
    }

    /// # Errors
    /// The root itself cannot be read.
    pub(super) fn walk(&mut self, mut each: impl FnMut(&Path, &str)) -> io::Result<()> {
        let mut waiting = vec![self.root.to_owned()];
        while let Some(path) = waiting.pop() {
            let is_root = path == self.root;
            let kind = match if is_root { fs::metadata(&path) } else { fs::symlink_metadata(&path) } {
                Ok(metadata) => metadata.file_type(),
                Err(error) if is_root => return Err(error),
                // It may have gone since its folder was listed.
                Err(_) => {
                    self.skipped.unreadable += 1;
                    continue;
                }
            };
            if kind.is_dir() {
                let named = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(|name| SKIPPED.contains(&name));
                if named && !is_root {
                    self.skipped.folders += 1;
                    continue;
                }
                match entries(&path) {
                    Ok(entries) => waiting.extend(entries),
                    Err(error) if is_root => return Err(error),
                    Err(_) => self.skipped.unreadable += 1,
                }
            } else if kind.is_file() {
                match read(&path, self.largest) {
                    Ok(Content::Text(text)) => each(&path, &text),
                    Ok(Content::Binary) => self.skipped.binary += 1,
                    Ok(Content::NotUtf8) => self.skipped.not_utf8 += 1,
                    Ok(Content::TooLarge) => self.skipped.too_large += 1,
                    Err(error) if is_root => return Err(error),
                    Err(_) => self.skipped.unreadable += 1,
                }
            }
        }
        Ok(())
    }
}

/// The last by name first, as a stack has them.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_by(|one, other| other.cmp(one));
    Ok(paths)
}

/// Reads no more of a file than it takes to know that it is not wanted.
pub(super) fn read(path: &Path, largest: u64) -> io::Result<Content> {
    let file = File::open(path)?;
    let mut reader = file.take(largest.saturating_add(1));
    let mut bytes = Vec::new();
    reader.by_ref().take(BEGINNING as u64).read_to_end(&mut bytes)?;
    if bytes.contains(&0) {
        return Ok(Content::Binary);
    }
    if reader.get_ref().metadata()?.len() > largest {
        return Ok(Content::TooLarge);
    }
    reader.read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Ok(Content::TooLarge);
    }
    Ok(String::from_utf8(bytes).map_or(Content::NotUtf8, Content::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_while_others_are_read_is_told_and_does_not_end_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let mut seen = Vec::new();
        let mut tree = Tree::new(folder.path(), 10);
        tree.walk(|path, text| {
            if text == "a" {
                fs::remove_file(path.with_file_name("b")).unwrap();
            }
            seen.push(text.to_owned());
        })
        .unwrap();
        assert_eq!(seen, ["a", "c"]);
        assert_eq!(tree.skipped, Skipped { unreadable: 1, ..Skipped::default() });
        assert!(Tree::new(&folder.path().join("b"), 10).walk(|_, _| ()).is_err(), "the root is asked for");
    }
}
