//! Prices: the check values, the nodes, and answers of the price API in all their forms.

use planner::price::{self, Estimate, PriceSource, Prices, Request};
use planner::{Catalog, PlanError, Tier};

fn request(sku: &str, region: &str) -> Request {
    Request { sku: sku.into(), region: region.into(), currency: "USD".into(), ..Request::default() }
}

fn by_snapshot(request: &Request) -> Estimate {
    let catalog = Catalog::embedded();
    price::estimate(&catalog, &Prices::snapshot(&catalog), request).unwrap()
}

fn prices(items: &str) -> Prices {
    let answers = price::answers(&format!("{{\"Items\": [{items}], \"NextPageLink\": null}}")).unwrap();
    Prices::of_answers(answers, PriceSource::File, None).unwrap()
}

fn by(items: &str, request: &Request) -> Estimate {
    price::estimate(&Catalog::embedded(), &prices(items), request).unwrap()
}

const P2: &str = r#"{"meterName": "P2 Cache Instance", "armRegionName": "westus2", "retailPrice": 0.5}"#;
const B50: &str = r#"{"meterName": "B50 Cache Instance", "armRegionName": "westus2", "retailPrice": 1.25}"#;

#[test]
fn the_check_values() {
    let m10 = request("M10", "westus2");
    assert_eq!(by_snapshot(&m10).source.monthly, Some(449.68));
    assert_eq!(by_snapshot(&Request { ha: Some(false), ..m10 }).source.monthly, Some(224.84));
    let c3 = Request { tier: Some(Tier::Standard), ..request("C3", "eastus") };
    assert_eq!(by_snapshot(&c3).source.monthly, Some(328.50));
    let p2 = Request { shards: Some(3), ..request("P2", "westeurope") };
    assert_eq!(by_snapshot(&p2).source.monthly, Some(2430.90));
    assert_eq!(by_snapshot(&Request { replicas: Some(2), ..p2 }).source.monthly, Some(3646.35));
}

#[test]
fn nodes_are_those_of_the_tier() {
    let nodes = |sku: &str, tier, shards, replicas| {
        let request = Request { tier, shards, replicas, ..request(sku, "westus2") };
        let both = by_snapshot(&request);
        (both.source.nodes, both.target.unwrap().nodes)
    };
    assert_eq!(nodes("C1", Some(Tier::Basic), None, None), (1, 1));
    assert_eq!(nodes("C1", Some(Tier::Standard), None, None), (2, 2));
    assert_eq!(nodes("P1", None, None, None), (2, 2));
    assert_eq!(nodes("P1", None, Some(1), None), (2, 2));
    assert_eq!(nodes("P1", None, Some(15), Some(1)), (30, 2));
    assert_eq!(nodes("P1", None, Some(3), Some(3)), (12, 2));
}

#[test]
fn both_sides_and_the_difference() {
    let wanted = Request { shards: Some(3), to: Some("Balanced_B50".into()), ..request("p2", "West US 2") };
    let both = by(&format!("{P2}, {B50}"), &wanted);
    let target = both.target.clone().unwrap();
    assert_eq!((both.source.monthly, target.monthly), (Some(2190.0), Some(1825.0)));
    assert_eq!((both.source.nodes, target.nodes, target.sku.as_str()), (6, 2, "B50"));
    assert_eq!(both.difference(), Some(-365.0));
    assert_eq!(both.region, "westus2");
    assert!(both.missing.is_empty() && both.notes.is_empty());
    // B50 is also what the guide maps three shards of P2 to.
    assert_eq!(by(&format!("{P2}, {B50}"), &Request { to: None, ..wanted.clone() }), both);
    let without = by(&format!("{P2}, {B50}"), &Request { ha: Some(false), ..wanted });
    assert_eq!(without.target.unwrap().monthly, Some(912.5));
}

#[test]
fn only_hours_of_nodes_count() {
    // A reservation, the meter of a whole cache, another region and another currency, before the right one.
    let answer = r#"
        {"meterName": "P2 Cache Instance", "armRegionName": "westus2", "retailPrice": 3112.0, "type": "Reservation"},
        {"meterName": "P2 Cache", "armRegionName": "westus2", "retailPrice": 1.11, "type": "Consumption"},
        {"meterName": "P2 Cache Instance", "armRegionName": "westus", "retailPrice": 0.6, "type": "Consumption"},
        {"meterName": "P2 Cache Instance", "armRegionName": "westus2", "retailPrice": 0.47, "currencyCode": "EUR"},
        {"meterName": "P2 Cache Instance", "armRegionName": "westus2", "retailPrice": 0.0},
        {"meterName": "P2 Cache Instance", "armRegionName": "westus2", "retailPrice": 0.555, "currencyCode": "USD",
         "type": "Consumption", "unitOfMeasure": "1 Hour", "productName": "Azure Redis Cache Premium", "skuId": "x"}"#;
    assert_eq!(by(answer, &request("P2", "westus2")).source.node_hour, Some(0.555));
    let euro = Request { currency: "eur".into(), ..request("P2", "westus2") };
    assert_eq!(by(answer, &euro).source.node_hour, Some(0.47));
}

