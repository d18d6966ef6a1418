//! What makes a differing key equal. The caller decides; here it is only said which keys, and looked at again
//! afterwards.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

/// Keys that differ.
#[derive(Debug, Default, Clone)]
pub struct RepairWork {
    /// Database and name on the source of keys that are to be copied.
    pub copy: Vec<(u32, Vec<u8>)>,
    /// Database and name on the target of keys that are to be deleted, because the source does not have them.
    pub delete: Vec<(u32, Vec<u8>)>,
}

/// What a repair says when it cannot go on: whose fault it is, what to do, in one sentence.
pub type Repaired = Result<(), String>;

/// Makes keys of the target what they are on the source. A key that it cannot repair is not an error: what it
/// came to is seen by comparing it again.
pub trait Repairer: Debug + Send + Sync {
    /// Whether extra keys are deleted too; they are not handed over otherwise.
    fn deletes(&self) -> bool;

    /// Repairs these keys.
    fn repair(&self, work: RepairWork) -> Pin<Box<dyn Future<Output = Repaired> + Send + '_>>;
}
