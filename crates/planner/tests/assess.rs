//! What `assess` finds, each with its evidence, and what it finds in a cache where all is well: nothing.

mod reports;

use std::collections::BTreeMap;

use planner::assess::{
    Address, AppFinding, Finding, Inventory, Large, Live, Plan, Sample, Severity, Share, Strategy, Wishes,
    assess, read, report,
};
use planner::price::Prices;
use planner::sku::Module;
use planner::{Catalog, ClusteringPolicy};

/// A Standard cache of 2 GB in which nothing is of any concern, all of it known.
fn clean() -> Inventory {
    let resource = read::resource(
        r#"{"id": "/subscriptions/1/resourceGroups/shop/providers/Microsoft.Cache/Redis/orders", "name": "orders",
            "type": "Microsoft.Cache/Redis", "location": "East US 2", "hostName": "orders.redis.cache.windows.net",
            "sku": {"name": "Standard", "family": "C", "capacity": 2}, "enableNonSslPort": false,
            "minimumTlsVersion": "1.2", "publicNetworkAccess": "Enabled", "disableAccessKeyAuthentication": true,
            "redisConfiguration": {"maxmemory-policy": "allkeys-lru"}, "linkedServers": []}"#,
    );
    let live = Live {
        nodes: vec![read::info(
            "redis_version:6.0.14\nused_memory:1500000000\nused_memory_peak:1600000000\nconnected_clients:40\n\
             uptime_in_seconds:1000\nmaxmemory_policy:allkeys-lru\ndb0:keys=1000000,expires=900000,avg_ttl=0\n",
        )],
        commands: read::commandstats(
            "cmdstat_get:calls=9000,usec=1\ncmdstat_set:calls=500,usec=1\ncmdstat_client:calls=40,usec=1",
        ),
        clients: Some(read::clients(
            "id=1 addr=10.0.0.4:1 name=web db=0 sub=0 psub=0 omem=0 flags=N user=app",
            "redferry",
        )),
        sample: Some(Sample {
            keys: 10_000,
            of: 1_000_000,
            types: BTreeMap::from([("string".into(), Share { keys: 10_000, bytes: 15_000_000 })]),
            prefixes: BTreeMap::from([("session:".into(), Share { keys: 10_000, bytes: 15_000_000 })]),
            ttls: [1000, 0, 4000, 5000, 0, 0],
            largest: vec![Large { prefix: "session:".into(), kind: "string".into(), bytes: 9000 }],
            ..Sample::default()
        }),
        ..Live::default()
    };
    Inventory {
        name: "orders".into(),
        address: Some(Address { host: "orders.redis.cache.windows.net".into(), port: 6380, tls: true }),
        live: Some(live),
        resource: Some(resource.unwrap()),
        ..Inventory::default()
    }
}

fn plan(inventory: &Inventory) -> Plan {
    let catalog = Catalog::embedded();
    assess(&catalog, &Prices::snapshot(&catalog), inventory)
}

fn live(change: impl FnOnce(&mut Live)) -> Inventory {
    let mut inventory = clean();
    change(inventory.live.as_mut().unwrap());
    inventory
}

fn resource(change: impl FnOnce(&mut read::Resource)) -> Inventory {
    let mut inventory = clean();
    change(inventory.resource.as_mut().unwrap());
    inventory
}

fn calls(name: &str, calls: u64) -> Inventory {
    live(|live| _ = live.commands.insert(name.into(), calls))
}

/// The same with a source of 40 GB, whose target must be clustered.
fn large(mut inventory: Inventory) -> Inventory {
    let resource = inventory.resource.as_mut().unwrap();
    resource.sku = read::Sku { tier: planner::Tier::Premium, name: "P4".into(), shards: None };
    let live = inventory.live.as_mut().unwrap();
    live.nodes =
        vec![read::info("redis_version:6.0.14\nused_memory_peak:40000000000\nmaxmemory_policy:allkeys-lru")];
    inventory
}

