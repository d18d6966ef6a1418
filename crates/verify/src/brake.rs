//! How the source is spared. The caller decides.

use std::fmt::Debug;
use std::time::Duration;

/// Limits of what is read from the source, over all nodes.
pub trait Brake: Debug + Send + Sync {
    /// Takes that many keys. `Some`: nothing was taken, ask again after this time.
    fn take(&self, keys: u64) -> Option<Duration>;

    /// So many bytes were read from the source.
    fn read(&self, bytes: u64);

    /// A PING to a node of the source was answered after this time.
    fn answered(&self, after: Duration);

    /// How long to pause before the next batch because the source is slow to answer others.
    fn pause(&self) -> Duration;
}
