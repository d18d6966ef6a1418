//! Prices of nodes: answers of Azure's retail price API, or the catalogue's snapshot.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Request;
use crate::catalog::Catalog;
use crate::{Date, PlanError, Tier};

/// An answer of `GET https://prices.azure.com/api/retail/prices`, as far as it is used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Answer {
    #[serde(rename = "Items")]
    pub items: Vec<Item>,
    /// Where the next page is, when this one is not the last.
    #[serde(rename = "NextPageLink", default)]
    pub next_page: Option<String>,
}

/// A meter's price in a region.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Such as `M10 Cache Instance`.
    pub meter_name: String,
    pub arm_region_name: String,
    pub retail_price: f64,
    #[serde(default)]
    pub currency_code: Option<String>,
    #[serde(default)]
    pub product_name: Option<String>,
    /// `Consumption`, or a reservation that is paid ahead.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    #[serde(default)]
    pub unit_of_measure: Option<String>,
}

/// Reads what the API answered: one answer, or an array of its pages.
///
/// # Errors
/// The text is neither.
pub fn answers(text: &str) -> Result<Vec<Answer>, PlanError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Pages {
        One(Answer),
        Several(Vec<Answer>),
    }
    // A file that PowerShell wrote begins with a mark.
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Pages::One(answer)) => Ok(vec![answer]),
        Ok(Pages::Several(answers)) => Ok(answers),
        Err(error) if error.is_data() => Err(PlanError::PriceAnswer(
            "it must have Items, each with meterName, armRegionName and retailPrice".into(),
        )),
        Err(error) => Err(PlanError::PriceAnswer(error.to_string())),
    }
}

/// What to ask the API for: all that a region sells of the service by the hour. One such answer is one page as a rule and
/// has every SKU, where a question for each meter would be one for each side.
pub fn query(region: &str, currency: &str) -> [(&'static str, String); 2] {
    let region = short_region(region).replace('\'', "''");
    let filter =
        format!("serviceName eq 'Redis Cache' and armRegionName eq '{region}' and type eq 'Consumption'");
    [("currencyCode", format!("'{currency}'")), ("$filter", filter)]
}

/// Where prices come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PriceSource {
    /// The catalogue.
    Snapshot,
    /// A file of the API's answers.
    File,
    /// The API, just now.
    Live,
}

impl fmt::Display for PriceSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PriceSource::Snapshot => "the snapshot in the catalogue",
            PriceSource::File => "the file",
            PriceSource::Live => "the retail price API",
        })
    }
}

/// Prices to look up.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    source: PriceSource,
    lines: Vec<Line>,
    /// Some pages were not read.
    partial: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    item: Item,
    date: Option<Date>,
}

/// A price that was found.
pub(super) struct Found {
    pub(super) price: f64,
    pub(super) date: Option<Date>,
    pub(super) note: Option<String>,
}

impl Prices {
    /// The catalogue's dated prices.
    pub fn snapshot(catalog: &Catalog) -> Prices {
        let table = &catalog.prices.snapshot;
        let lines = (table.rows.iter())
            .map(|row| Line {
                item: Item {
                    meter_name: meter(catalog, &row.sku),
                    arm_region_name: row.region.clone(),
                    retail_price: row.node_hour,
                    currency_code: Some(row.currency.clone()),
                    product_name: None,
                    kind: None,
                    unit_of_measure: None,
                },
                date: Some(row.published.as_ref().map_or(table.date, |published| published.date)),
            })
            .collect();
        Prices { source: PriceSource::Snapshot, lines, partial: false }
    }

    /// What the API answered, from a file or just now, for one region or several; `date` is the day of that, if it is
    /// known.
    ///
    /// # Errors
    /// There is no price in a file. The API itself answers so for a region that it does not know.
    pub fn of_answers(
        answers: Vec<Answer>,
        source: PriceSource,
        date: Option<Date>,
    ) -> Result<Prices, PlanError> {
        let partial = answers.last().is_some_and(|answer| answer.next_page.is_some());
        let lines: Vec<Line> =
            (answers.into_iter()).flat_map(|answer| answer.items).map(|item| Line { item, date }).collect();
        if lines.is_empty() && source == PriceSource::File {
            return Err(PlanError::EmptyAnswer);
        }
        Ok(Prices { source, lines, partial })
    }

    pub(super) fn source(&self) -> PriceSource {
        self.source
    }

