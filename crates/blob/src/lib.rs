//! Bytes of a local file or an Azure blob, streamed both ways.
//!
//! [`Place`] says where, [`Access`] how to be let in, [`Reader`] and [`Writer`] move the bytes:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use blob::{Access, Place, ReadOptions, Reader, WriteOptions, Writer};
//! let access = Access::from_env();
//! let mut reader =
//!     Reader::open(&Place::parse("az://account/dumps/cache.rdb.gz")?, &access, ReadOptions::default()).await?;
//! let mut writer =
//!     Writer::create(&Place::parse("cache.rdb")?, &access, WriteOptions::default()).await?;
//! while let Some(chunk) = reader.next().await? {
//!     writer.write(chunk).await?;
//! }
//! writer.finish().await?;
//! # Ok(())
//! # }
//! ```
//!
//! - Memory does not grow with the file: a reader holds some MiB, an upload [`Writer::MEMORY`] bytes at most.
//! - A read that breaks goes on at the byte where it stopped, of the same version of the blob or not at all.
//! - What is written appears under its name whole, at [`Writer::finish`], or not at all.
//! - gzip is recognised by its first bytes when reading, whatever the name is.
//! - Keys, tokens and signatures reach no error, log, `Debug` or `Display`.
//!
//! `object_store` signs the requests, fetches tokens and speaks HTTP. The requests themselves are made here, since
//! its own reads count time from the start of the read, so that one of an hour is never resumed, and its uploads
//! cannot say "only if there is no such blob".

mod access;
mod error;
mod gzip;
mod place;
mod read;
mod secret;
mod storage;
mod write;

use std::time::Duration;

pub use access::Access;
pub use error::{Error, Kind};
pub use place::{BlobPlace, Place, PlaceError};
pub use read::{ReadOptions, Reader};
pub use secret::Secret;
pub use write::{Summary, WriteOptions, Writer};

/// Result of what this crate does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How to get along with the network. Local files know nothing of it.
#[derive(Debug, Clone)]
pub struct Network {
    /// How long no byte may arrive, in spite of all attempts, before an error says so. Default: 60 s.
    pub give_up: Duration,
    /// Certificates (PEM, one or more) that are trusted besides the system's, for firewalls that open TLS.
    pub authorities: Option<Vec<u8>>,
}

impl Default for Network {
    fn default() -> Self {
        Self { give_up: Duration::from_secs(60), authorities: None }
    }
}
