//! Every file of the catalogue is held to its form, and wrong ones are refused with their name.

use planner::Catalog;
use planner::catalog::{BlockedCommand, Condition, Effect, Reach, Situation};
use planner::{ClusteringPolicy, Service};

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/catalog/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn with(name: &str, text: String) -> Result<Catalog, String> {
    Catalog::parse(&[(name.to_owned(), text)]).map_err(|error| error.to_string())
}

#[test]
fn the_embedded_files_are_the_catalogue() {
    let mut on_disk: Vec<String> = std::fs::read_dir(format!("{}/catalog", env!("CARGO_MANIFEST_DIR")))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    on_disk.sort();
    assert_eq!(on_disk, Catalog::files().collect::<Vec<_>>(), "a file came or went");
    let files: Vec<(String, String)> = on_disk.iter().map(|name| (name.clone(), file(name))).collect();
    assert_eq!(Catalog::parse(&files), Ok(Catalog::embedded()));
}

#[test]
fn unknown_fields_are_refused_in_every_file() {
    for name in Catalog::files() {
        // Once at the top, once in the first row.
        let text = file(name);
        let top = text.replacen('{', "{\"surplus\": 1, ", 1);
        let refused = with(name, top).unwrap_err();
        assert!(refused.starts_with(name) && refused.contains("surplus"), "{refused}");
        let rows = text.find("\"rows\"").unwrap();
        let row = text[rows..].replacen('{', "{\"surplus\": 1, ", 1);
        let refused = with(name, format!("{}{row}", &text[..rows])).unwrap_err();
        assert!(refused.starts_with(name) && refused.contains("surplus"), "{refused}");
    }
}

#[test]
fn every_table_has_its_source_and_date_and_a_date_is_a_date() {
    for name in Catalog::files() {
        let text = file(name);
        assert!(with(name, text.replacen("\"source\"", "\"origin\"", 1)).is_err(), "{name}: no source");
        let date = text.find("\"date\": \"").unwrap() + "\"date\": \"".len();
        let wrong = format!("{}2026-13{}", &text[..date], &text[date + "2026-05".len()..]);
        let refused = with(name, wrong).unwrap_err();
        assert!(refused.starts_with(name) && refused.contains("is no date"), "{refused}");
    }
}

#[test]
fn references_between_tables_resolve() {
    for (name, from, to, words) in [
        ("mapping.json", "\"target\": \"B350\"", "\"target\": \"B360\"", "B360 is not in targets.json"),
        ("mapping.json", "\"targets\": [\"B0\"]", "\"targets\": []", "no target"),
        ("mapping.json", "\"sku\": \"C6\"", "\"sku\": \"C7\"", "sources.json"),
        ("mapping.json", "\"shards\": [5, 10]", "\"shards\": [6, 10]", "do not follow 4"),
        ("prices.json", "\"sku\": \"M10\"", "\"sku\": \"M11\"", "M11"),
        ("prices.json", "{sku} Cache Instance", "Cache Instance", "meter"),
        ("prices.json", "\"node_hour\": 0.308", "\"node_hour\": 0", "a price of 0"),
        ("targets.json", "\"sku\": \"M20\"", "\"sku\": \"M10\"", "twice"),
        (
            "targets.json",
            "\"sku\": \"M10\", \"series\": \"M\"",
            "\"sku\": \"M10\", \"series\": \"B\"",
            "series",
        ),
        ("targets.json", "\"usable_gb\": 9.6", "\"usable_gb\": 96", "cannot be"),
        ("throughput.json", "\"burstable\": true", "\"burstable\": false", "B0"),
        ("features.json", "\"id\": \"search\"", "\"id\": \"find\"", "no row search"),
        ("dates.json", "\"date\": \"2028-10-01\"", "\"date\": \"2028-10\"", "no day"),
        ("changes.json", "\"id\": \"stralgo\"", "\"id\": \"dump_version\"", "dump_version is there twice"),
        ("multikey.json", "\"id\": \"others\"", "\"id\": \"rest\"", "no row others"),
        ("multikey.json", "\"SCAN\"", "\"KEYS\"", "KEYS is there twice"),
        ("multikey.json", "\"OSSCluster\": \"one_shard\"", "\"OSSCluster\": \"as_policy\"", "walk"),
        ("multikey.json", "\"geo\": \"as_policy\"", "\"geo\": \"refused\"", "DBSIZE is refused"),
        ("multikey.json", "\"geo\": \"any_slot\"", "\"geo\": \"all\"", "all"),
        ("sources.json", "[\"databases\"]", "[\"price\"]", "P5: derived price"),
        ("targets.json", "[\"usable_gb\"]", "[\"ram_gib\"]", "M350: derived ram_gib"),
        ("eviction.json", "\"default\": \"VolatileLRU\"", "\"default\": \"VolatileLIFO\"", "VolatileLIFO"),
    ] {
        let text = file(name);
        assert!(text.contains(from), "{name} has no {from}");
        let refused = with(name, text.replacen(from, to, 1)).unwrap_err();
        assert!(refused.contains(words), "{from} -> {to}: {refused}");
    }
    let text = file("features.json");
    let without = text.replacen(
        "\"remedy\": \"the service looks after nodes; flush the database to clear it\"",
        "\"remedy\": null",
        1,
    );
    assert_ne!(text, without);
    assert!(with("features.json", without).unwrap_err().contains("reboot: it may be lost"));
}