#[track_caller]
fn found(inventory: &Inventory, id: &str, severity: Severity, evidence: &str) -> Finding {
    let plan = plan(inventory);
    let found = plan.findings.iter().find(|finding| finding.id == id);
    let found = found.unwrap_or_else(|| panic!("no {id} in {:#?}", plan.findings)).clone();
    assert_eq!(found.severity, severity, "{found:#?}");
    assert!(found.evidence.contains(evidence), "{found:#?}");
    assert!(!found.title.is_empty() && !found.remedy.is_empty(), "{found:#?}");
    found
}

#[track_caller]
fn absent(inventory: &Inventory, id: &str) {
    let plan = plan(inventory);
    assert!(plan.findings.iter().all(|finding| finding.id != id), "{:#?}", plan.findings);
}

#[test]
fn a_clean_cache_has_no_findings() {
    let plan = plan(&clean());
    assert_eq!(plan.findings, []);
    assert!(!plan.is_blocked());
    let size = plan.size.unwrap();
    assert_eq!((size.sku.as_str(), size.resource_sku.as_str(), size.ha), ("B3", "Balanced_B3", true));
    assert_eq!(plan.clustering.policy, ClusteringPolicy::NoCluster);
    assert_eq!(plan.eviction.policy, "AllKeysLRU");
    assert_eq!(plan.persistence.kind, "none");
    assert!(plan.network.public_access && plan.network.suffix == ".<region>.redis.azure.net");
}

#[test]
fn several_databases() {
    let inventory = live(|live| {
        live.nodes = vec![read::info("used_memory:9\ndb0:keys=5,expires=5\ndb3:keys=7,expires=0")]
    });
    found(&inventory, "several_databases", Severity::Blocker, "database 3: 7 keys");
    let connected = live(|live| live.clients.as_mut().unwrap().databases = BTreeMap::from([(4, 2)]));
    found(&connected, "several_databases", Severity::Blocker, "2 connections in database 4");
}

#[test]
fn blocked_and_changed_commands() {
    let blocked = found(&calls("SELECT", 12), "commands_blocked", Severity::Blocker, "SELECT 12 times");
    assert!(blocked.remedy.contains("prefix"), "{blocked:?}");
    found(
        &calls("CONFIG", 3),
        "commands_changed",
        Severity::Warning,
        "CONFIG 3 times: Redis 6 does not count",
    );
    found(
        &calls("CONFIG|SET", 1),
        "commands_changed",
        Severity::Warning,
        "CONFIG|SET once: only for a subset",
    );
    absent(&calls("CONFIG|REWRITE", 1), "commands_changed");
    absent(&calls("SCAN", 7), "commands_changed");
    // A clustered source whose clients shall not see the shards any more.
    let mut clustered = live(|live| {
        live.clustered = true;
        live.commands.extend([("CLUSTER|SLOTS".into(), 9), ("SCAN".into(), 7)]);
    });
    clustered.wishes.cluster_aware = Some(false);
    found(&clustered, "commands_blocked", Severity::Blocker, "CLUSTER|SLOTS 9 times");
    clustered.wishes.cluster_aware = None;
    absent(&clustered, "commands_blocked");
    absent(&clustered, "commands_changed");
    let mut aware = large(calls("SCAN", 7));
    aware.wishes.cluster_aware = Some(true);
    found(&aware, "commands_changed", Severity::Warning, "SCAN 7 times: the shard of the connection only");
}

#[test]
fn commands_of_every_catalogue_row_that_always_holds() {
    for row in Catalog::embedded().commands.rows {
        if row.service == planner::Service::Amr && row.when.is_empty() {
            let (id, severity) = match row.effect {
                planner::catalog::Effect::Blocked => ("commands_blocked", Severity::Blocker),
                planner::catalog::Effect::Changed => ("commands_changed", Severity::Warning),
            };
            found(&calls(&row.command, 2), id, severity, &format!("{} 2 times", row.command));
        }
    }
}

