//! Prices from wherever they are wished to come from.

mod retail;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::SystemTime;

use planner::Catalog;
use planner::price::{PriceSource, Prices, answers};
use reqwest::Url;

use self::retail::{Failure, RetailPrices};
use super::day;
use crate::args::{PriceChoice, PriceFacts};
use crate::exit::Exit;

const INSTEAD: &str = "check the network, the proxy (HTTPS_PROXY) and the system's certificates, or give --prices \
                       snapshot, or --prices FILE with an answer of the API";

/// The prices that were asked for; none when nothing was said. Live ones are those of these regions.
pub(crate) async fn chosen(
    facts: &PriceFacts,
    catalog: &Catalog,
    regions: &BTreeSet<String>,
    currency: &str,
) -> Result<Option<Prices>, Exit> {
    Ok(match &facts.prices {
        None => None,
        Some(PriceChoice::Snapshot) => Some(Prices::snapshot(catalog)),
        Some(PriceChoice::File(file)) => Some(of_file(file)?),
        Some(PriceChoice::Live) => Some(live(&api(facts)?, regions, currency).await.map_err(unreached)?),
    })
}

/// Where the retail price API is.
pub(crate) fn api(facts: &PriceFacts) -> Result<Url, Exit> {
    facts.api().map_err(Exit::usage)
}

/// Asks the retail price API, once for each region.
pub(crate) async fn live(api: &Url, regions: &BTreeSet<String>, currency: &str) -> Result<Prices, Failure> {
    RetailPrices::at(api)?.of(regions, currency, day(SystemTime::now())).await
}

/// A failure where nothing else will do.
pub(crate) fn unreached(failure: Failure) -> Exit {
    let instead = if failure.is_refusal() { "check region and currency" } else { INSTEAD };
    Exit::failed(format!("{failure}; {instead}"))
}

/// Prices from a file of the API's answers. Their day is the day of the file.
fn of_file(file: &Path) -> Result<Prices, Exit> {
    let unusable = |what: &dyn std::fmt::Display| Exit::usage(format!("--prices {}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| unusable(&error))?;
    let written = file.metadata().and_then(|metadata| metadata.modified()).ok();
    answers(&text)
        .and_then(|answers| Prices::of_answers(answers, PriceSource::File, written.map(day)))
        .map_err(|error| unusable(&error))
}