#[test]
fn a_file_that_no_catalogue_has_is_refused() {
    let refused = with("prizes.json", "{}".into()).unwrap_err();
    assert!(refused.starts_with("prizes.json") && refused.contains("prices.json"), "{refused}");
}

#[test]
fn commands_are_commands_of_redis() {
    for row in &Catalog::embedded().commands.rows {
        // Those of modules are in no table of Redis.
        let known = commands::lookup(row.command.as_bytes()).is_some() || row.command.starts_with("FT.");
        assert!(known, "{}", row.command);
        assert_eq!(row.effect == Effect::Changed, row.what.is_some(), "{}: what of it works", row.command);
        assert!(!row.instead.is_empty());
    }
}

#[test]
fn commands_are_found_by_service_and_condition() {
    let catalog = Catalog::embedded();
    let rows = |service, command: &str| -> Vec<&BlockedCommand> {
        let mut rows: Vec<&BlockedCommand> = catalog.commands.rows.iter().collect();
        rows.retain(|row| row.service == service && row.command == command);
        rows
    };
    assert_eq!(rows(Service::Acr, "SELECT")[0].when, [Condition::Situation(Situation::Clustered)]);
    assert_eq!(rows(Service::Amr, "SELECT")[0].when, []);
    let slots = rows(Service::Amr, "CLUSTER|SLOTS");
    let without_nodes = [ClusteringPolicy::EnterpriseCluster, ClusteringPolicy::NoCluster];
    assert_eq!(slots[0].when, without_nodes.map(Condition::Policy));
    let flush = rows(Service::Amr, "FLUSHALL");
    assert_eq!((flush.len(), flush[0].effect), (1, Effect::Blocked));
    assert_eq!(flush[0].when, [Condition::Situation(Situation::Geo)]);
}

/// Cluster commands as redis/docs has them: five work, with the OSS cluster API only; the others never.
#[test]
fn every_cluster_command_that_does_not_work_is_there() {
    let catalog = Catalog::embedded();
    let works = ["CLUSTER|HELP", "CLUSTER|INFO", "CLUSTER|KEYSLOT", "CLUSTER|NODES", "CLUSTER|SLOTS"];
    for command in commands::table().iter().filter(|command| command.name.starts_with("CLUSTER|")) {
        let of_amr = |row: &&BlockedCommand| row.service == Service::Amr && row.command == command.name;
        let row = catalog.commands.rows.iter().find(of_amr);
        let row = row.unwrap_or_else(|| panic!("no row for {}", command.name));
        assert_eq!(row.effect, Effect::Blocked);
        assert_eq!(row.when.is_empty(), !works.contains(&command.name), "{}", command.name);
    }
}

/// The table of redis/docs, multi-key operations, and what an active geo-replication group adds.
#[test]
fn several_keys_by_policy() {
    use Reach::{AnySlot, NotInMulti, OneShard, OneSlot, Partial, Refused, WholeDatabase};
    let catalog = Catalog::embedded();
    for (commands, reaches, geo_under_oss) in [
        ("DBSIZE KEYS SCAN", [WholeDatabase, OneShard, WholeDatabase], OneShard),
        ("FLUSHALL FLUSHDB", [WholeDatabase, OneShard, WholeDatabase], Refused),
        ("EXISTS MGET TOUCH", [AnySlot, OneSlot, AnySlot], OneSlot),
        ("DEL MSET UNLINK", [AnySlot, OneSlot, AnySlot], OneSlot),
        ("BITOP BLPOP COPY RENAME SMOVE SUNIONSTORE PFMERGE XREAD SINTER MSETNX WATCH", ONE_SLOT, OneSlot),
        ("MULTI EXEC EVAL EVALSHA FCALL", ONE_SLOT, OneSlot),
        ("JSON.MGET", [AnySlot, Partial, Partial], Partial),
        ("TS.MGET TS.MRANGE TS.QUERYINDEX", [AnySlot, NotInMulti, NotInMulti], NotInMulti),
        // Whatever is in no row.
        ("SORT", ONE_SLOT, OneSlot),
    ] {
        for command in commands.split(' ') {
            let row = catalog.multikey.of(command).unwrap();
            assert_eq!(ClusteringPolicy::ALL.map(|policy| row.under(policy)), reaches, "{command}");
            assert_eq!(row.reach(ClusteringPolicy::OSSCluster, true), geo_under_oss, "{command}");
        }
    }
    // In a group, single-slot writes hold under every policy, and reads stay as they are.
    let enterprise =
        |command| catalog.multikey.of(command).unwrap().reach(ClusteringPolicy::EnterpriseCluster, true);
    assert_eq!(["MGET", "TOUCH", "DEL"].map(enterprise), [AnySlot, AnySlot, OneSlot]);
    let single = |command| catalog.multikey.of(command).unwrap().reach(ClusteringPolicy::NoCluster, true);
    assert_eq!(["MGET", "RENAME"].map(single), [AnySlot, OneSlot]);
}

const ONE_SLOT: [Reach; 3] = [Reach::AnySlot, Reach::OneSlot, Reach::OneSlot];

#[test]
fn commands_with_several_keys_are_commands_of_redis_or_of_a_module() {
    for row in &Catalog::embedded().multikey.rows {
        for command in row.all().filter(|command| !command.contains('.')) {
            assert!(commands::lookup(command.as_bytes()).is_some(), "{command}");
        }
        let spares = ClusteringPolicy::ALL.into_iter().any(|policy| row.under(policy).spares());
        assert!(spares || row.all().next().is_none(), "{}: nothing to know", row.id);
    }
}
