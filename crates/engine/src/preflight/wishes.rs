//! What the user wants, as far as it decides whether the two caches can do it.

use std::collections::BTreeMap;

use migration::conflict::OnConflict;

/// Which databases of the source are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DbWish {
    /// The user said nothing: the only database that holds keys, if there is only one.
    #[default]
    Default,
    /// These.
    List(Vec<u32>),
    /// Every database that holds keys.
    All,
}

/// What the user wants.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Which databases of the source.
    pub databases: DbWish,
    /// Source databases that go to another number.
    pub db_map: BTreeMap<u32, u32>,
    /// Where all other databases go, when not to their own number (several by prefix into one).
    pub others_to: Option<u32>,
    /// What happens to keys that the target already has.
    pub on_conflict: OnConflict,
    /// The run goes on with an earlier one: its keys are on the target already.
    pub resuming: bool,
    /// The target is emptied before the copy. Keys there are no refusal then, but signs that the two
    /// addresses were swapped are.
    pub flush_target: bool,
    /// A live sync makes the target equal: keys of the target that the source does not have are removed.
    pub follows: bool,
    /// The keys come from files, and files stand in the source's place.
    pub from_files: bool,
    /// Filters leave keys out, so sizes are an upper bound.
    pub filters: bool,
    /// Idle time or access frequency is carried.
    pub preserve_idle: bool,
    /// The target's memory in bytes, where the user knows better than the server says.
    pub target_memory: Option<u64>,
    /// Ids of checks whose refusal the user overrides; of [`CHECKS`](super::CHECKS).
    pub skip_checks: Vec<String>,
}

impl Wishes {
    /// The target database that a source database goes to.
    pub fn target_db(&self, source_db: u32) -> u32 {
        self.db_map.get(&source_db).copied().or(self.others_to).unwrap_or(source_db)
    }
}