#[test]
fn basic_and_standard_are_told_apart_where_the_answer_does() {
    let answer = r#"
        {"meterName": "C1 Cache Instance", "armRegionName": "eastus", "retailPrice": 0.069,
         "productName": "Azure Redis Cache Standard"},
        {"meterName": "C1 Cache", "armRegionName": "eastus", "retailPrice": 0.138,
         "productName": "Azure Redis Cache Standard"},
        {"meterName": "C1 Cache", "armRegionName": "eastus", "retailPrice": 0.055,
         "productName": "Azure Redis Cache Basic"}"#;
    let monthly = |tier| {
        let both = by(answer, &Request { tier: Some(tier), ..request("C1", "eastus") });
        both.source.monthly.unwrap()
    };
    assert_eq!(monthly(Tier::Basic), 40.15);
    assert_eq!(monthly(Tier::Standard), 100.74);
    let shared = r#"{"meterName": "C1 Cache Instance", "armRegionName": "eastus", "retailPrice": 0.069}"#;
    let basic = by(shared, &Request { tier: Some(Tier::Basic), ..request("C1", "eastus") });
    assert_eq!(basic.source.monthly, Some(50.37));
}

#[test]
fn a_price_that_there_is_not_is_missing_and_not_guessed() {
    let both = by(P2, &Request { to: Some("B50".into()), ..request("P2", "westus2") });
    assert_eq!(both.source.monthly, Some(730.0));
    assert_eq!((both.target.clone().unwrap().monthly, both.difference()), (None, None));
    assert!(both.missing[0].starts_with("B50 is not sold in westus2"), "{:?}", both.missing);
    let both = by(P2, &request("P2", "moon"));
    assert_eq!(both.missing.len(), 2);
    assert!(both.missing[0].contains("P2 is not sold in moon") && both.missing[0].contains("westus2"));
    let first_page = r#"{"Items": [], "NextPageLink": "https://prices.azure.com/?$skip=100"}"#;
    let first_page = first_page.replace("[]", &format!("[{P2}]"));
    let prices = Prices::of_answers(price::answers(&first_page).unwrap(), PriceSource::File, None).unwrap();
    let both = price::estimate(&Catalog::embedded(), &prices, &request("P2", "westus2")).unwrap();
    assert!(both.missing[0].contains("NextPageLink"), "{:?}", both.missing);
    let both = by_snapshot(&Request { currency: "EUR".into(), ..request("P2", "westeurope") });
    assert!(both.missing[0].contains("in USD, not in EUR"), "{:?}", both.missing);
    let both = by_snapshot(&request("P3", "westeurope"));
    assert!(both.missing[0].contains("--prices"), "{:?}", both.missing);
}

#[test]
fn the_date_is_the_oldest_of_what_was_used() {
    // The catalogue with everything in one region: B0 was priced on 2026-08-11, M10 in 2026-02.
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/catalog/prices.json");
    let here = std::fs::read_to_string(file).unwrap().replace("eastus2", "westus2");
    let catalog = Catalog::parse(&[("prices.json".into(), here)]).unwrap();
    let dated = |sku: &str, to: &str| {
        let wanted = Request { to: Some(to.into()), ..request(sku, "westus2") };
        let both = price::estimate(&catalog, &Prices::snapshot(&catalog), &wanted).unwrap();
        both.priced_at.unwrap().to_string()
    };
    assert_eq!(dated("B0", "B5"), "2026-08-11");
    assert_eq!((dated("B0", "M10"), dated("M10", "B0")), ("2026-02".into(), "2026-02".into()));
    assert_eq!(by_snapshot(&request("M10", "westus2")).priced_at.unwrap().to_string(), "2026-02");
    let today = "2026-11-26".parse().ok();
    let answers = price::answers(&format!("[{{\"Items\": [{P2}]}}, {{\"Items\": [{B50}]}}]")).unwrap();
    let pages = Prices::of_answers(answers, PriceSource::Live, today).unwrap();
    let wanted = Request { shards: Some(2), ..request("P2", "westus2") };
    let both = price::estimate(&Catalog::embedded(), &pages, &wanted).unwrap();
    assert_eq!((both.priced_at, both.prices, both.missing.len()), (today, PriceSource::Live, 0));
}

