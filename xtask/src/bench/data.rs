//! What is copied and compared.

use clap::ValueEnum;
use testkit::Access;
use testkit::dataset::{self, Kind};

/// Bytes of each big key in the mixed set.
const BIG: u64 = 100 << 20;

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
    /// Every one.
    pub const ALL: &[DataSet] = &[DataSet::Strings100, DataSet::Strings10k, DataSet::Hashes, DataSet::Mixed];

    /// As it is typed and printed.
    pub fn name(self) -> &'static str {
        match self {
            DataSet::Strings100 => "strings-100",
            DataSet::Strings10k => "strings-10k",
            DataSet::Hashes => "hashes",
            DataSet::Mixed => "mixed",
        }
    }

    /// How many keys there are unless asked otherwise, big ones not counted.
    pub fn keys(self) -> u64 {
        match self {
            DataSet::Strings100 => 1_000_000,
            DataSet::Strings10k | DataSet::Hashes => 200_000,
            DataSet::Mixed => 300_000,
        }
    }

    /// Writes so many keys of the set. Big ones shrink and grow with their number.
    pub async fn load(self, source: &Access, keys: u64) {
        match self {
            DataSet::Strings100 => _ = dataset::strings(source, keys, 100).await,
            DataSet::Strings10k => _ = dataset::strings(source, keys, 10_000).await,
            DataSet::Hashes => _ = dataset::hashes(source, keys, 10).await,
            DataSet::Mixed => {
                dataset::mixed(source, keys, SEED).await;
                for kind in [Kind::String, Kind::List, Kind::Set, Kind::Hash, Kind::Zset] {
                    dataset::big(source, kind, (BIG * keys / self.keys()) as usize).await;
                }
            }
        }
    }
}

/// A number of keys as it is typed: `300000`, `300k`, `10m`.
///
/// # Errors
/// It is something else.
pub fn number(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number.filter(|number| *number >= 10).ok_or_else(|| "a number of at least 10, such as 300k or 10m".into())
}

/// A number of bytes as it is typed: `500m`, `20g`; units are powers of 1024.
///
/// # Errors
/// It is something else, or less than a megabyte.
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'm' | b'M') => (&text[..text.len() - 1], 20),
        Some(b'g' | b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(1 << shift));
    bytes.filter(|bytes| *bytes >= 1 << 20).ok_or_else(|| "a size of at least 1m, such as 500m or 20g".into())
}

#[cfg(test)]
mod tests {
    use super::{number, size};

    #[test]
    fn sizes() {
        assert_eq!(size("20g"), Ok(20 << 30));
        assert_eq!(size("256M"), Ok(256 << 20));
        assert_eq!(size("2000000"), Ok(2_000_000));
        for wrong in ["", "g", "-1g", "1.5g", "1000", "99999999999g"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_of_keys() {
        assert_eq!(number("10m"), Ok(10_000_000));
        assert_eq!(number("300k"), Ok(300_000));
        assert_eq!(number("12345"), Ok(12_345));
        for wrong in ["", "m", "ten", "-1", "1.5m", "0", "99999999999999999999", "99999999999999999m"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}
