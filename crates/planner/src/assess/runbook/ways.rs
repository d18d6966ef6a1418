//! The middle of the runbook: how the data and the applications move.

use super::{Names, Step};
use crate::assess::{Inventory, Plan, Strategy};

/// Where the change of the applications begins.
const SWITCH_BACK: &str = "give the applications the old address again";

pub(super) fn steps(inventory: &Inventory, plan: &Plan, names: &Names) -> Vec<Step> {
    match plan.strategy {
        Strategy::Sync => sync(inventory, plan, names),
        Strategy::Rebuild => rebuild(names),
        Strategy::ExportImport => export_import(inventory, plan, names),
        Strategy::DualWrite => dual_write(inventory, plan, names),
        Strategy::ArmMigration => arm_migration(inventory, names),
    }
}

fn sides(inventory: &Inventory, names: &Names) -> String {
    let databases = inventory.live.as_ref().map(|live| live.databases()).unwrap_or_default();
    let prefix =
        if databases.keys().any(|database| *database != 0) { " --all-dbs --prefix-by-db" } else { "" };
    format!("--source {} --target {}{prefix}", names.source_address, names.target_address)
}

fn sync(inventory: &Inventory, plan: &Plan, names: &Names) -> Vec<Step> {
    let sides = sides(inventory, names);
    let copy = plan.estimates.map_or("not known: the live cache was not read".to_owned(), |estimates| {
        format!(
            "{} for {} keys and {:.2} GB until it follows (measured on two cores beside both servers; a slower network adds)",
            estimates.copy,
            estimates.keys,
            estimates.bytes as f64 / 1e9
        )
    });
    let mut compare = Step::new(
        "Compare everything",
        "shows what differs, key by key, before anybody depends on it",
        &[format!("redferry verify {sides} --level full --report verify.html")],
    );
    if let Some(estimates) = plan.estimates {
        compare = compare.takes(estimates.verify.to_string());
    }
    vec![
        Step::new(
            "Check both caches",
            "says what would stop a copy, without changing anything",
            &[format!("redferry check {sides}")],
        )
        .takes("seconds"),
        Step::new(
            "Copy and follow",
            "all keys, then every change; the source is only read. Leave it running until the end",
            &[format!("redferry sync {sides}")],
        )
        .takes(copy)
        .roll_back("stop it (Ctrl-C): the source was not changed and the target is not used yet"),
        Step::new("Watch how it stands", "the lag must stay small", &["redferry status".into()]),
        compare,
        Step::new(
            "Rehearse the cut-over",
            "says which conditions are met and which are not",
            &["redferry cutover --check".into()],
        ),
        Step::new(
            "Stop writes and cut over",
            "stop the writers (or let them wait), then put the target in charge; changes are carried back from then on",
            &["redferry cutover --verify sample".into()],
        )
        .takes("seconds once nobody writes: 2 s of quiet and a sample that is compared")
        .roll_back("redferry rollback puts the source in charge again, with what was written meanwhile"),
        Step::new(
            "Start the applications on the target",
            "new host name, port 10000, TLS, database 0",
            &[],
        )
        .roll_back(format!("stop the writers, redferry rollback, then {SWITCH_BACK}")),
        Step::new(
            "Keep the way back open for a busy period",
            "the sync carries changes back to the source; stop it when nobody wants to go back",
            &["redferry status".into()],
        )
        .roll_back("redferry rollback, as long as the sync runs"),
    ]
}

fn rebuild(names: &Names) -> Vec<Step> {
    vec![
        Step::new(
            "Give the applications the new cache, one after the other",
            "it fills itself; watch the store behind it, which carries the load meanwhile. Choose a quiet hour",
            &[],
        )
        .roll_back(SWITCH_BACK),
        Step::new(
            "Watch hits and misses until they are as before",
            "the hit rate shows when the cache is warm",
            &[format!(
                "az monitor metrics list --resource $(az redisenterprise show --cluster-name {} --resource-group {} --query id \
                 -o tsv) --metrics cachehits cachemisses --interval PT5M",
                names.target, names.group
            )],
        ),
    ]
}

