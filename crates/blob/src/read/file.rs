//! A local file, read by a thread of its own.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use bytes::BytesMut;

use super::{CHUNK, Output};
use crate::error::{Error, Kind};

/// Opens the file, begins to read it and returns its size, if it is a regular file.
pub(super) async fn start(path: PathBuf, output: Output) -> Result<Option<u64>, Error> {
    let opening = path.clone();
    let opened = tokio::task::spawn_blocking(move || open(&opening)).await;
    let (file, size) = opened.unwrap_or_else(|panic| Err(failed(&path, io::Error::other(panic))))?;
    tokio::task::spawn_blocking(move || {
        if let Err(error) = carry(file, size, &path, &output) {
            // Nobody wants the error either, if this fails.
            drop(output.chunks.blocking_send(Err(error)));
        }
    });
    Ok(size)
}

fn open(path: &Path) -> Result<(File, Option<u64>), Error> {
    let file = File::open(path).map_err(|error| failed(path, error))?;
    let meta = file.metadata().map_err(|error| failed(path, error))?;
    if meta.is_dir() {
        return Err(Error::new(Kind::Unsuitable, &path.display(), "it is a folder", "name a file in it"));
    }
    Ok((file, meta.is_file().then_some(meta.len())))
}

fn carry(mut file: File, size: Option<u64>, path: &Path, output: &Output) -> Result<(), Error> {
    let mut total = 0;
    loop {
        let mut chunk = BytesMut::zeroed(CHUNK);
        let count = match file.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(path, error)),
        };
        if count == 0 {
            break;
        }
        total += count as u64;
        chunk.truncate(count);
        output.fetched.fetch_add(count as u64, Ordering::Relaxed);
        if output.chunks.blocking_send(Ok(chunk.freeze())).is_err() {
            return Ok(());
        }
    }
    if size.is_some_and(|size| total < size) {
        let advice = "start again when nothing writes to it";
        return Err(Error::new(
            Kind::Changed,
            &path.display(),
            "it became shorter while it was read",
            advice,
        ));
    }
    Ok(())
}

fn failed(path: &Path, error: io::Error) -> Error {
    let (kind, what, advice) = match error.kind() {
        ErrorKind::NotFound => (Kind::NotFound, "there is no such file", "check the path"),
        ErrorKind::PermissionDenied => {
            (Kind::Refused, "it may not be read", "check the permissions of the file and its folders")
        }
        _ => (Kind::Failed, "it cannot be read", "check the disk"),
    };
    Error::new(kind, &path.display(), what, advice).because(error)
}