#[test]
fn several_prices_of_one_meter_are_told() {
    let both = by(&format!("{P2}, {}", P2.replace("0.5", "0.7")), &request("P2", "westus2"));
    assert_eq!(both.source.node_hour, Some(0.5));
    assert!(both.notes[0].contains("several prices"), "{:?}", both.notes);
}

#[test]
fn answers_that_are_none() {
    for (text, words) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("{}", "Items"),
        ("[1]", "Items"),
        ("{\"Items\": [{\"meterName\": \"P2 Cache Instance\"}]}", "retailPrice"),
        ("<html>", "expected value"),
    ] {
        let refused = price::answers(text).unwrap_err().to_string();
        assert!(refused.contains(words), "{text:?}: {refused}");
    }
    assert!(price::answers("\u{feff}{\"Items\": []}").is_ok());
    let empty = price::answers("{\"Items\": [], \"NextPageLink\": null}").unwrap();
    assert_eq!(Prices::of_answers(empty, PriceSource::File, None), Err(PlanError::EmptyAnswer));
}

#[test]
fn the_api_is_asked_for_a_whole_region() {
    let [currency, filter] = price::query("West US 2", "EUR");
    assert_eq!(currency, ("currencyCode", "'EUR'".into()));
    assert_eq!(filter.0, "$filter");
    assert_eq!(
        filter.1,
        "serviceName eq 'Redis Cache' and armRegionName eq 'westus2' and type eq 'Consumption'"
    );
    let [_, filter] = price::query("x' or 'a' eq 'a", "USD");
    assert!(filter.1.contains("armRegionName eq 'x''or''a''eq''a' and"), "{}", filter.1);
}

#[test]
fn a_region_that_the_api_does_not_know_is_told() {
    let empty = price::answers("{\"Items\": [], \"NextPageLink\": null}").unwrap();
    let none = Prices::of_answers(empty, PriceSource::Live, None).unwrap();
    let both = price::estimate(&Catalog::embedded(), &none, &request("M10", "atlantis")).unwrap();
    assert!(both.missing[0].contains("nothing of Redis there"), "{:?}", both.missing);
    let answers = price::answers(&format!("{{\"Items\": [{P2}]}}")).unwrap();
    let prices = Prices::of_answers(answers, PriceSource::Live, None).unwrap();
    let both = price::estimate(&Catalog::embedded(), &prices, &request("M10", "westus2")).unwrap();
    assert!(both.missing[0].contains("has no \"M10 Cache Instance\" there"), "{:?}", both.missing);
}

#[test]
fn what_cannot_be_priced_is_said() {
    let catalog = Catalog::embedded();
    let refused = |request: Request| {
        price::estimate(&catalog, &Prices::snapshot(&catalog), &request).unwrap_err().to_string()
    };
    let with = |sku: &str| request(sku, "westus2");
    assert!(refused(with("C3")).contains("--tier"));
    assert!(refused(with("Z1")).contains("no SKU \"Z1\""));
    assert!(refused(Request { to: Some("B51".into()), ..with("P1") }).contains("no SKU \"B51\""));
    assert!(refused(Request { shards: Some(31), ..with("P1") }).contains("1 to 30"));
    assert!(refused(Request { shards: Some(16), ..with("P1") }).contains("1 to 15"));
    assert!(refused(Request { replicas: Some(4), ..with("P1") }).contains("1 to 3"));
    assert!(refused(Request { replicas: Some(0), ..with("P1") }).contains("1 to 3"));
    let basic = || Request { tier: Some(Tier::Basic), ..with("C3") };
    assert!(refused(Request { shards: Some(2), ..basic() }).contains("no shards"));
    assert!(refused(Request { replicas: Some(2), ..basic() }).contains("no choice of replicas"));
    assert!(refused(Request { shards: Some(2), ..with("M10") }).contains("no shards"));
    // Sixteen shards are no row of the guide, but have a price.
    let sixteen = Request { shards: Some(16), to: Some("B100".into()), ..with("P1") };
    assert_eq!(by_snapshot(&sixteen).source.nodes, 32);
}