fn export_import(inventory: &Inventory, plan: &Plan, names: &Names) -> Vec<Step> {
    let sides = sides(inventory, names);
    let takes = plan.estimates.map_or("not known".to_owned(), |estimates| {
        format!("as long as the service takes; redferry would take {}", estimates.copy)
    });
    vec![
        Step::new("Stop the writers", "what is written after the export begins is lost", &[])
            .roll_back("start them again"),
        Step::new(
            "Export",
            "one file for each shard, into a container in the same region",
            &[format!(
                "az redis export --name {} --resource-group {} --prefix {} --container 'CONTAINER_SAS_URL'",
                names.source, names.group, names.source
            )],
        )
        .takes(takes)
        .roll_back("start the writers again: the source was not changed"),
        Step::new(
            "Import",
            "everything that the target holds is deleted first; a URL for each file, one after the other",
            &[format!(
                "az redisenterprise database import --cluster-name {} --resource-group {} --sas-uris 'BLOB_SAS_URL'",
                names.target, names.group
            )],
        ),
        Step::new(
            "Compare everything",
            "the import says nothing about single keys",
            &[format!("redferry verify {sides} --level full --report verify.html")],
        ),
        Step::new("Start the applications on the target", "new host name, port 10000, TLS", &[])
            .roll_back(format!("{SWITCH_BACK}; what was written meanwhile is not there")),
    ]
}

fn dual_write(inventory: &Inventory, plan: &Plan, names: &Names) -> Vec<Step> {
    let mut compare = Step::new(
        "Compare until nothing differs",
        "repair what was there before the applications wrote to both",
        &[format!("redferry verify {} --repair", sides(inventory, names))],
    );
    if let Some(estimates) = plan.estimates {
        compare = compare.takes(estimates.verify.to_string());
    }
    vec![
        Step::new(
            "Let the applications write to both and read from the old one",
            "a release of each application",
            &[],
        )
        .roll_back("write to the old one only"),
        compare,
        Step::new("Let them read from the new one", "writes go on to both", &[])
            .roll_back("read from the old one"),
        Step::new("Let them write to the new one only", "a release of each application", &[])
            .roll_back("none without loss: the old cache does not get writes any more"),
    ]
}

fn arm_migration(inventory: &Inventory, names: &Names) -> Vec<Step> {
    let id = inventory.resource.as_ref().and_then(|resource| resource.id.clone());
    let id = id.map_or("SOURCE_RESOURCE_ID".to_owned(), |id| id.replace('\'', ""));
    let base = format!(
        "$(az redisenterprise show --cluster-name {} --resource-group {} --query id -o tsv)/migrations/default",
        names.target, names.group
    );
    let version = "api-version=2026-09-01";
    let header = "--headers Content-Type=application/json";
    vec![
        Step::new(
            "Validate",
            "errors stop it; warnings need forceMigrate. API versions before 2026-09-01, which `az redisenterprise migration` \
             speaks, do not copy data. Where the answer is InvalidRequestBody, the service wants the body inside \"properties\"",
            &[format!(
                "az rest --method post {header} --url \"{base}/validate?{version}\" --body '{{\"sourceResourceId\":\"{id}\",\"skipDataMigration\":false}}'"
            )],
        ),
        Step::new(
            "Start",
            "copies the data and switches the DNS name; the moment cannot be chosen",
            &[format!(
                "az rest --method put {header} --url \"{base}?{version}\" --body '{{\"properties\":{{\"sourceType\":\"AzureCacheForRedis\",\"sourceResourceId\":\"{id}\",\"switchDns\":true,\"skipDataMigration\":false,\"forceMigrate\":false}}}}'"
            )],
        )
        .takes("about 5 minutes without data (Microsoft's sample)")
        .roll_back(format!("az rest --method post {header} --url \"{base}/cancel?{version}\" (30 days)")),
        Step::new(
            "Wait for Succeeded, then compare",
            "nothing else proves the copy",
            &[
                format!("az rest --method get --url \"{base}?{version}\" --query properties.provisioningState"),
                format!("redferry verify {} --level full --report verify.html", sides(inventory, names)),
            ],
        ),
        Step::new("Give the applications the new address", "the old name is forwarded for a limited time only", &[])
            .roll_back(SWITCH_BACK),
    ]
}