#[test]
fn keys_and_changed_behaviour() {
    found(&calls("KEYS", 4), "keys_command", Severity::Note, "KEYS 4 times");
    found(&calls("XINFO|STREAM", 4), "version_changes", Severity::Note, "XINFO 4 times: since 7.0");
    let scripts =
        found(&calls("EVAL", 9), "version_changes", Severity::Note, "EVAL 9 times: since 7.0 a script");
    assert_eq!(scripts.evidence.matches("EVAL 9 times").count(), 1, "{scripts:?}");
    assert_eq!(scripts.evidence.matches("since 7.").count(), 3, "{scripts:?}");
    absent(
        &live(|live| {
            live.commands.insert("XINFO".into(), 4);
            live.nodes = vec![read::info("redis_version:7.2.1\nused_memory:9")];
        }),
        "version_changes",
    );
}

#[test]
fn keys_that_must_share_a_slot() {
    for (command, id) in [("SUNION", "multi_key"), ("MULTI", "transactions"), ("EVALSHA", "lua_scripts")] {
        let evidence = format!("{command} 3 times");
        let kept = found(&calls(command, 3), id, Severity::Note, &evidence);
        assert!(kept.evidence.contains("0 of 10000 keys looked at have a hash tag"), "{kept:?}");
        found(&large(calls(command, 3)), id, Severity::Warning, &evidence);
        let mut clustered = large(calls(command, 3));
        clustered.live.as_mut().unwrap().clustered = true;
        absent(&clustered, id);
    }
    // The Enterprise policy takes these apart, the OSS policy does not.
    absent(&large(calls("MGET", 3)), "multi_key");
    let mut aware = large(calls("MGET", 3));
    aware.wishes.cluster_aware = Some(true);
    found(
        &aware,
        "multi_key",
        Severity::Warning,
        "MGET 3 times: keys of one slot, others are answered CROSSSLOT",
    );
}

#[test]
fn commands_that_often_name_one_key_are_only_a_note() {
    let mut aware = large(calls("DEL", 300));
    aware.wishes.cluster_aware = Some(true);
    let evidence = "DEL 300 times: the same where they name several keys";
    found(&aware, "multi_key", Severity::Note, evidence);
    aware.live.as_mut().unwrap().commands.insert("RENAME".into(), 1);
    let both = found(&aware, "multi_key", Severity::Warning, "RENAME once: keys of one slot");
    assert!(both.evidence.contains(evidence), "{both:?}");
    // The Enterprise policy takes DEL apart, but not BLPOP; without clustering there is nothing to know.
    absent(&large(calls("DEL", 300)), "multi_key");
    found(&large(calls("BLPOP", 2)), "multi_key", Severity::Note, "BLPOP 2 times");
    absent(&calls("BLPOP", 2), "multi_key");
}

#[test]
fn an_active_geo_replication_group_is_clustered_whatever_the_policy() {
    let linked = |mut inventory: Inventory| {
        inventory.resource.as_mut().unwrap().linked = vec!["orders-west".into()];
        inventory
    };
    let evidence = "SUNION 3 times: keys of one slot, others are answered CROSSSLOT";
    found(&linked(calls("SUNION", 3)), "multi_key", Severity::Warning, evidence);
    found(&linked(calls("EVAL", 3)), "lua_scripts", Severity::Warning, "EVAL 3 times; keys of one slot");
    found(&linked(calls("MSET", 3)), "multi_key", Severity::Warning, "MSET 3 times: keys of one slot");
    absent(&linked(large(calls("MGET", 3))), "multi_key");
    found(&linked(calls("FLUSHALL", 1)), "commands_blocked", Severity::Blocker, "FLUSHALL once");
}

