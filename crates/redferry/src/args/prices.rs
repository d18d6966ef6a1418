//! Where prices come from.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use reqwest::Url;

/// Azure's own (Azure Retail Prices REST API).
const RETAIL: &str = "https://prices.azure.com/api/retail/prices";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Facts")]
pub(crate) struct PriceFacts {
    /// live asks the retail price API, snapshot takes the dated ones that came with redferry; a FILE has an answer of that
    /// API (or an array of its pages). Without it, price asks the API and takes the snapshot if it is not reached, and
    /// assess takes the snapshot
    #[arg(long, value_name = "live|snapshot|FILE")]
    pub(crate) prices: Option<PriceChoice>,
    /// Where the retail price API, or a mirror of it, is
    #[arg(long, value_name = "URL", env = "REDFERRY_PRICE_API", hide_env_values = true, default_value = RETAIL)]
    price_api: String,
}

impl PriceFacts {
    /// Where the API is. Read here and not by clap, whose errors repeat what was typed.
    ///
    /// # Errors
    /// It is no URL, or one with a password.
    pub(crate) fn api(&self) -> Result<Url, String> {
        price_api(&self.price_api).map_err(|error| format!("--price-api: {error}"))
    }
}

/// `--prices`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PriceChoice {
    Live,
    Snapshot,
    File(PathBuf),
}

impl FromStr for PriceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<PriceChoice, String> {
        match text {
            "" => Err("write live, snapshot or the name of a file".into()),
            "live" => Ok(PriceChoice::Live),
            "snapshot" => Ok(PriceChoice::Snapshot),
            file => Ok(PriceChoice::File(file.into())),
        }
    }
}

fn price_api(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; write a URL such as {RETAIL}"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(format!("write a URL of https or http, such as {RETAIL}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the API takes no user and no password: leave them out".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_name_of_a_source_is_written_with_its_folder() {
        assert_eq!("live".parse(), Ok(PriceChoice::Live));
        assert_eq!("snapshot".parse(), Ok(PriceChoice::Snapshot));
        assert_eq!("./live".parse(), Ok(PriceChoice::File("./live".into())));
        assert_eq!("Live".parse(), Ok(PriceChoice::File("Live".into())));
        assert!("".parse::<PriceChoice>().is_err());
    }

    #[test]
    fn the_api_is_where_http_leads_to() {
        assert!(price_api(RETAIL).is_ok() && price_api("http://127.0.0.1:8080/prices?api-version=1").is_ok());
        assert!(price_api("prices.azure.com").unwrap_err().contains("https://prices.azure.com"));
        assert!(price_api("file:///etc/passwd").unwrap_err().contains("https or http"));
        let refused = price_api("https://user:sesame@mirror/").unwrap_err();
        assert!(refused.contains("no password") && !refused.contains("sesame"), "{refused}");
    }
}
