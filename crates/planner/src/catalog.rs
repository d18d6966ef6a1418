//! The facts: dated tables in files, embedded here and replaceable one by one.

mod check;
mod multikey;
mod rows;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Cloud, Service};

pub use self::multikey::{MultiKey, Reach};
pub use self::rows::{
    BlockedCommand, Cells, Change, Condition, Effect, Event, Eviction, Feature, Mapped, MappedCluster,
    MappedPremium, Origin, Port, Price, PrivateLink, Purpose, Said, Situation, Size, Sku, SourceSku, Suffix,
    Throughput,
};

/// The files of a catalogue and what is embedded of each.
const FILES: [(&str, &str); 12] = [
    ("changes.json", include_str!("../catalog/changes.json")),
    ("commands.json", include_str!("../catalog/commands.json")),
    ("dates.json", include_str!("../catalog/dates.json")),
    ("endpoints.json", include_str!("../catalog/endpoints.json")),
    ("eviction.json", include_str!("../catalog/eviction.json")),
    ("features.json", include_str!("../catalog/features.json")),
    ("mapping.json", include_str!("../catalog/mapping.json")),
    ("multikey.json", include_str!("../catalog/multikey.json")),
    ("prices.json", include_str!("../catalog/prices.json")),
    ("sources.json", include_str!("../catalog/sources.json")),
    ("targets.json", include_str!("../catalog/targets.json")),
    ("throughput.json", include_str!("../catalog/throughput.json")),
];

/// All tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    /// What later versions of Redis answer differently.
    pub changes: Table<Change>,
    /// Commands that a service does not have, or has in part.
    pub commands: Table<BlockedCommand>,
    /// Retirements and what is blocked before them.
    pub dates: Table<Event>,
    /// Ports, domains, private DNS zones.
    pub endpoints: Endpoints,
    /// Names of eviction policies.
    pub eviction: Evictions,
    /// The feature matrix.
    pub features: Table<Feature>,
    /// The guide's three tables from one SKU to another.
    pub mapping: Mapping,
    /// What several keys mean under each clustering policy.
    pub multikey: Table<MultiKey>,
    /// How a price is worked out, and some prices.
    pub prices: Pricing,
    /// SKUs of Azure Cache for Redis.
    pub sources: Table<SourceSku>,
    /// SKUs of Azure Managed Redis.
    pub targets: Targets,
    /// What a number of vCPUs was measured to do.
    pub throughput: Table<Throughput>,
}

/// Rows and where they come from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table<Row> {
    pub source: String,
    pub date: crate::Date,
    pub rows: Vec<Row>,
}

impl<Row> Table<Row> {
    /// Where the rows come from that say nothing else.
    pub fn origin(&self) -> Origin {
        Origin { source: self.source.clone(), date: self.date }
    }
}

impl Table<Suffix> {
    /// How the name of a host ends, if it is one of Azure's, and what stands before that.
    pub fn of<'h>(&self, host: &'h str) -> Option<(&Suffix, &'h str)> {
        let host = host.trim_end_matches('.');
        self.rows.iter().find_map(|row| {
            let at = host.len().checked_sub(row.suffix.len());
            let at = at.filter(|at| *at > 0 && host.is_char_boundary(*at))?;
            host[at..].eq_ignore_ascii_case(&row.suffix).then(|| (row, &host[..at]))
        })
    }

    /// How the names of a service's hosts end in a cloud.
    pub fn in_cloud(&self, cloud: Cloud, service: Service) -> Option<&Suffix> {
        self.rows.iter().find(|row| row.cloud == cloud && row.service == service)
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    pub ports: Table<Port>,
    pub suffixes: Table<Suffix>,
    pub private_links: Table<PrivateLink>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evictions {
    pub source: String,
    pub date: crate::Date,
    /// The resource's name of the policy that holds when none is chosen.
    pub default: String,
    pub rows: Vec<Eviction>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    pub basic_standard: Table<Mapped>,
    pub premium: Table<MappedPremium>,
    pub premium_clustered: Table<MappedCluster>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pricing {
    pub source: String,
    pub date: crate::Date,
    /// Hours that Azure counts in a month.
    pub hours_per_month: f64,
    /// Name of a node's meter, with `{sku}` in it.
    pub meter: String,
    /// Shards and replicas for which a price is worked out, at most.
    pub max_shards: u32,
    pub max_replicas: u32,
    /// Replicas for each primary of a Premium cache that says nothing.
    pub default_replicas: u32,
    pub snapshot: Table<Price>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    pub source: String,
    pub date: crate::Date,
    /// Where the sizes come from that the guide has differently.
    pub sizes: Origin,
    pub rows: Vec<Sku>,
}

/// A file of a catalogue cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct CatalogError {
    pub file: String,
    pub problem: String,
}

impl Catalog {
    /// The catalogue that came with the program.
    pub fn embedded() -> Catalog {
        Catalog::parse(&[]).expect("the embedded files, which tests hold to the schema")
    }

    /// Names of the files.
    pub fn files() -> impl Iterator<Item = &'static str> {
        FILES.iter().map(|(name, _)| *name)
    }

    /// The catalogue with these files (name, content) in place of the embedded ones of the same name.
    ///
    /// # Errors
    /// A name that no file has, content of another form, or a table that names what another table does not have.
    pub fn parse(files: &[(String, String)]) -> Result<Catalog, CatalogError> {
        if let Some((name, _)) = files.iter().find(|(name, _)| !Catalog::files().any(|file| file == name)) {
            let known: Vec<&str> = Catalog::files().collect();
            let problem = format!("no file of a catalogue; those are {}", known.join(", "));
            return Err(CatalogError { file: name.clone(), problem });
        }
        let catalog = Catalog {
            changes: read(files, "changes.json")?,
            commands: read(files, "commands.json")?,
            dates: read(files, "dates.json")?,
            endpoints: read(files, "endpoints.json")?,
            eviction: read(files, "eviction.json")?,
            features: read(files, "features.json")?,
            mapping: read(files, "mapping.json")?,
            multikey: read(files, "multikey.json")?,
            prices: read(files, "prices.json")?,
            sources: read(files, "sources.json")?,
            targets: read(files, "targets.json")?,
            throughput: read(files, "throughput.json")?,
        };
        check::references(&catalog)?;
        Ok(catalog)
    }
}

fn read<T: DeserializeOwned>(files: &[(String, String)], name: &str) -> Result<T, CatalogError> {
    let given = files.iter().find(|(file, _)| file == name).map(|(_, text)| text.as_str());
    let embedded = || FILES.iter().find(|(file, _)| *file == name).map(|(_, text)| *text);
    serde_json::from_str(given.or_else(embedded).unwrap_or_default())
        .map_err(|error| CatalogError { file: name.to_owned(), problem: error.to_string() })
}