#[test]
fn clients_that_may_not_be_cluster_aware() {
    let unknown = found(&large(clean()), "clients_not_cluster_aware", Severity::Warning, "1 connections");
    assert!(unknown.evidence.contains("nothing shows it"), "{unknown:?}");
    let mut not = large(clean());
    not.wishes.cluster_aware = Some(false);
    found(&not, "clients_not_cluster_aware", Severity::Warning, "said not to be");
    not.wishes.cluster_aware = Some(true);
    absent(&not, "clients_not_cluster_aware");
}

#[test]
fn search_and_its_policy() {
    found(&calls("FT.SEARCH", 5), "search_policy", Severity::Blocker, "FT.* 5 times");
    let mut wished = clean();
    wished.wishes.modules = vec![Module::Search];
    found(&wished, "search_policy", Severity::Note, "asked for");
    let plan = plan(&wished);
    assert_eq!(plan.clustering.policy, ClusteringPolicy::EnterpriseCluster);
    assert_eq!(plan.eviction.policy, "NoEviction");
}

#[test]
fn notifications_and_channels() {
    found(
        &resource(|r| r.notify = Some("KEA".into())),
        "keyspace_notifications",
        Severity::Warning,
        "\"KEA\"",
    );
    found(&live(|l| l.notify = Some("AE".into())), "keyspace_notifications", Severity::Warning, "\"AE\"");
    found(&calls("PUBLISH", 2), "pubsub", Severity::Note, "PUBLISH 2 times");
    found(&live(|l| l.clients.as_mut().unwrap().subscribers = 3), "pubsub", Severity::Note, "3 connections");
}

#[test]
fn connections_and_their_buffers() {
    found(&resource(|r| r.plaintext = true), "plaintext_clients", Severity::Warning, "enableNonSslPort");
    let mut plain = clean();
    plain.address.as_mut().unwrap().tls = false;
    found(&plain, "plaintext_clients", Severity::Warning, "redferry connected without TLS");
    let many = live(|l| l.nodes.push(read::info("connected_clients:14000")));
    found(&many, "connections", Severity::Warning, "14040 connections at the peak, B3 allows 15000");
    found(
        &live(|l| l.clients.as_mut().unwrap().largest_output = 20 << 20),
        "output_buffers",
        Severity::Warning,
        "20 MiB",
    );
}

#[test]
fn big_keys_and_keys_without_expiry() {
    let big = |bytes| live(|l| l.sample.as_mut().unwrap().largest[0].bytes = bytes);
    found(&big(12 << 20), "big_keys", Severity::Note, "session: string of 12 MiB");
    found(&big(200 << 20), "big_keys", Severity::Warning, "200 MiB");
    let volatile = |expires: u64| {
        live(|l| l.nodes = vec![read::info(&format!("used_memory:9\ndb0:keys=100,expires={expires}"))])
    };
    let mut some = volatile(80);
    some.resource.as_mut().unwrap().eviction = Some("volatile-lru".into());
    found(&some, "keys_without_ttl", Severity::Note, "20 of 100 keys (20 %)");
    let mut many = volatile(10);
    absent(&many, "keys_without_ttl");
    many.resource.as_mut().unwrap().eviction = Some("volatile-ttl".into());
    found(&many, "keys_without_ttl", Severity::Warning, "90 of 100 keys (90 %)");
}

