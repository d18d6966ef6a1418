//! An RDB file as it arrives: bytes in, keys and the bytes of their values out.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rdb::Problem;
use rdb::file::{Event, Limits, Reader};

/// The bytes of a file in their order, wherever it is.
pub trait Chunks: Send {
    /// The next bytes; `None` at the end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, FeedError>> + Send;
}

/// Why a file cannot be read on.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The bytes do not come. The words name the file and say what to do.
    #[error("{0}")]
    Unreadable(String),
    /// What packs the file (gzip) is damaged. The words name the file and say what to do.
    #[error("{0}")]
    Spoiled(String),
    /// The bytes are not those of a file that is known.
    #[error("{file}: {error}; {}", remedy(&error.problem))]
    Damaged {
        /// The file's name.
        file: String,
        /// What is wrong, and at which byte.
        error: rdb::Error,
    },
}

impl FeedError {
    /// Whether reading it again would end in the same place.
    pub fn is_lasting(&self) -> bool {
        !matches!(self, FeedError::Unreadable(_))
    }

    /// Something is wrong in this file.
    pub fn damaged(file: &str, error: rdb::Error) -> FeedError {
        FeedError::Damaged { file: file.to_owned(), error }
    }
}

/// What to do about a file that cannot be read, in one sentence.
fn remedy(problem: &Problem) -> &'static str {
    match problem {
        Problem::NoMagic => "give an RDB file, as SAVE, BGSAVE or Azure's export write it; .gz is fine too",
        Problem::UnknownVersion(_) | Problem::UnknownCode(_) => {
            "use a redferry that knows the server that wrote it"
        }
        Problem::Truncated => "fetch or export it again: its end is missing",
        Problem::TooLong(_) => "export it again: a length like this means that it is damaged",
        _ => "fetch or export it again, and compare its size with that at its origin",
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Feed<C> {
    file: String,
    chunks: C,
    reader: Reader,
    read: Arc<AtomicU64>,
    ended: bool,
}

impl<C: Chunks> Feed<C> {
    /// At the beginning of a file, with its name for errors.
    pub fn new(file: String, chunks: C, limits: Limits) -> Feed<C> {
        Feed { file, chunks, reader: Reader::new(limits), read: Arc::default(), ended: false }
    }

    /// The file's name.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Bytes read so far, for whoever shows progress.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.read)
    }

    /// Bytes of the file up to the end of the last event.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// What comes next; `None` after the end.
    ///
    /// # Errors
    /// The file is damaged, cut off, of an unknown version, or cannot be read.
    pub async fn next(&mut self) -> Result<Option<Event>, FeedError> {
        loop {
            if let Some(event) = self.poll()? {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            match self.chunks.next().await? {
                Some(bytes) => {
                    self.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    self.reader.feed(bytes);
                }
                None => {
                    self.ended = true;
                    self.reader.finish();
                }
            }
        }
    }

    /// What comes next if it can be told from the bytes that are here.
    ///
    /// # Errors
    /// As [`Feed::next`].
    pub fn poll(&mut self) -> Result<Option<Event>, FeedError> {
        self.reader.next().map_err(|error| FeedError::damaged(&self.file, error))
    }
}
