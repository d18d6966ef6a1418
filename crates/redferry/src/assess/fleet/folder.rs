//! A folder with a file for each cache, called as the cache or as its host.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::assess::texts::unusable;
use crate::exit::Exit;

pub(super) struct Folder {
    option: &'static str,
    path: PathBuf,
    /// By the name of the cache in small letters, as capitals do not matter in names of caches and hosts.
    files: BTreeMap<String, PathBuf>,
    fitting: BTreeSet<String>,
}

impl Folder {
    /// Looks which files there are. Hidden ones do not count, and `ending` is no part of a cache's name.
    pub(super) fn open(option: &'static str, path: &Path, ending: &str) -> Result<Folder, Exit> {
        let failed = |error: std::io::Error| unusable(option, path, &error);
        if !path.is_dir() {
            let what =
                format!("with --fleet this is a folder with a file for each cache, such as NAME{ending}");
            return Err(unusable(option, path, &what));
        }
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            // As Kubernetes mounts secrets, each file is a link.
            if file.is_file() && !name.starts_with('.') {
                files.insert(name.strip_suffix(ending).unwrap_or(&name).to_owned(), file);
            }
        }
        Ok(Folder { option, path: path.to_owned(), files, fitting: BTreeSet::new() })
    }

    /// The file of a cache that has these names.
    pub(super) fn of(&mut self, names: &[&str]) -> Option<PathBuf> {
        let names = names.iter().map(|name| name.to_ascii_lowercase());
        let fitting: Vec<String> = names.filter(|name| self.files.contains_key(name)).collect();
        let file = fitting.first().and_then(|name| self.files.get(name)).cloned();
        self.fitting.extend(fitting);
        file
    }

    /// Files that no cache of the list has the name of: most often it is mistyped.
    pub(super) fn left_over(&self) -> impl Iterator<Item = String> {
        let left = self.files.iter().filter(|(name, _)| !self.fitting.contains(*name));
        left.map(|(_, file)| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            format!("{} {}: {name} fits no cache of the list", self.option, self.path.display())
        })
    }
}
