//! Modules of Azure Managed Redis.

use std::str::FromStr;

use serde::Serialize;

use crate::PlanError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Module {
    Search,
    Json,
    TimeSeries,
    Bloom,
}

impl Module {
    pub const ALL: [Module; 4] = [Module::Search, Module::Json, Module::TimeSeries, Module::Bloom];

    /// As the resource calls it.
    pub fn name(self) -> &'static str {
        match self {
            Module::Search => "RediSearch",
            Module::Json => "RedisJSON",
            Module::TimeSeries => "RedisTimeSeries",
            Module::Bloom => "RedisBloom",
        }
    }

    /// The row of the feature matrix that says where it is offered.
    pub(crate) fn feature(self) -> &'static str {
        match self {
            Module::Search => "search",
            Module::Json => "json",
            Module::TimeSeries => "time_series",
            Module::Bloom => "bloom",
        }
    }

    /// Whether a geo-replicated database may have it.
    pub(crate) fn in_geo(self) -> bool {
        matches!(self, Module::Search | Module::Json)
    }
}

impl FromStr for Module {
    type Err = PlanError;

    fn from_str(given: &str) -> Result<Module, PlanError> {
        match given.to_ascii_lowercase().replace(['_', '-'], "").as_str() {
            "search" | "redisearch" | "ft" => Ok(Module::Search),
            "json" | "redisjson" | "rejson" => Ok(Module::Json),
            "timeseries" | "redistimeseries" | "ts" => Ok(Module::TimeSeries),
            "bloom" | "redisbloom" | "bf" => Ok(Module::Bloom),
            _ => Err(PlanError::UnknownModule { given: given.to_owned() }),
        }
    }
}
