//! The prices of plans.

use serde_json::{Value, json};

use super::api::{Api, nowhere, page};
use super::{document, document_with, has};

fn resource(name: &str, location: &str) -> Value {
    json!({ "name": name, "type": "Microsoft.Cache/Redis", "location": location,
            "sku": {"name": "Standard", "family": "C", "capacity": 0} })
}

/// A file with this content, for as long as the folder.
fn file(content: &Value) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arm.json");
    std::fs::write(&path, content.to_string()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

async fn api() -> Api {
    Api::start(|_, asked| {
        let filter = asked.value("$filter").unwrap_or_default();
        let region = filter.split('\'').nth(3).unwrap_or_default();
        page(region, &[("C0", if region == "eastus2" { 0.02 } else { 0.03 }), ("B0", 0.01)], None)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_has_prices_of_today_only_where_they_are_wished_for() {
    let (_folder, arm) = file(&resource("orders", "East US 2"));
    let api = api().await;
    let asking = |options: &str| {
        document_with(&[("REDFERRY_PRICE_API", &api.url)], &format!("assess --arm {arm} {options}"), 0)
    };
    for options in ["", "--prices snapshot"] {
        let price = asking(options)["price"].clone();
        assert_eq!((&price["prices"], &price["priced_at"]), (&json!("snapshot"), &json!("2026-08-11")));
    }
    assert!(api.asked().is_empty(), "{:?}", api.asked());
    let price = asking("--prices live")["price"].clone();
    assert_eq!((&price["prices"], &price["source_monthly"]), (&json!("live"), &json!(29.2)));
    assert_eq!(price["target_monthly"], json!(14.6));
    // The target's region, where it is another.
    let price = asking("--prices live --region WestEurope")["price"].clone();
    assert_eq!((&price["region"], &price["source_monthly"]), (&json!("westeurope"), &json!(43.8)));
    assert_eq!(api.asked().len(), 2);
    let unreached = document(&format!("assess --arm {arm} --prices live --price-api {}", nowhere()), 5);
    has(&unreached["error"], "Connection refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_asks_once_for_each_region() {
    let fleet = json!([
        resource("a", "East US 2"),
        resource("b", "eastus2"),
        resource("c", "West Europe"),
        resource("d", "East US 2")
    ]);
    let (_folder, fleet) = file(&fleet);
    let api = api().await;
    let document = document(&format!("assess --fleet {fleet} --prices live --price-api {}", api.url), 0);
    let price = |index: usize| &document["caches"][index]["price"];
    assert_eq!([0, 1, 2, 3].map(|index| price(index)["source_monthly"].clone()), [29.2, 29.2, 43.8, 29.2]);
    assert_eq!(price(2)["prices"], "live");
    let regions: Vec<_> =
        api.asked().iter().filter_map(|asked| asked.value("$filter").map(str::to_owned)).collect();
    assert_eq!(regions.len(), 2, "{regions:?}");
    assert!(regions[0].contains("'eastus2'") && regions[1].contains("'westeurope'"), "{regions:?}");
}
