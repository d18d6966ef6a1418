//! Where converted bytes go.

use std::io::Write as _;

use bytes::Bytes;

use super::place::Sink;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 256 * 1024;

/// Standard output, or a file.
#[derive(Debug)]
pub(crate) enum Output {
    Standard,
    File(Box<Sink>),
}

/// Why bytes cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Whoever reads standard output went away: there is nobody left to fail for.
    #[error("nobody reads the standard output any more")]
    Gone,
    /// The words say what to do.
    #[error("{0}")]
    Unwritable(String),
}

impl Output {
    /// Writes what was gathered if it is enough.
    pub(crate) async fn pass(&mut self, gathered: &mut Vec<u8>) -> Result<(), OutputError> {
        if gathered.len() < GATHERED { Ok(()) } else { self.write(gathered).await }
    }

    /// Writes what was gathered.
    pub(crate) async fn write(&mut self, gathered: &mut Vec<u8>) -> Result<(), OutputError> {
        if gathered.is_empty() {
            return Ok(());
        }
        match self {
            Output::Standard => {
                let written = std::io::stdout().lock().write_all(gathered);
                gathered.clear();
                written.map_err(|error| match error.kind() {
                    std::io::ErrorKind::BrokenPipe => OutputError::Gone,
                    _ => OutputError::Unwritable(format!("standard output cannot be written ({error})")),
                })
            }
            Output::File(sink) => {
                let bytes = Bytes::from(std::mem::take(gathered));
                sink.write(bytes).await.map_err(OutputError::Unwritable)
            }
        }
    }

    /// The end: what was written takes its place now.
    pub(crate) async fn finish(self) -> Result<(), OutputError> {
        match self {
            Output::Standard => match std::io::stdout().lock().flush() {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                    Err(OutputError::Unwritable(format!("standard output cannot be written ({error})")))
                }
                _ => Ok(()),
            },
            Output::File(sink) => sink.finish().await.map_err(OutputError::Unwritable),
        }
    }
}
