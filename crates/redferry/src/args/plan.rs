//! Options of the commands that plan.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use planner::sku::Module;
use planner::{Series, Tier};

use super::PriceFacts;
use super::quantities::bytes;

/// Where facts come from.
#[derive(Debug, Clone, Args)]
pub(crate) struct CatalogFolder {
    /// Take the tables that are in this folder (targets.json, prices.json, ...) instead of those that came with redferry
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum SkuCommand {
    /// What Azure's guide maps a cache to
    Map(MapArgs),
    /// The smallest SKU that carries a use, with the reasons, and why others do not
    Recommend(RecommendArgs),
    /// All SKUs of Azure Managed Redis
    List(ListArgs),
}

/// Azure Cache for Redis as it is sold.
#[derive(Debug, Clone, Args)]
pub(crate) struct MapArgs {
    /// basic, standard or premium; P1 to P5 are premium by themselves
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// Such as C3 or P2
    #[arg(long)]
    pub(crate) sku: String,
    /// Shards of a clustered Premium cache; 0 is none
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<u32>,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct RecommendArgs {
    /// Memory that the data take, such as 8GB
    #[arg(long, value_name = "BYTES", value_parser = memory, required_unless_present = "peak")]
    pub(crate) used_memory: Option<u64>,
    /// The most that they took
    #[arg(long, value_name = "BYTES", value_parser = memory)]
    pub(crate) peak: Option<u64>,
    /// Reserved on the source, of each shard; a number alone is MB, as `az redis show` prints it
    #[arg(long, value_name = "BYTES", value_parser = megabytes)]
    pub(crate) maxmemory_reserved: Option<u64>,
    /// The same for fragmentation
    #[arg(long, value_name = "BYTES", value_parser = megabytes)]
    pub(crate) maxfragmentation_reserved: Option<u64>,
    /// Server load at its peak, percent; of the busiest shard
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub(crate) server_load: Option<f64>,
    /// Connected clients at their peak
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<u64>,
    /// Bytes read or written per second at the peak, whichever is more, such as 50MB
    #[arg(long, value_name = "BYTES", value_parser = rate)]
    pub(crate) bandwidth: Option<u64>,
    /// Operations per second at the peak
    #[arg(long, value_name = "N")]
    pub(crate) ops: Option<u64>,
    /// With high availability; the default
    #[arg(long)]
    pub(crate) ha: bool,
    /// Without high availability: for development and test, half the price
    #[arg(long, conflicts_with = "ha")]
    pub(crate) no_ha: bool,
    /// Modules that are needed: search, json, timeseries, bloom
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) modules: Vec<Module>,
    /// Shall be in an active geo-replication group
    #[arg(long)]
    pub(crate) geo: bool,
    /// Choose only among these: M (memory), B (balanced), X (compute), A (flash)
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) series: Vec<Series>,
    /// Tier of the source, which says how full it is
    #[arg(long, requires = "sku")]
    pub(crate) tier: Option<Tier>,
    /// SKU of the source
    #[arg(long)]
    pub(crate) sku: Option<String>,
    /// Shards of the source
    #[arg(long, value_name = "N", requires = "sku")]
    pub(crate) shards: Option<u32>,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ListArgs {
    /// Only M (memory), B (balanced), X (compute) or A (flash)
    #[arg(long)]
    pub(crate) series: Option<Series>,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct FeaturesArgs {
    /// Tier to move from: basic, standard or premium
    #[arg(long, default_value_t = Tier::Premium)]
    pub(crate) tier: Tier,
    /// Series to move to: memory, balanced, compute or flash
    #[arg(long, value_name = "SERIES", default_value_t = Series::B)]
    pub(crate) to: Series,
    /// Leave out what stays the same
    #[arg(long, value_enum)]
    pub(crate) only: Option<Only>,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// Gained, changed and lost
    Changed,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct PriceArgs {
    /// The cache to move, such as C3 or P2; or a SKU of Azure Managed Redis by itself
    #[arg(long)]
    pub(crate) sku: String,
    /// basic or standard, for C0 to C6
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// Shards of a clustered Premium cache; 0 is none
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<u32>,
    /// Replicas for each primary of a Premium cache; 1 when nothing is said
    #[arg(long, value_name = "N")]
    pub(crate) replicas: Option<u32>,
    /// SKU of Azure Managed Redis to move to; what the guide maps to when none is given
    #[arg(long, value_name = "SKU")]
    pub(crate) to: Option<String>,
    /// Target with high availability; as the source when nothing is said
    #[arg(long)]
    pub(crate) ha: bool,
    /// Target without high availability
    #[arg(long, conflicts_with = "ha")]
    pub(crate) no_ha: bool,
    /// Such as westus2
    #[arg(long)]
    pub(crate) region: String,
    /// Three letters
    #[arg(long, value_name = "CODE", default_value = "USD", value_parser = currency)]
    pub(crate) currency: String,
    #[command(flatten)]
    pub(crate) prices: PriceFacts,
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct DatesArgs {
    #[command(flatten)]
    pub(crate) catalog: CatalogFolder,
}

/// Memory of a cache. A small number without a unit is one that lost it.
fn memory(text: &str) -> Result<u64, String> {
    let bytes = bytes(text)?;
    if bytes < 1 << 20 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(format!("{text} bytes are no cache: write the unit, such as {text}GB"));
    }
    Ok(bytes)
}

fn megabytes(text: &str) -> Result<u64, String> {
    match text.parse::<u32>() {
        Ok(megabytes) => Ok(u64::from(megabytes) << 20),
        Err(_) => bytes(text),
    }
}

fn rate(text: &str) -> Result<u64, String> {
    bytes(text.strip_suffix("/s").unwrap_or(text))
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse::<f64>().ok();
    number
        .filter(|percent| (0.0..=100.0).contains(percent))
        .ok_or_else(|| "write a percentage, 0 to 100".into())
}

fn currency(text: &str) -> Result<String, String> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("write a currency by its three letters, such as USD or EUR".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_the_units_that_azure_shows_them_in() {
        assert_eq!(memory("8GB"), Ok(8_000_000_000));
        assert_eq!(memory("8589934592"), Ok(8 << 30));
        assert!(memory("8").unwrap_err().contains("8GB"));
        assert_eq!(megabytes("642"), Ok(642 << 20));
        assert_eq!(megabytes("2GiB"), Ok(2 << 30));
        assert_eq!(rate("50MB/s"), Ok(50_000_000));
        assert_eq!((percent("85"), percent("12.5%")), (Ok(85.0), Ok(12.5)));
        assert!(percent("101").is_err() && percent("-1").is_err() && percent("NaN").is_err());
        assert_eq!(currency("eur"), Ok("EUR".into()));
        assert!(currency("euro").is_err() && currency("€").is_err());
    }
}