    /// The price of a node for an hour, or why there is none.
    ///
    /// Basic has no meter for a node of its own in some answers: there the meter for the cache is the same thing.
    pub(super) fn node_hour(
        &self,
        catalog: &Catalog,
        request: &Request,
        sku: &str,
        tier: Option<Tier>,
    ) -> Result<Found, String> {
        let region = short_region(&request.region);
        let meter = meter(catalog, sku);
        let sold: Vec<&Line> = (self.lines.iter())
            .filter(|line| {
                line.item.meter_name.eq_ignore_ascii_case(&meter) || line.item.is_whole_basic(sku, tier)
            })
            .filter(|line| line.item.is_hourly())
            .collect();
        let here = sold.iter().copied().filter(|line| short_region(&line.item.arm_region_name) == region);
        let mut priced: Vec<&Line> = here.filter(|line| line.item.is_in(&request.currency)).collect();
        // Basic and Standard share the meter's name; where the product tells them apart, it decides.
        if let Some(tier) = tier
            && priced.iter().any(|line| line.item.product_tier() == Some(tier))
        {
            priced.retain(|line| line.item.product_tier() == Some(tier));
        }
        let Some(first) = priced.first() else {
            return Err(self.why_missing(&sold, &meter, sku, &region, &request.currency));
        };
        let price = first.item.retail_price;
        let differs = priced.iter().find(|line| line.item.retail_price != price);
        let note = differs.map(|other| {
            format!(
                "{meter} has several prices in {region}: {price} was taken, not {}",
                other.item.retail_price
            )
        });
        Ok(Found { price, date: first.date, note })
    }

    fn why_missing(&self, sold: &[&Line], meter: &str, sku: &str, region: &str, currency: &str) -> String {
        let here: BTreeSet<&str> = (sold.iter())
            .filter(|line| short_region(&line.item.arm_region_name) == region)
            .filter_map(|line| line.item.currency_code.as_deref())
            .collect();
        let regions: BTreeSet<String> =
            sold.iter().map(|line| short_region(&line.item.arm_region_name)).collect();
        let elsewhere = match regions.len() {
            0 => "in no other region either".to_owned(),
            _ => format!("it has one in {}", regions.into_iter().collect::<Vec<_>>().join(", ")),
        };
        if !here.is_empty() {
            let here: Vec<&str> = here.into_iter().collect();
            return format!("{sku} has a price in {region} in {}, not in {currency}", here.join(", "));
        }
        match self.source {
            PriceSource::Snapshot => format!(
                "the snapshot has no price for {sku} in {region} ({elsewhere}); ask the retail price API with \
                 --prices live, or give a file of its answer with --prices FILE"
            ),
            PriceSource::Live
                if !self.lines.iter().any(|line| short_region(&line.item.arm_region_name) == region) =>
            {
                format!(
                    "{sku} is not sold in {region}: the retail price API has nothing of Redis there; write the region's \
                     short name, such as westus2"
                )
            }
            PriceSource::Live => {
                format!("{sku} is not sold in {region}: the retail price API has no {meter:?} there")
            }
            _ if self.partial => format!(
                "no {meter:?} in {region} in this page of the answer, and there are more: follow NextPageLink"
            ),
            _ => format!("{sku} is not sold in {region}: the answer has no {meter:?} there ({elsewhere})"),
        }
    }
}

impl Item {
    fn is_hourly(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind.eq_ignore_ascii_case("Consumption"))
            && self.unit_of_measure.as_deref().is_none_or(|unit| unit == "1 Hour")
            && self.retail_price.is_finite()
            && self.retail_price > 0.0
    }

    fn is_in(&self, currency: &str) -> bool {
        self.currency_code.as_deref().is_none_or(|code| code.eq_ignore_ascii_case(currency))
    }

    fn product_tier(&self) -> Option<Tier> {
        self.product_name.as_deref()?.rsplit(' ').next()?.parse().ok()
    }

    fn is_whole_basic(&self, sku: &str, tier: Option<Tier>) -> bool {
        tier == Some(Tier::Basic)
            && self.product_tier() == tier
            && self.meter_name.eq_ignore_ascii_case(&format!("{sku} Cache"))
    }
}

/// `West US 2` as `westus2`.
pub fn short_region(region: &str) -> String {
    region.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase()
}

fn meter(catalog: &Catalog, sku: &str) -> String {
    catalog.prices.meter.replace("{sku}", sku)
}
