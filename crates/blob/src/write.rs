//! Writing: under its final name there is everything, from [`Writer::finish`] on, or nothing.

mod file;
mod upload;

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::access::Access;
use crate::error::{Error, Kind};
use crate::gzip::Gzip;
use crate::place::{Place, Purpose};
use crate::storage::Storage;
use crate::{Network, Result};
use file::NewFile;
use upload::Upload;

/// Bytes that are collected before they are handed on.
const CHUNK: usize = 1024 * 1024;

/// How to write.
#[derive(Debug, Clone, Default)]
pub struct WriteOptions {
    /// Compress with gzip.
    pub gzip: bool,
    /// Replace what is there under this name. Without it, an existing file or blob is an error, at the start if it
    /// is there already, or at the end.
    pub overwrite: bool,
    /// How to get along with the network.
    pub network: Network,
}

/// What a writer has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Bytes taken from the caller.
    pub written: u64,
    /// Bytes stored: fewer, if compressed.
    pub stored: u64,
}

/// A file or blob that is being made. Dropped before [`Writer::finish`], it leaves nothing: no file, no blob, and of
/// a blob only blocks that nobody sees and that Azure removes after a week.
pub struct Writer {
    place: Place,
    sink: Sink,
    gzip: Option<Gzip>,
    pending: BytesMut,
    written: u64,
    stored: u64,
    failed: bool,
}

enum Sink {
    File(NewFile),
    Blob(Upload),
}

impl Writer {
    /// Most memory that an upload takes, in bytes: the blocks on their way, one that is filled, and a chunk before it.
    pub const MEMORY: usize = (upload::IN_FLIGHT + 1) * upload::BLOCK + 2 * CHUNK;

    /// Largest blob that can be written, in bytes: 50,000 blocks (Azure's limit) of 8 MiB.
    pub const MAX_BLOB: u64 = upload::MAX_BLOCKS as u64 * upload::BLOCK as u64;

    /// Prepares the place: the folder or container must be there, and nothing under this name, unless `overwrite`.
    ///
    /// # Errors
    /// When the place cannot be written. A SAS that does not allow reading shows only at the end whether something
    /// is there already.
    pub async fn create(place: &Place, access: &Access, options: WriteOptions) -> Result<Self> {
        let sink = match place {
            Place::File(path) => Sink::File(NewFile::create(path.clone(), options.overwrite).await?),
            Place::Blob(blob) => {
                let storage = Storage::open(blob, access, &options.network, Purpose::Write)?;
                Sink::Blob(Upload::create(storage, options.overwrite).await?)
            }
        };
        Ok(Self {
            place: place.clone(),
            sink,
            gzip: options.gzip.then(Gzip::new),
            pending: BytesMut::new(),
            written: 0,
            stored: 0,
            failed: false,
        })
    }

    /// Takes bytes of any number. Waits while enough are on their way.
    ///
    /// # Errors
    /// Also for bytes of earlier calls. After one, [`Writer::finish`] fails too. A call that is dropped before its end
    /// counts as failed.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.check()?;
        self.written += bytes.len() as u64;
        if self.pending.len() + bytes.len() < CHUNK {
            self.pending.extend_from_slice(&bytes);
            return Ok(());
        }
        self.failed = true;
        if !self.pending.is_empty() {
            let pending = self.pending.split().freeze();
            self.hand_on(pending).await?;
        }
        self.hand_on(bytes).await?;
        self.failed = false;
        Ok(())
    }

    /// Writes the rest and puts everything under its name.
    ///
    /// # Errors
    /// Then there is nothing under this name, or what was there before. Only if the connection is lost at the very
    /// end and stays so, a blob may be there: whole.
    pub async fn finish(mut self) -> Result<Summary> {
        self.check()?;
        let pending = self.pending.split().freeze();
        self.hand_on(pending).await?;
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish().map_err(|error| not_compressed(&self.place, error))?;
            self.store(rest).await?;
        }
        match self.sink {
            Sink::File(file) => file.finish().await?,
            Sink::Blob(upload) => upload.finish().await?,
        }
        Ok(Summary { written: self.written, stored: self.stored })
    }

    fn check(&self) -> Result<()> {
        if !self.failed {
            return Ok(());
        }
        Err(Error::new(
            Kind::Failed,
            &self.place,
            "writing to it has failed before",
            "see the error before this one",
        ))
    }

    async fn hand_on(&mut self, bytes: Bytes) -> Result<()> {
        let Some(mut gzip) = self.gzip.take() else { return self.store(bytes).await };
        // A MiB takes some 10 ms, in which other tasks would wait.
        let compressed = tokio::task::spawn_blocking(move || {
            let compressed = gzip.push(&bytes);
            (gzip, compressed)
        });
        let (gzip, compressed) = compressed
            .await
            .map_err(std::io::Error::other)
            .and_then(|(gzip, compressed)| Ok((gzip, compressed?)))
            .map_err(|error| not_compressed(&self.place, error))?;
        self.gzip = Some(gzip);
        self.store(compressed).await
    }

    async fn store(&mut self, bytes: Bytes) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.stored += bytes.len() as u64;
        match &mut self.sink {
            Sink::File(file) => file.write(bytes).await,
            Sink::Blob(upload) => upload.write(bytes).await,
        }
    }
}

fn not_compressed(place: &Place, error: std::io::Error) -> Error {
    Error::new(Kind::Failed, place, "it cannot be compressed", "write it without gzip").because(error)
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("place", &format_args!("{}", self.place))
            .field("gzip", &self.gzip.is_some())
            .field("written", &self.written)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}