#[test]
fn what_the_resource_has_and_the_target_has_not() {
    use Severity::{Blocker, Note, Warning};
    found(
        &resource(|r| r.subnet = Some("/x/subnets/caches".into())),
        "vnet_injection",
        Blocker,
        "subnet caches",
    );
    found(&resource(|r| r.private_endpoints = 2), "private_endpoint", Warning, "2 private endpoints");
    found(
        &resource(|r| r.firewall_rules = vec!["office".into()]),
        "firewall_rules",
        Warning,
        "1 rules: office",
    );
    found(
        &resource(|r| r.linked = vec!["orders-eu".into()]),
        "passive_geo_replication",
        Warning,
        "orders-eu",
    );
    found(&resource(|r| r.zones = vec!["1".into(), "3".into()]), "zone_pinning", Note, "1, 3");
    let both = resource(|r| (r.aof, r.rdb_minutes) = (true, Some(60)));
    found(&both, "rdb_and_aof", Warning, "aof-backup-enabled");
    assert_eq!(plan(&both).persistence.kind, "aof");
    let linked = resource(|r| (r.aof, r.rdb_minutes, r.linked) = (true, Some(60), vec!["orders-eu".into()]));
    let neither = found(&linked, "rdb_and_aof", Warning, "aof-backup-enabled");
    assert!(neither.remedy.contains("neither") && plan(&linked).persistence.kind == "none", "{neither:?}");
    let policies = ["Data Owner", "Data Reader", "audit"].map(str::to_owned).to_vec();
    let reader =
        found(&resource(|r| r.access_policies = policies), "access_policies", Warning, "Data Reader, audit");
    assert!(!reader.evidence.contains("Owner"));
    found(&resource(|r| r.access_keys_disabled = false), "access_keys", Warning, "1 of 1 connections");
    found(&resource(|r| r.minimum_tls = Some("1.0".into())), "old_tls", Warning, "1.0");
    found(
        &resource(|r| r.patch_schedule = vec!["Sunday 02:00 UTC".into()]),
        "patch_schedule",
        Note,
        "Sunday",
    );
}

#[test]
fn sizes_at_the_edge_and_smaller_ones() {
    let with_peak = |bytes: u64| live(|l| l.nodes = vec![read::info(&format!("used_memory_peak:{bytes}"))]);
    found(&with_peak(2_300_000_000), "size_at_the_edge", Severity::Warning, "B3 has 2.4 GB for data (96 %)");
    let down = found(
        &with_peak(300_000_000),
        "scaling_down",
        Severity::Note,
        "B0 fits, the guide maps the source to B3",
    );
    assert!(down.remedy.contains("November 2025") && down.remedy.contains("May 2026"));
    let none = found(&with_peak(90_000_000_000_000), "no_size_fits", Severity::Blocker, "90000.0 GB");
    assert!(none.remedy.contains("split"));
}

#[test]
fn sources_of_applications() {
    let mut inventory = clean();
    let select = |line, what: &str, change: &str| AppFinding {
        kind: "select".into(),
        severity: Severity::Blocker,
        file: "src/cache.py".into(),
        line,
        what: what.into(),
        change: change.into(),
    };
    inventory.app_findings = vec![
        select(12, "db=3", "database 0 and a prefix"),
        select(20, "SELECT", "no SELECT"),
        select(31, "db=3", "database 0 and a prefix"),
    ];
    let places = "src/cache.py:12, src/cache.py:31 db=3; src/cache.py:20 SELECT";
    let finding = found(&inventory, "application", Severity::Blocker, places);
    assert_eq!(finding.remedy, "database 0 and a prefix; no SELECT");
}

#[test]
fn the_newest_guidance_decides_and_the_older_one_is_named() {
    let clustering = plan(&large(clean())).clustering;
    assert_eq!(clustering.policy, ClusteringPolicy::EnterpriseCluster);
    assert!(clustering.guidance.contains("May 2026") && clustering.guidance.contains("February 2026"));
    let mut clustered = clean();
    clustered.resource.as_mut().unwrap().sku =
        read::Sku { tier: planner::Tier::Premium, name: "P1".into(), shards: Some(1) };
    assert_eq!(plan(&clustered).clustering.policy, ClusteringPolicy::OSSCluster);
}

