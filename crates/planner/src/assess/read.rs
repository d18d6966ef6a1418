//! What Redis and Azure print, taken apart. Every reader is a function of text.

mod clients;
mod commandstats;
mod info;
mod metrics;
mod resource;
mod template;

pub use clients::{Clients, clients};
pub use commandstats::commandstats;
pub use info::{Info, info};
pub use metrics::{Metrics, Series, metrics};
pub use resource::{Resource, Sku, resource, resources};

/// A text that was given is not what it should be. The message says what it is and what to give instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("it is no JSON: {0}")]
    NoJson(String),
    #[error(
        "{name} is a cache of the {tier} tier, which is out of scope: Enterprise and Enterprise Flash retire on \
         2027-03-31 and move by a change of SKU in place; see `redferry dates`"
    )]
    Enterprise { name: String, tier: String },
    #[error("{name} is already Azure Managed Redis ({sku}): there is nothing to move")]
    Managed { name: String, sku: String },
    #[error(
        "{kind} is no cache: give the Microsoft.Cache/redis resource, as `az redis show -o json` prints it"
    )]
    OtherType { kind: String },
    #[error("no Microsoft.Cache/redis resource is in it; {found}")]
    NoCache { found: String },
    #[error("{count} caches are in it ({names}): give one, or use --fleet")]
    Several { count: usize, names: String },
    #[error("{field} is {value:?}, which only a deployment resolves: {instead}")]
    Unresolved { field: String, value: String, instead: &'static str },
    #[error("{field} is {value:?}; {expected}")]
    Field { field: String, value: String, expected: &'static str },
    #[error("these are no metrics of Azure Monitor: {0}")]
    NoMetrics(String),
}
