//! The two connections that one key's pieces travel on.

use client::{Error, Read};

use super::reader::Reader;
use super::writer::Writer;

/// Both ends of one copy.
pub(super) struct Lines {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

impl Lines {
    /// After an early end: forgets what is in flight and what was watched, and removes the temporary key.
    ///
    /// # Errors
    /// A connection is lost; neither should be used again.
    pub(super) async fn tidy(&mut self, temp: &[u8]) -> Result<(), Error> {
        self.reader.push(Read::Unwatch);
        self.writer.push_unlink(temp);
        tokio::try_join!(self.reader.discard(), self.writer.discard())?;
        Ok(())
    }
}
