//! What is copied.

use clap::ValueEnum;
use testkit::Access;
use testkit::dataset::{self, Kind};

/// Bytes of each big key in the mixed set.
const BIG: usize = 100 << 20;

const SEED: u64 = 20_261_124;

/// The data sets by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DataSet {
    /// 1,000,000 strings of 100 bytes
    #[value(name = "strings-100")]
    Strings100,
    /// 200,000 strings of 10 KB
    #[value(name = "strings-10k")]
    Strings10k,
    /// 200,000 hashes of 10 fields
    Hashes,
    /// 300,000 keys of all types, a third with an expiry, and one key of 100 MB of each of five types
    Mixed,
}

impl DataSet {
    /// As it is typed and printed.
    pub fn name(self) -> &'static str {
        match self {
            DataSet::Strings100 => "strings-100",
            DataSet::Strings10k => "strings-10k",
            DataSet::Hashes => "hashes",
            DataSet::Mixed => "mixed",
        }
    }

    /// Writes the set, or a tenth of it.
    pub async fn load(self, source: &Access, tenth: bool) {
        let part = if tenth { 10 } else { 1 };
        match self {
            DataSet::Strings100 => _ = dataset::strings(source, 1_000_000 / part, 100).await,
            DataSet::Strings10k => _ = dataset::strings(source, 200_000 / part, 10_000).await,
            DataSet::Hashes => _ = dataset::hashes(source, 200_000 / part, 10).await,
            DataSet::Mixed => {
                dataset::mixed(source, 300_000 / part, SEED).await;
                for kind in [Kind::String, Kind::List, Kind::Set, Kind::Hash, Kind::Zset] {
                    dataset::big(source, kind, BIG / part as usize).await;
                }
            }
        }
    }
}
