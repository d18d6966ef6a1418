//! Deterministic data for caches: the same seed writes the same keys, values and times to live.
//!
//! Loaders take a [`Place`]: an `Access` means database 0, `Place::db(&access, 3)` another one. They write by
//! pipelines to every primary at once, and panic when the server refuses anything: a data set that is not
//! complete would make every later finding worthless.

use std::collections::BTreeMap;

use crate::access::Access;

mod big;
mod bulk;
mod every_type;
mod loader;
mod modules;
pub(crate) mod nodes;
pub mod random;

pub use big::{Kind, big};
pub use bulk::{hashes, mixed, strings};
pub use every_type::every_type;
pub use modules::{hash_field_ttls, modules};

/// Where to write: a cache and one of its databases.
#[derive(Clone, Debug)]
pub struct Place {
    access: Access,
    db: u16,
}

impl Place {
    /// Database `db` of a cache. A cluster only has database 0.
    pub fn db(access: &Access, db: u16) -> Self {
        assert!(db == 0 || !access.cluster, "a cluster has no database {db}");
        Place { access: access.clone(), db }
    }
}

impl From<&Access> for Place {
    fn from(access: &Access) -> Self {
        Place::db(access, 0)
    }
}

impl From<Access> for Place {
    fn from(access: Access) -> Self {
        Place::db(&access, 0)
    }
}

/// Runs a test's own commands, each on the primary that owns its key; those of one key in the order given.
///
/// # Panics
/// When the server refuses one of them.
pub async fn run(place: impl Into<Place>, commands: impl IntoIterator<Item = (Vec<u8>, redis::Cmd)>) {
    let mut loader = loader::Loader::open(&place.into()).await;
    for (key, command) in commands {
        loader.push(&key, command).await;
    }
    loader.finish().await;
}

/// What a loader wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Keys written, all types together.
    pub keys: u64,
    /// Keys by the name `TYPE` answers.
    pub by_type: BTreeMap<&'static str, u64>,
}

impl Summary {
    fn count(&mut self, kind: &'static str) {
        self.keys += 1;
        *self.by_type.entry(kind).or_default() += 1;
    }
}
