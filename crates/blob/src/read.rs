//! Reading: fetched ahead by a task of its own, decompressed by another thread where needed.

mod download;
mod file;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::access::Access;
use crate::error::{Error, Kind};
use crate::gzip::{self, Gunzip};
use crate::place::{Place, Purpose};
use crate::storage::Storage;
use crate::{Network, Result};

/// Largest chunk in bytes.
const CHUNK: usize = 1024 * 1024;

/// Chunks that wait between two stages. Together with those in work, some 6 MiB.
const AHEAD: usize = 2;

/// How to read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// How to get along with the network.
    pub network: Network,
}

/// The bytes of a file or blob, in order, decompressed if they are gzip.
///
/// Dropping it ends the reading. It needs a Tokio runtime around it.
pub struct Reader {
    place: Place,
    chunks: mpsc::Receiver<Result<Bytes>>,
    /// Bytes looked at to know whether it is gzip.
    first: Option<Bytes>,
    size: Option<u64>,
    fetched: Arc<AtomicU64>,
    gzip: bool,
    ended: bool,
}

/// Where a stage hands over its chunks, and counts them.
struct Output {
    chunks: mpsc::Sender<Result<Bytes>>,
    fetched: Arc<AtomicU64>,
}

/// The reader was dropped.
struct Unwanted;

impl Reader {
    /// Opens the place and reads its first bytes.
    ///
    /// # Errors
    /// When there is no such file or blob, or no way to be let in.
    pub async fn open(place: &Place, access: &Access, options: ReadOptions) -> Result<Self> {
        let (chunks, received) = mpsc::channel(AHEAD);
        let fetched = Arc::new(AtomicU64::new(0));
        let output = Output { chunks, fetched: Arc::clone(&fetched) };
        let size = match place {
            Place::File(path) => file::start(path.clone(), output).await?,
            Place::Blob(blob) => {
                let storage = Storage::open(blob, access, &options.network, Purpose::Read)?;
                Some(download::start(storage, output).await?)
            }
        };
        let mut reader = Self {
            place: place.clone(),
            chunks: received,
            first: None,
            size,
            fetched,
            gzip: false,
            ended: false,
        };
        reader.look_for_gzip().await?;
        Ok(reader)
    }

    /// Bytes stored, compressed if it is compressed. `None` for what is no regular file, a pipe for example.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Stored bytes fetched so far, for showing progress against [`Reader::size`]. Runs some MiB ahead of what
    /// [`Reader::next`] has returned.
    pub fn fetched(&self) -> u64 {
        self.fetched.load(Ordering::Relaxed)
    }

    /// Whether it is gzip and is being decompressed.
    pub fn is_gzip(&self) -> bool {
        self.gzip
    }

    /// The next bytes, 1 MiB at most and never none; `None` at the end. After an error there is only the end.
    ///
    /// Cancel safe: a call that is dropped loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.ended {
            return Ok(None);
        }
        match self.chunks.recv().await {
            Some(Ok(bytes)) => Ok(Some(bytes)),
            Some(Err(error)) => {
                self.ended = true;
                Err(error)
            }
            None => {
                self.ended = true;
                Ok(None)
            }
        }
    }

    async fn look_for_gzip(&mut self) -> Result<()> {
        let mut start: Vec<u8> = Vec::new();
        let found = loop {
            if let Some(found) = gzip::is_gzip(&start) {
                break found;
            }
            match self.next().await? {
                None => break false,
                Some(bytes) if start.is_empty() && bytes.len() > 1 => {
                    let found = gzip::is_gzip(&bytes).unwrap_or_default();
                    self.first = Some(bytes);
                    break found;
                }
                Some(bytes) => start.extend_from_slice(&bytes),
            }
        };
        if self.first.is_none() && !start.is_empty() {
            self.first = Some(start.into());
        }
        if found {
            self.gzip = true;
            self.decompress();
        }
        Ok(())
    }

    /// Puts a thread between the fetched chunks and the reader.
    fn decompress(&mut self) {
        let (chunks, received) = mpsc::channel(AHEAD);
        let mut stored = std::mem::replace(&mut self.chunks, received);
        let (mut first, place) = (self.first.take(), self.place.clone());
        let damaged = move |damage| {
            Error::new(Kind::Damaged, &place, "it cannot be decompressed", "copy or export it again")
                .because(damage)
        };
        tokio::task::spawn_blocking(move || {
            let mut gunzip = Gunzip::new();
            loop {
                let bytes = match first.take().map(Ok).or_else(|| stored.blocking_recv()) {
                    Some(Ok(bytes)) => bytes,
                    Some(Err(error)) => return drop(chunks.blocking_send(Err(error))),
                    None => break,
                };
                gunzip.push(&bytes);
                loop {
                    match gunzip.next() {
                        Ok(None) => break,
                        // An error of sending means that nobody wants more.
                        Ok(Some(bytes)) => {
                            if chunks.blocking_send(Ok(bytes)).is_err() {
                                return;
                            }
                        }
                        Err(damage) => return drop(chunks.blocking_send(Err(damaged(damage)))),
                    }
                }
            }
            if let Err(damage) = gunzip.finish() {
                drop(chunks.blocking_send(Err(damaged(damage))));
            }
        });
    }
}

impl Output {
    /// Hands over bytes of any number, in chunks.
    async fn send(&self, mut bytes: Bytes) -> Result<(), Unwanted> {
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(CHUNK));
            self.fetched.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            self.chunks.send(Ok(chunk)).await.map_err(|_| Unwanted)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("place", &format_args!("{}", self.place))
            .field("size", &self.size)
            .field("fetched", &self.fetched())
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}