#[test]
fn ways_are_scored_by_what_is_known() {
    let best = |inventory: &Inventory| plan(inventory).strategy;
    assert_eq!(best(&clean()), Strategy::Sync);
    let mut inventory = clean();
    inventory.wishes = Wishes { rebuildable: Some(true), ..Wishes::default() };
    assert_eq!(best(&inventory), Strategy::Rebuild);
    let scored = |inventory: &Inventory, strategy| {
        plan(inventory).strategies.into_iter().find(|scored| scored.strategy == strategy).unwrap()
    };
    let export = scored(&clean(), Strategy::ExportImport);
    assert!(
        !export.possible && export.reasons.iter().any(|reason| reason.contains("standard caches cannot")),
        "{export:?}"
    );
    assert!(scored(&clean(), Strategy::ArmMigration).possible);
    for change in [
        |r: &mut read::Resource| r.subnet = Some("s".into()),
        |r: &mut read::Resource| r.private_endpoints = 1,
        |r: &mut read::Resource| r.linked = vec!["l".into()],
    ] {
        assert!(!scored(&resource(change), Strategy::ArmMigration).possible);
    }
    // Neither way takes a database other than 0, also where it is the only one.
    let mut third = live(|live| live.nodes = vec![read::info("used_memory:9\ndb3:keys=7,expires=0")]);
    third.resource.as_mut().unwrap().sku.tier = planner::Tier::Premium;
    for strategy in [Strategy::ExportImport, Strategy::ArmMigration] {
        assert!(!scored(&third, strategy).possible, "{strategy:?}");
    }
    inventory.wishes = Wishes { rebuildable: Some(false), ..Wishes::default() };
    assert!(!scored(&inventory, Strategy::Rebuild).possible);
}

#[test]
fn the_runbook_has_the_commands_of_this_cache() {
    let plan = plan(&resource(|r| r.subnet = Some("/x/subnets/caches".into())));
    let all: String = plan
        .runbook
        .iter()
        .flat_map(|step| &step.commands)
        .fold(String::new(), |all, line| all + line + "\n");
    for part in [
        "az redis show --name orders --resource-group shop",
        "az redisenterprise create --cluster-name orders-amr --resource-group shop --location eastus2 --sku Balanced_B3",
        "--clustering-policy NoCluster --eviction-policy AllKeysLRU --access-keys-authentication Disabled",
        "--public-network-access Disabled",
        "--zone-name privatelink.redis.azure.net",
        "redferry sync --source rediss://orders.redis.cache.windows.net:6380 --target rediss://TARGET_HOST:10000",
        "redferry cutover --verify sample",
        "az redis delete --name orders",
        "az extension add --upgrade --name redisenterprise",
    ] {
        assert!(all.contains(part), "no {part:?} in {all}");
    }
    assert!(plan.runbook[1].why.contains("vnet_injection"));
    assert!(plan.runbook.iter().enumerate().all(|(index, step)| step.number == index + 1));
    let copy = plan.runbook.iter().find(|step| step.title == "Copy and follow").unwrap();
    assert!(copy.takes.as_ref().unwrap().starts_with("5 s to 23 s for 1000000 keys"), "{copy:?}");
    assert!(copy.roll_back.is_some());
}

/// The pattern of the specification and of the command line: 1 to 60 letters and digits, single hyphens between them.
fn is_a_name(name: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    name.len() <= 60 && name.split('-').all(word)
}

#[test]
fn the_target_has_a_name_that_azure_takes() {
    let long = "a".repeat(63);
    let hyphen = format!("{}-{}", "a".repeat(55), "b".repeat(7));
    let (cut, at_hyphen) = (format!("{}-amr", &long[..56]), format!("{}-amr", "a".repeat(55)));
    for (source, target) in [
        ("orders", "orders-amr"),
        ("a--b", "a-b-amr"),
        ("-orders_eu.1-", "orders-eu-1-amr"),
        (long.as_str(), cut.as_str()),
        (hyphen.as_str(), at_hyphen.as_str()),
        ("a; rm -rf $HOME", "a-rm-rf-HOME-amr"),
    ] {
        let plan = plan(&resource(|r| r.name = source.into()));
        let commands: Vec<&String> = plan.runbook.iter().flat_map(|step| &step.commands).collect();
        let named =
            commands.iter().filter_map(|command| command.split_once("--cluster-name ")?.1.split(' ').next());
        let named: Vec<&str> = named.collect();
        assert!(named.len() > 2 && named.iter().all(|name| *name == target), "{source}: {named:?}");
        assert!(is_a_name(target), "{target}");
    }
    let unknown = plan(&Inventory { name: "10.0.0.7".into(), ..Inventory::default() });
    assert!(
        unknown
            .runbook
            .iter()
            .any(|step| step.commands.iter().any(|c| c.contains("--cluster-name TARGET_NAME ")))
    );
    let nothing = plan(&resource(|r| r.name = "---".into()));
    assert!(
        nothing
            .runbook
            .iter()
            .any(|step| step.commands.iter().any(|c| c.contains("--cluster-name TARGET_NAME ")))
    );
}

