//! The commands that plan, through the real binary. Nothing here connects to anything: prices of today are in
//! `tests/prices`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

fn redferry(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_redferry"))
        .env_clear()
        .args(arguments.split_whitespace())
        .output()
        .expect("the binary runs")
}

#[track_caller]
fn document(arguments: &str, code: i32) -> Value {
    let output = redferry(&format!("{arguments} --output json"));
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments}: {out}{said}");
    let document: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    assert_eq!(document["exit_code"], code);
    assert_eq!(document["error"].is_null(), code == 0, "{document:#}");
    document
}

#[track_caller]
fn text(arguments: &str) -> String {
    let output = redferry(arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Fails unless the command ends with 2 and says these words, as text and as JSON.
#[track_caller]
fn refused(arguments: &str, words: &str) {
    let output = redferry(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
    assert!(said.contains(words), "{arguments}: nothing about {words:?} in: {said}");
    let error = document(arguments, 2)["error"].clone();
    assert!(error.as_str().unwrap().contains(words), "{arguments}: {error}");
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// A table of the embedded catalogue.
fn table(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../planner/catalog");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// An answer of the retail price API with these meters of a region.
fn prices(folder: &Folder, region: &str, prices: &[(&str, f64)]) -> String {
    let items: Vec<Value> = prices
        .iter()
        .map(|(sku, price)| {
            json!({ "meterName": format!("{sku} Cache Instance"), "armRegionName": region, "retailPrice": price,
                    "currencyCode": "USD", "type": "Consumption", "serviceName": "Redis Cache" })
        })
        .collect();
    let answer =
        json!({ "BillingCurrency": "USD", "Items": items, "NextPageLink": null, "Count": items.len() });
    folder.file("prices.json", &answer.to_string()).display().to_string()
}

#[test]
fn map_has_the_fields_that_scripts_rely_on() {
    let map = document("sku map --tier premium --sku P2 --shards 3", 0);
    assert_eq!(map["command"], "sku map");
    assert_eq!((&map["target"], &map["alternatives"]), (&json!("B50"), &json!([])));
    assert_eq!((&map["advertised_gb"], &map["usable_gb"]), (&json!(60.0), &json!(48.0)));
    assert_eq!(
        (&map["ha"], &map["vcpus"], &map["max_connections"]),
        (&json!(true), &json!(16), &json!(150_000))
    );
    let map = document("sku map --tier basic --sku c4", 0);
    assert_eq!((&map["target"], &map["alternatives"]), (&json!("M10"), &json!(["M20"])));
    assert_eq!((&map["ha"], &map["usable_gb"]), (&json!(false), &json!(9.6)));
    assert!(map["decides"].as_str().unwrap().contains("9.6 GB"));
    // P1 to P5 are sold in one tier only.
    assert_eq!(document("sku map --sku P5", 0)["target"], "B100");
}

#[test]
fn map_tells_people_what_decides_and_where_sources_contradict() {
    let said = text("sku map --tier premium --sku P2");
    assert!(said.contains("B10 (Balanced_B10)") && said.contains("or  B20"), "{said}");
    assert!(said.contains("up to 9.6 GB B10, above that B20"), "{said}");
    let said = text("sku map --tier premium --sku P5 --shards 2");
    assert!(said.contains("published 2026-04") && said.contains("the guide of 2026-02"), "{said}");
    assert!(said.contains("then B350"), "{said}");
}

#[test]
fn map_refuses_what_the_tables_do_not_have() {
    refused("sku map --tier premium --sku P1 --shards 16", "16 shards: the guide's table has 1 to 15");
    refused("sku map --tier basic --sku C1 --shards 2", "basic caches have no shards");
    refused("sku map --tier standard --sku C9", "no SKU \"C9\"");
    refused("sku map --tier basic --sku P1", "P1 is not sold as basic");
    refused("sku map --tier gold --sku P1", "\"gold\" is no tier");
    refused("sku map --tier enterprise --sku E10", "2027-03-31");
    refused("sku map --sku C1", "--tier");
    refused("sku map --tier premium --sku P1 --shards=-1", "--shards");
}

#[test]
fn recommend_says_why_and_why_not() {
    let found =
        document("sku recommend --used-memory 3GB --peak 4GB --connections 20000 --server-load 30", 0);
    assert_eq!(found["command"], "sku recommend");
    assert_eq!(found["target"], "X5", "{found:#}");
    assert_eq!(found["class"], "busy");
    let reasons = found["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason == "connections: 20000 of 30000"), "{reasons:?}");
    let rejected = found["rejected"].as_array().unwrap();
    let why = |sku: &str| rejected.iter().find(|entry| entry["sku"] == sku).map(|entry| entry["why"].clone());
    assert_eq!(why("B5"), Some(json!("connections: 20000 are above its 15000")));
    assert!(why("X3").unwrap().as_str().unwrap().contains("memory: 4 GB is above its 2.4 GB"));
    assert_eq!(why("X5"), None);
    let said = text("sku recommend --peak 4GB --connections 20000");
    assert!(said.contains("target  X5") && said.contains("because") && said.contains("not  X3"), "{said}");
}

#[test]
fn recommend_takes_every_option() {
    let found = document(
        "sku recommend --used-memory 8GB --peak 9GB --maxmemory-reserved 4000 --maxfragmentation-reserved 4GB \
         --server-load 45% --connections 900 --bandwidth 50MB/s --ops 40000 --ha --modules json,RediSearch --geo \
         --tier premium --sku P2 --shards 2",
        0,
    );
    assert_eq!((&found["target"], &found["class"]), (&json!("B10"), &json!("balanced")), "{found:#}");
    assert!(found["notes"].to_string().contains("NoEviction"));
    let memory = document("sku recommend --peak 9GB --maxmemory-reserved 3000 --server-load 20 --sku P2", 0);
    assert_eq!((&memory["target"], &memory["class"]), (&json!("M10"), &json!("memory")));
    assert_eq!(document("sku recommend --peak 9GB --no-ha --series X", 0)["target"], "X10");
}

#[test]
fn recommend_refuses_what_cannot_be() {
    refused("sku recommend", "--used-memory");
    refused("sku recommend --peak 8", "write the unit");
    refused("sku recommend --peak much", "write bytes such as");
    refused("sku recommend --peak 8GB --server-load 120", "percentage");
    refused("sku recommend --peak 8GB --ha --no-ha", "--no-ha");
    refused("sku recommend --peak 8GB --geo --no-ha", "needs high availability");
    refused("sku recommend --peak 8GB --geo --modules bloom", "RedisBloom cannot");
    refused("sku recommend --peak 8GB --modules graph", "\"graph\" is no module");
    refused("sku recommend --peak 8GB --series Z", "\"Z\" is no series");
    refused("sku recommend --peak 5TB", "no SKU fits");
    refused("sku recommend --peak 8GB --connections 300000", "connections: 300000 are above its 200000");
    refused("sku recommend --peak 8GB --tier premium", "--sku");
    refused("sku recommend --peak 8GB --tier basic --sku C1 --shards 2", "no shards");
}

#[test]
fn list_has_every_sku_once() {
    let skus = document("sku list", 0)["skus"].as_array().unwrap().clone();
    assert_eq!(skus.len(), 44);
    for (series, count) in [("M", 12), ("B", 14), ("X", 11), ("A", 7)] {
        let skus = document(&format!("sku list --series {series}"), 0)["skus"].as_array().unwrap().clone();
        assert_eq!(skus.len(), count);
        assert!(skus.iter().all(|sku| sku["series"] == series));
    }
    let b150 = skus.iter().find(|sku| sku["sku"] == "B150").unwrap();
    assert_eq!((&b150["advertised_gb"], &b150["guide"]["gb"]), (&json!(175.0), &json!(180.0)));
    assert!(text("sku list --series flash").contains("64 GiB memory, 1920 GiB disk"));
}

#[test]
fn features_say_what_changes_and_what_to_do() {
    let all = document("features", 0);
    assert_eq!((&all["tier"], &all["to"]), (&json!("premium"), &json!("balanced")));
    let rows = all["features"].as_array().unwrap();
    let row = |id: &str| rows.iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(row("private_endpoint")["change"], "same");
    assert_eq!(row("search")["change"], "gained");
    assert_eq!(row("vnet_injection")["change"], "lost");
    assert!(row("vnet_injection")["remedy"].as_str().unwrap().contains("private endpoint"));
    assert_eq!(row("keyspace_notifications")["since"], "2026-06");
    assert_eq!(row("keyspace_notifications")["was"][0]["date"], "2026-05");
    assert_eq!(row("databases")["cells"]["flash"], "0 only");
    let changed = document("features --tier basic --to flash --only changed", 0);
    let changed = changed["features"].as_array().unwrap();
    assert!(changed.len() < rows.len() && changed.iter().all(|row| row["change"] != "same"));
    let said = text("features --only changed");
    assert!(said.contains("as published 2026-06; 2026-05 said: not available"), "{said}");
    refused("features --tier gold", "\"gold\" is no tier");
    refused("features --to enterprise", "is no series");
    refused("features --only lost", "changed");
}

#[test]
fn features_say_what_several_keys_mean_under_each_policy() {
    let document = document("features --only changed", 0);
    let row = |command: &str| {
        let names = |row: &&Value| {
            [&row["commands"], &row["often_one_key"]]
                .iter()
                .any(|names| names.as_array().unwrap().contains(&json!(command)))
        };
        document["multi_key"].as_array().unwrap().iter().find(names).unwrap().clone()
    };
    for (command, no, oss, enterprise, geo) in [
        ("MGET", "any_slot", "one_slot", "any_slot", "any_slot"),
        ("DEL", "any_slot", "one_slot", "any_slot", "one_slot"),
        ("RENAME", "any_slot", "one_slot", "one_slot", "one_slot"),
        ("SCAN", "whole_database", "one_shard", "whole_database", "as_policy"),
        ("FLUSHALL", "whole_database", "one_shard", "whole_database", "refused"),
    ] {
        let row = row(command);
        let cells = ["NoCluster", "OSSCluster", "EnterpriseCluster", "geo"].map(|column| row[column].clone());
        assert_eq!(cells, [no, oss, enterprise, geo].map(|cell| json!(cell)), "{command}");
    }
    assert_eq!(document["multi_key_published"]["date"], "2026-05");
    let said = text("features");
    let line = |begin: &str| {
        let line = said.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("{said}"));
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        line("Writing"),
        ["Writing and deleting keys", "any slot", "one slot", "any slot", "one slot"]
    );
    assert_eq!(line("one slot"), ["one slot", "keys of one slot, others are answered CROSSSLOT"]);
    assert!(said.contains("    MSET DEL UNLINK\n"), "{said}");
    let (_, keys) = said.split_once("Several keys in one command").unwrap();
    assert!(keys.lines().all(|line| line.chars().count() <= 110), "{keys}");
}

#[test]
fn price_compares_both_sides() {
    let folder = Folder::new();
    let file = prices(&folder, "westus2", &[("P2", 0.555), ("B50", 1.257)]);
    let found = document(&format!("price --sku P2 --shards 3 --region westus2 --to B50 --prices {file}"), 0);
    assert_eq!((&found["currency"], &found["prices"]), (&json!("USD"), &json!("file")));
    assert_eq!((&found["source_nodes"], &found["source_monthly"]), (&json!(6), &json!(2430.90)));
    assert_eq!((&found["target_nodes"], &found["target_monthly"]), (&json!(2), &json!(1835.22)));
    assert_eq!(found["difference_monthly"], json!(-595.68));
    // The day of the file.
    let today = document("dates", 0)["today"].clone();
    assert_eq!(found["priced_at"], today);
    let dear = document(
        &format!("price --sku P2 --shards 3 --replicas 2 --no-ha --region westus2 --prices {file}"),
        0,
    );
    assert_eq!((&dear["source_nodes"], &dear["source_monthly"]), (&json!(9), &json!(3646.35)));
    assert_eq!((&dear["target_sku"], &dear["target_nodes"]), (&json!("B50"), &json!(1)));
    let said = text(&format!("price --sku P2 --shards 3 --region westus2 --prices {file}"));
    assert!(said.contains("6 x 0.555 x 730 h = 2430.90 USD a month") && said.contains("-595.68"), "{said}");
}

#[test]
fn the_snapshot_answers_where_it_can_and_says_that_it_does() {
    let m10 = document("price --sku M10 --region westus2 --prices snapshot", 0);
    assert_eq!((&m10["source_monthly"], &m10["target_monthly"]), (&json!(449.68), &Value::Null));
    assert_eq!((&m10["prices"], &m10["priced_at"]), (&json!("snapshot"), &json!("2026-02")));
    let single = document("price --sku M10 --region westus2 --no-ha --prices snapshot", 0);
    assert_eq!(single["source_monthly"], json!(224.84));
    let c3 = document("price --sku C3 --tier standard --region eastus --prices snapshot", 0);
    assert_eq!((&c3["source_monthly"], &c3["target_monthly"]), (&json!(328.5), &Value::Null));
    assert!(c3["notes"][0].as_str().unwrap().contains("--prices"), "{c3:#}");
    let said = text("price --sku M10 --region westus2 --prices snapshot");
    assert!(said.contains("snapshot in the catalogue of 2026-02"), "{said}");
    refused(
        "price --sku P2 --region westus2 --prices snapshot",
        "the snapshot has no price for P2 in westus2",
    );
}

#[test]
fn price_refuses_what_has_no_price() {
    let folder = Folder::new();
    let file = prices(&folder, "westus2", &[("P2", 0.555), ("B20", 0.6)]);
    let with = |options: &str| format!("price {options} --prices {file}");
    refused(&with("--sku P2 --region atlantis"), "P2 is not sold in atlantis");
    refused(&with("--sku P2 --region westus2 --to X20"), "X20 is not sold in westus2");
    refused(&with("--sku P2 --region westus2 --to B20 --currency EUR"), "in USD, not in EUR");
    refused(&with("--sku P2 --region westus2 --currency euro"), "three letters");
    refused(&with("--sku P9 --region westus2"), "no SKU \"P9\"");
    refused(&with("--sku C3 --tier basic --shards 2 --region westus2"), "no shards");
    refused(&with("--sku P2 --shards 31 --region westus2"), "1 to 30");
    refused(&with("--sku P2 --shards 16 --region westus2"), "1 to 15");
    refused(&with("--sku P2 --replicas 4 --region westus2"), "1 to 3");
    refused(&with("--sku P2"), "--region");
    // What is known is told all the same.
    let found = document(&with("--sku P2 --region westus2 --to X20"), 2);
    assert_eq!((&found["source_monthly"], &found["target_monthly"]), (&json!(810.3), &Value::Null));
}

#[test]
fn price_answers_that_are_none() {
    let folder = Folder::new();
    let with = |content: &str| {
        let file = folder.file("answer.json", content);
        format!("price --sku P2 --region westus2 --prices {}", file.display())
    };
    refused(&with("{\"Items\": [], \"Count\": 0}"), "is empty");
    refused(&with("{\"error\": {\"code\": \"BadRequest\"}}"), "must have Items");
    refused(&with("<html>"), "is not understood");
    refused(&with(""), "is not understood");
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, [b'{', 0xff, 0xfe]).unwrap();
    refused(&format!("price --sku P2 --region westus2 --prices {}", broken.display()), "UTF-8");
    refused("price --sku P2 --region westus2 --prices /no/such/file", "/no/such/file");
}

#[test]
fn dates_count_the_days_from_today() {
    let found = document("dates", 0);
    let today = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 86_400;
    let retires = found["dates"].as_array().unwrap().iter().find(|date| date["id"] == "acr_retires").unwrap();
    assert_eq!(retires["date"], "2028-09-30");
    // 2028-09-30 is day 21457 since 1970; midnight may have passed meanwhile.
    let left = retires["days_left"].as_i64().unwrap();
    let expected = 21_457 - i64::try_from(today).unwrap();
    assert!((expected..=expected + 1).contains(&left), "{left}, not {expected}");
    let said = text("dates");
    assert!(said.contains("2027-03-31") && said.contains("Premium are retired"), "{said}");
    assert!(said.contains("2026-05 said: blocked from 2026-10-01"), "{said}");
}

#[test]
fn another_catalogue_replaces_the_tables_that_it_has() {
    let folder = Folder::new();
    let dearer = table("prices.json").replace("\"node_hour\": 0.308", "\"node_hour\": 1.0");
    folder.file("prices.json", &dearer);
    folder.file("readme.txt", "not a table");
    let with = |command: &str| format!("{command} --catalog {}", folder.path().display());
    assert_eq!(
        document(&with("price --sku M10 --region westus2 --prices snapshot"), 0)["source_monthly"],
        json!(1460.0)
    );
    // The other tables are those that came with the program.
    assert_eq!(document(&with("sku map --sku P1"), 0)["target"], "B5");
    folder.file("mapping.json", &table("mapping.json").replace("\"B1000\"", "\"B1001\""));
    refused(&with("sku list"), "mapping.json: B1001 is not in targets.json");
    refused(&with("dates"), "mapping.json");
    refused(&with("features"), "mapping.json");
    folder.file("mapping.json", "{");
    refused(&with("sku map --sku P1"), "mapping.json: EOF");
    std::fs::rename(folder.path().join("mapping.json"), folder.path().join("mappings.json")).unwrap();
    refused(&with("sku recommend --peak 1GB"), "mappings.json: no file of a catalogue");
    refused("dates --catalog /no/such/folder", "/no/such/folder");
    refused(&format!("dates --catalog {}", Folder::new().path().display()), "--catalog");
}
