//! A local file: written beside its name, synced and renamed at the end.

use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::error::{Error, Kind};

/// A file without its final name. It removes itself when dropped.
pub(super) struct NewFile {
    path: PathBuf,
    /// Taken while another thread writes.
    partial: Option<NamedTempFile>,
    overwrite: bool,
}

impl NewFile {
    pub(super) async fn create(path: PathBuf, overwrite: bool) -> Result<Self, Error> {
        let (named, partial) = aside(path, move |path| begin(path, overwrite)).await?;
        let (path, partial) = (partial.1.unwrap_or(named), partial.0);
        Ok(Self { path, partial: Some(partial), overwrite })
    }

    pub(super) async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        let Some(mut partial) = self.partial.take() else {
            return Err(failed(&self.path, io::Error::other("an earlier write was not finished")));
        };
        let (_, partial) = aside(self.path.clone(), move |path| {
            partial.write_all(&bytes).map_err(|error| failed(path, error))?;
            Ok(partial)
        })
        .await?;
        self.partial = Some(partial);
        Ok(())
    }

    pub(super) async fn finish(self) -> Result<(), Error> {
        let Self { path, partial, overwrite } = self;
        let Some(partial) = partial else {
            return Err(failed(&path, io::Error::other("an earlier write was not finished")));
        };
        aside(path, move |path| {
            partial.as_file().sync_all().map_err(|error| failed(path, error))?;
            let renamed = if overwrite { partial.persist(path) } else { partial.persist_noclobber(path) };
            renamed.map_err(|error| match error.error.kind() {
                ErrorKind::AlreadyExists => exists(path),
                _ => failed(path, error.error),
            })?;
            // The new name is in the folder, which has to reach the disk too. Not every file system can do that.
            if let Some(folder) = path.parent() {
                let _ = File::open(or_here(folder)).and_then(|folder| folder.sync_all());
            }
            Ok(())
        })
        .await
        .map(drop)
    }
}

/// Runs what may wait for a disk on another thread.
async fn aside<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&Path) -> Result<T, Error> + Send + 'static,
) -> Result<(PathBuf, T), Error> {
    let name = path.clone();
    let done = tokio::task::spawn_blocking(move || work(&path)).await;
    match done {
        Ok(result) => result.map(|result| (name, result)),
        Err(panic) => Err(failed(&name, io::Error::other(panic))),
    }
}

/// The file beside, and the real path behind symbolic links.
fn begin(path: &Path, overwrite: bool) -> Result<(NamedTempFile, Option<PathBuf>), Error> {
    let mut real = None;
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            return Err(Error::new(Kind::Unsuitable, &path.display(), "it is a folder", "name a file in it"));
        }
        Ok(meta) if !meta.is_file() => {
            return Err(Error::new(
                Kind::Unsuitable,
                &path.display(),
                "it is no regular file, and renaming would replace it",
                "name a file",
            ));
        }
        Ok(_) if !overwrite => return Err(exists(path)),
        // Renaming replaces a link and not what it points at.
        Ok(_) => real = Some(fs::canonicalize(path).map_err(|error| failed(path, error))?),
        Err(_) => {}
    }
    let target = real.as_deref().unwrap_or(path);
    let name = target
        .file_name()
        .ok_or_else(|| Error::new(Kind::Unsuitable, &path.display(), "it has no file name", "name a file"))?;
    let folder = or_here(target.parent().unwrap_or(Path::new("")));
    let partial = tempfile::Builder::new()
        .prefix(&format!(".{}.", name.to_string_lossy()))
        .suffix(".partial")
        // What the user's umask leaves of it, as for any new file.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound => Error::new(
                Kind::NoContainer,
                &path.display(),
                "its folder does not exist",
                "create the folder first",
            ),
            _ => failed(path, error),
        })?;
    Ok((partial, real))
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn exists(path: &Path) -> Error {
    Error::new(
        Kind::AlreadyExists,
        &path.display(),
        "it exists",
        "allow to overwrite it, or choose another name",
    )
}

fn failed(path: &Path, error: io::Error) -> Error {
    let (kind, what, advice) = match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            (Kind::Refused, "it may not be written", "check the permissions of its folder")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            (Kind::Failed, "there is no room left for it", "free some space, or write to another disk")
        }
        _ => (Kind::Failed, "it cannot be written", "check the folder and the disk"),
    };
    Error::new(kind, &path.display(), what, advice).because(error)
}
