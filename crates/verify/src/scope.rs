//! Which keys are compared, and what they are called on the other side. The caller decides.

use std::fmt::Debug;

/// The choice of keys and the mapping of databases and names, as a copy would have them.
///
/// `db` and `key` are the source's, `target_db` and `name` the target's.
pub trait Scope: Debug + Send + Sync {
    /// Databases of the source that are compared.
    fn source_dbs(&self) -> Vec<u32>;

    /// Where a database of the source goes.
    fn target_db(&self, db: u32) -> u32;

    /// The target's name of a key; `None` when it keeps its name.
    fn name_on_target(&self, db: u32, key: &[u8]) -> Option<Vec<u8>>;

    /// Whether every key of a database keeps its name, so that nobody has to ask for each.
    fn keeps_names(&self, db: u32) -> bool;

    /// Every key of the source that would go to this name, whether it exists or not; without those that are not
    /// meant by name. None: the name is nobody's business.
    fn origins(&self, target_db: u32, name: &[u8]) -> Vec<(u32, Vec<u8>)>;

    /// Whether this name is one that no key of the source is meant to have on the target: a key of this name is
    /// extra, whatever the source has. `origins` need not be asked then.
    fn is_leftover(&self, _target_db: u32, _name: &[u8]) -> bool {
        false
    }

    /// Whether a key of the source is meant, by its name.
    fn wants_key(&self, db: u32, key: &[u8]) -> bool;

    /// Whether `wants_type` must be asked.
    fn asks_type(&self) -> bool;

    /// Whether keys of a type are meant, by TYPE's word for it.
    fn wants_type(&self, name: &str) -> bool;

    /// Whether `wants_ttl` must be asked.
    fn asks_ttl(&self) -> bool;

    /// Whether a key is meant for which PTTL answers this: -1 without expiry, else milliseconds.
    fn wants_ttl(&self, pttl_ms: i64) -> bool;

    /// A glob that SCAN itself may apply to the source's names; `wants_key` is asked all the same.
    fn scan_match(&self) -> Option<&[u8]>;

    /// A type that SCAN itself may apply.
    fn scan_type(&self) -> Option<&str>;
}