#[test]
fn every_module_is_an_option_of_its_own() {
    let mut inventory = clean();
    inventory.wishes.modules = vec![planner::sku::Module::Json, planner::sku::Module::Bloom];
    let plan = plan(&inventory);
    let create =
        plan.runbook.iter().flat_map(|step| &step.commands).find(|c| c.contains("redisenterprise create"));
    assert!(create.unwrap().contains("--modules name=RedisJSON --modules name=RedisBloom"), "{create:?}");
}

#[test]
fn every_way_has_its_steps() {
    let mut inventory = clean();
    inventory.wishes.rebuildable = Some(true);
    assert!(plan(&inventory).runbook.iter().any(|step| step.title.contains("one after the other")));
    // A cache of which nothing but its size is known.
    let unknown = Inventory { name: "10.0.0.7".into(), ..Inventory::default() };
    let plan = plan(&unknown);
    assert!(plan.runbook[0].commands[0].contains("--name SOURCE_NAME --resource-group RESOURCE_GROUP"));
    assert!(plan.size.is_none() && plan.findings.is_empty());
}

#[test]
fn a_wished_way_is_planned_and_told_when_it_cannot_be() {
    for strategy in Strategy::ALL {
        let mut inventory = clean();
        inventory.wishes.strategy = Some(strategy);
        let plan = plan(&inventory);
        assert_eq!(plan.strategy, strategy);
        assert!(plan.runbook.len() > 5, "{:#?}", plan.runbook);
        assert_eq!(serde_json::to_value(strategy).unwrap(), strategy.as_str());
    }
    let mut inventory = resource(|r| r.private_endpoints = 1);
    inventory.wishes.strategy = Some(Strategy::ArmMigration);
    found(&inventory, "way_not_possible", Severity::Blocker, "private endpoints");
    let all: String = plan(&inventory).runbook.iter().flat_map(|step| step.commands.clone()).collect();
    assert!(all.contains("migrations/default?api-version=2026-09-01"), "{all}");
    let steps = plan(&inventory).runbook;
    let cancel =
        steps.iter().filter_map(|step| step.roll_back.as_deref()).find(|way| way.contains("/cancel?"));
    // Without it the service answers 415.
    assert!(cancel.unwrap().contains("--headers Content-Type=application/json"), "{cancel:?}");
    assert!(
        all.contains("/subscriptions/1/resourceGroups/shop/providers/Microsoft.Cache/Redis/orders"),
        "{all}"
    );
}

#[test]
fn names_from_files_cannot_leave_their_place_in_a_command() {
    let evil = "a; rm -rf $HOME 'x'";
    let mut inventory = resource(|r| {
        r.name = evil.into();
        r.resource_group = Some(evil.into());
        r.location = Some("east;$(id)".into());
        r.host = Some("$(id)".into());
        r.subnet = Some("/x/subnets/caches".into());
    });
    inventory.address = None;
    let plan = plan(&inventory);
    let show = &plan.runbook[0].commands[0];
    assert!(show.starts_with(r"az redis show --name 'a; rm -rf $HOME '\''x'\''' --resource-group"), "{show}");
    let commands = plan.runbook.iter().flat_map(|step| &step.commands);
    let all = commands.fold(String::new(), |all, line| all + line + "\n");
    for quoted in [
        r"--resource-group 'a; rm -rf $HOME '\''x'\''' ",
        "--location 'east;$(id)' ",
        "--source rediss://'$(id)':6380 ",
    ] {
        assert!(all.contains(quoted), "no {quoted} in {all}");
    }
}

