//! Files and blobs, as the command line names them.

use std::path::PathBuf;

use blob::{Access, Kind, ReadOptions, Reader, WriteOptions, Writer};
use bytes::Bytes;
use engine::export::Vessel;
use engine::import::Origin;
use engine::{Chunks, Feed, FeedError};
use rdb::file::Limits;

use crate::args::Written;
use crate::exit::Exit;

/// Where a file is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    place: blob::Place,
    /// As it was typed, without what may be secret.
    name: String,
}

impl Place {
    /// Reads what was typed.
    pub(crate) fn parse(text: &str) -> Result<Place, Exit> {
        // The text is not repeated: it may hold a signature.
        let place = blob::Place::parse(text)
            .map_err(|error| Exit::usage(format!("a file cannot be named so: {error}")))?;
        Ok(Place { name: place.to_string(), place })
    }

    /// Its address without anything secret.
    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }

    /// The place of one of several parts: `-0`, `-1` and so on before the extension.
    pub(crate) fn part(&self, index: usize) -> Result<Place, Exit> {
        let with_index = |name: &str| match name.find('.').filter(|at| *at > 0) {
            Some(at) => format!("{}-{index}{}", &name[..at], &name[at..]),
            None => format!("{name}-{index}"),
        };
        match &self.place {
            blob::Place::File(path) => {
                let name =
                    path.file_name().map(|name| with_index(&name.to_string_lossy())).unwrap_or_default();
                let path: PathBuf = path.with_file_name(name);
                Ok(Place { name: path.display().to_string(), place: blob::Place::File(path) })
            }
            blob::Place::Blob(blob) => {
                let (folder, name) = blob.path().rsplit_once('/').unwrap_or(("", blob.path()));
                let path = [folder, &with_index(name)].join("/");
                let blob = blob.with_path(path.trim_start_matches('/'));
                let place = blob::Place::Blob(blob);
                Ok(Place { name: place.to_string(), place })
            }
        }
    }

    /// Opens it for reading keys and values.
    pub(crate) async fn feed(&self, limits: Limits) -> Result<Feed<Source>, FeedError> {
        Ok(Feed::new(self.name(), self.open().await?, limits))
    }

    /// Opens it for reading.
    pub(crate) async fn open(&self) -> Result<Source, FeedError> {
        let reader = Reader::open(&self.place, &Access::from_env(), ReadOptions::default()).await;
        Ok(Source { reader: reader.map_err(|error| fault(&error))? })
    }

    /// Opens it for writing. It takes its name when it is whole.
    pub(crate) async fn create(&self, written: Written) -> Result<Sink, Exit> {
        let options = WriteOptions {
            gzip: written.gzip || self.place.names_gzip(),
            overwrite: written.overwrite,
            ..WriteOptions::default()
        };
        let writer = Writer::create(&self.place, &Access::from_env(), options).await;
        let writer = writer.map_err(|error| match error.kind() {
            Kind::AlreadyExists => Exit::refused(format!("{error} (or replace it by --overwrite)")),
            _ => Exit::failed(error.to_string()),
        })?;
        Ok(Sink { writer })
    }
}

impl Origin for Place {
    type Chunks = Source;

    fn name(&self) -> String {
        self.name.clone()
    }

    async fn open(&self) -> Result<Source, FeedError> {
        Place::open(self).await
    }
}

fn fault(error: &blob::Error) -> FeedError {
    match error.kind() {
        Kind::Damaged => FeedError::Spoiled(error.to_string()),
        _ => FeedError::Unreadable(error.to_string()),
    }
}

/// A file that is being read.
pub(crate) struct Source {
    reader: Reader,
}

impl Chunks for Source {
    async fn next(&mut self) -> Result<Option<Bytes>, FeedError> {
        self.reader.next().await.map_err(|error| fault(&error))
    }
}

/// A file that is being written.
pub(crate) struct Sink {
    writer: Writer,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

impl Sink {
    /// Writes the next bytes.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), String> {
        self.writer.write(bytes).await.map_err(|error| error.to_string())
    }

    /// Puts the whole file into its place.
    pub(crate) async fn finish(self) -> Result<(), String> {
        self.writer.finish().await.map(drop).map_err(|error| error.to_string())
    }
}

impl Vessel for Sink {
    async fn write(&mut self, bytes: Bytes) -> Result<(), String> {
        Sink::write(self, bytes).await
    }

    async fn finish(self) -> Result<(), String> {
        Sink::finish(self).await
    }
}