#[test]
fn numbers_that_no_cache_has_do_no_harm() {
    let most = u64::MAX;
    let info = format!(
        "redis_version:6.0.14\nused_memory:{most}\nused_memory_peak:{most}\nconnected_clients:{most}\n\
         maxmemory_policy:volatile-lru\ndb0:keys={most},expires=1\ndb7:keys={most},expires={most}"
    );
    let inventory = live(|live| {
        live.nodes = vec![read::info(&info), read::info(&info)];
        for command in ["MULTI", "CONFIG", "CONFIG|GET", "SET", "DEL", "FT.SEARCH", "FT.INFO"] {
            live.commands.insert(command.into(), most);
        }
    });
    found(&inventory, "several_databases", Severity::Blocker, "database 7");
    found(&inventory, "no_size_fits", Severity::Blocker, "GB at the peak");
}

#[test]
fn metrics_of_one_shard_are_no_sum() {
    let mut inventory = clean();
    inventory.resource.as_mut().unwrap().sku =
        read::Sku { tier: planner::Tier::Premium, name: "P1".into(), shards: Some(3) };
    let series = r#"{"data": [{"timeStamp": "1", "maximum": 900000000, "average": 1}]}"#;
    let of = |timeseries: &[&str]| {
        let metric = |name: &str| {
            format!(r#"{{"name": {{"value": "{name}"}}, "timeseries": [{}]}}"#, timeseries.join(","))
        };
        read::metrics(&format!(r#"{{"value": [{}, {}]}}"#, metric("usedmemory"), metric("cacheRead"))).ok()
    };
    let told = |plan: &Plan| plan.notes.iter().any(|note| note.contains("ShardId eq '*'"));
    inventory.metrics = of(&[series]);
    let one = plan(&inventory);
    // That of INFO.
    assert_eq!(one.size.as_ref().unwrap().peak_bytes, Some(1_600_000_000));
    assert!(told(&one), "{:?}", one.notes);
    inventory.metrics = of(&[series, series, series]);
    let all = plan(&inventory);
    assert_eq!(all.size.as_ref().unwrap().peak_bytes, Some(2_700_000_000));
    assert!(!told(&all), "{:?}", all.notes);
    inventory.resource.as_mut().unwrap().sku.shards = Some(1);
    inventory.metrics = of(&[series]);
    assert!(!told(&plan(&inventory)));
}

#[test]
fn metrics_come_before_moments() {
    let mut inventory = clean();
    inventory.metrics = Some(
        read::metrics(
            r#"{"value": [{"name": {"value": "usedmemoryRss"}, "timeseries": [
                {"data": [{"timeStamp": "1", "maximum": 3000000000, "average": 1}]},
                {"data": [{"timeStamp": "1", "maximum": 1500000000, "average": 1}]}]},
                {"name": {"value": "serverLoad"}, "timeseries": []}]}"#,
        )
        .unwrap(),
    );
    let plan = plan(&inventory);
    let catalog = Catalog::embedded();
    let report = report::report(&catalog, &inventory, &plan, "2026-11-24".parse().unwrap());
    let shown = "memory in bytes: peak 4500000000, P95 4500000000, average 2, at 1 points of time";
    assert!(report::markdown(&report).contains(shown));
    assert_eq!(plan.size.unwrap().peak_bytes, Some(4_500_000_000));
    assert!(plan.notes.iter().any(|note| note.contains("serverLoad has no data")), "{:?}", plan.notes);
}
