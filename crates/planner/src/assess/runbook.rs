//! What to do, in order, with the commands for this cache.

mod ways;

use serde::Serialize;

use super::{Inventory, Plan};
use crate::ClusteringPolicy;

/// A step of the runbook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    pub number: usize,
    pub title: String,
    pub why: String,
    /// For a shell with `az` and redferry.
    pub commands: Vec<String>,
    /// How to go back from here; none where nothing has changed yet.
    pub roll_back: Option<String>,
    /// How long it takes, in words.
    pub takes: Option<String>,
}

impl Step {
    fn new(title: impl Into<String>, why: impl Into<String>, commands: &[String]) -> Step {
        Step {
            number: 0,
            title: title.into(),
            why: why.into(),
            commands: commands.to_vec(),
            roll_back: None,
            takes: None,
        }
    }

    fn roll_back(mut self, how: impl Into<String>) -> Step {
        self.roll_back = Some(how.into());
        self
    }

    fn takes(mut self, time: impl Into<String>) -> Step {
        self.takes = Some(time.into());
        self
    }
}

/// What commands name. Words in capitals stand for what is not known; the first step sets them.
struct Names {
    group: String,
    source: String,
    target: String,
    location: String,
    /// Host and port for redferry.
    source_address: String,
    target_address: String,
}

/// All steps, numbered.
pub(super) fn runbook(inventory: &Inventory, plan: &Plan) -> Vec<Step> {
    let names = names(inventory, plan);
    let mut steps = vec![inspect(inventory, &names)];
    let open = plan.findings.iter().filter(|finding| finding.severity == super::Severity::Blocker);
    let open: Vec<&str> = open.map(|finding| finding.id).collect();
    if !open.is_empty() {
        steps.push(Step::new(
            "Remove the blockers",
            format!("these must be answered first: {}", open.join(", ")),
            &[],
        ));
    }
    steps.push(create(inventory, plan, &names));
    if plan.network.private_zone.is_some() {
        steps.push(endpoint(plan, &names));
    }
    steps.push(access(inventory, &names));
    steps.extend(ways::steps(inventory, plan, &names));
    steps.push(
        Step::new(
            "Delete the old cache",
            "not before the new one has carried a whole busy period: until then it is the way back, and it is paid for",
            &[format!("az redis delete --name {} --resource-group {}", names.source, names.group)],
        )
        .roll_back("none: this is the point of no return"),
    );
    for (index, step) in steps.iter_mut().enumerate() {
        step.number = index + 1;
    }
    steps
}

fn names(inventory: &Inventory, plan: &Plan) -> Names {
    let resource = inventory.resource.as_ref();
    let source = resource.map_or_else(|| first_label(&inventory.name), |resource| word(&resource.name));
    let location =
        resource.and_then(|resource| resource.location.clone()).or_else(|| inventory.wishes.region.clone());
    let host = resource.and_then(|resource| resource.host.clone());
    let source_address = match (&inventory.address, host) {
        (Some(address), _) => {
            format!(
                "{}://{}:{}",
                if address.tls { "rediss" } else { "redis" },
                word(&address.host),
                address.port
            )
        }
        (None, Some(host)) => format!("rediss://{}:6380", word(&host)),
        (None, None) => "rediss://SOURCE_HOST:6380".into(),
    };
    let location = location.map(|location| word(&location.replace(' ', "").to_ascii_lowercase()));
    Names {
        group: resource
            .and_then(|resource| resource.resource_group.clone())
            .map_or("RESOURCE_GROUP".into(), |group| word(&group)),
        target: target_name(resource.map_or(source.as_str(), |resource| resource.name.as_str())),
        source,
        target_address: format!("rediss://TARGET_HOST:{}", plan.network.port),
        location: location.unwrap_or_else(|| "LOCATION".into()),
        source_address,
    }
}

/// `orders` of `orders.redis.cache.windows.net`.
fn first_label(name: &str) -> String {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match name.split(['.', ':']).next() {
        Some(label) if !label.is_empty() && !is_number(label) => word(label),
        _ => UNKNOWN_SOURCE.into(),
    }
}

const UNKNOWN_SOURCE: &str = "SOURCE_NAME";

/// The longest name of a cache of Azure Managed Redis.
const LONGEST_NAME: usize = 60;

/// The old name with an ending, as the new resource's name has to be: letters and digits, and single hyphens between them.
fn target_name(source: &str) -> String {
    const ENDING: &str = "-amr";
    if source == UNKNOWN_SOURCE {
        return "TARGET_NAME".to_owned();
    }
    let words = source.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("-");
    name.truncate(LONGEST_NAME - ENDING.len());
    match name.trim_end_matches('-') {
        "" => "TARGET_NAME".to_owned(),
        name => format!("{name}{ENDING}"),
    }
}

/// What a shell takes as it is: names come from files.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn inspect(inventory: &Inventory, names: &Names) -> Step {
    let mut commands = vec![format!(
        "az redis show --name {} --resource-group {} -o json > {}.json",
        names.source, names.group, names.source
    )];
    if inventory.resource.is_none() {
        commands
            .push(format!("redferry assess --source {} --arm {}.json", names.source_address, names.source));
    }
    Step::new(
        "Keep a record of the source",
        "to compare settings with, and to make it again should it be deleted too early",
        &commands,
    )
}

fn create(inventory: &Inventory, plan: &Plan, names: &Names) -> Step {
    let onoff = |on: bool| if on { "Enabled" } else { "Disabled" };
    let size = plan.size.as_ref();
    let keys = inventory.resource.as_ref().is_none_or(|resource| !resource.access_keys_disabled);
    let policy = match plan.clustering.policy {
        ClusteringPolicy::NoCluster => "NoCluster",
        ClusteringPolicy::OSSCluster => "OSSCluster",
        ClusteringPolicy::EnterpriseCluster => "EnterpriseCluster",
    };
    let mut command = format!(
        "az redisenterprise create --cluster-name {} --resource-group {} --location {} --sku {} --high-availability {} \
         --public-network-access {} --minimum-tls-version 1.2 --client-protocol {} --clustering-policy {policy} \
         --eviction-policy {} --access-keys-authentication {}",
        names.target,
        names.group,
        names.location,
        size.map_or("SKU", |size| size.resource_sku.as_str()),
        onoff(size.is_none_or(|size| size.ha)),
        onoff(plan.network.public_access),
        plan.network.client_protocol,
        plan.eviction.policy,
        onoff(keys),
    );
    for module in &inventory.wishes.modules {
        command.push_str(&format!(" --modules name={}", module.name()));
    }
    match (plan.persistence.kind, plan.persistence.frequency) {
        ("aof", Some(frequency)) => {
            command.push_str(&format!(" --persistence aof-enabled=true aof-frequency={frequency}"));
        }
        ("rdb", Some(frequency)) => {
            command.push_str(&format!(" --persistence rdb-enabled=true rdb-frequency={frequency}"));
        }
        _ => {}
    }
    Step::new(
        "Create the target",
        format!(
            "{}; clustering {policy}: {}",
            size.map_or("the size is not known: see the notes".into(), |size| format!(
                "{} with {} GB for data",
                size.sku, size.usable_gb
            )),
            plan.clustering.reason
        ),
        &[
            // Older ones know neither NoCluster nor public network access.
            "az extension add --upgrade --name redisenterprise".to_owned(),
            command,
            format!(
                "az redisenterprise show --cluster-name {} --resource-group {} --query hostName -o tsv",
                names.target, names.group
            ),
        ],
    )
    .roll_back(format!(
        "az redisenterprise delete --cluster-name {} --resource-group {}",
        names.target, names.group
    ))
}

fn endpoint(plan: &Plan, names: &Names) -> Step {
    let zone = plan.network.private_zone.as_deref().unwrap_or_default();
    let group_id = plan.network.private_group.as_deref().unwrap_or_default();
    let group = &names.group;
    let target = &names.target;
    Step::new(
        "Make the private endpoint and its DNS zone",
        "clients inside the network must resolve the new name to a private address, or they time out",
        &[
            format!(
                "az network private-endpoint create --name {target}-pe --resource-group {group} --location {} --subnet \
                 SUBNET_ID --private-connection-resource-id $(az redisenterprise show --cluster-name {target} \
                 --resource-group {group} --query id -o tsv) --group-id {group_id} --connection-name {target}",
                names.location
            ),
            format!("az network private-dns zone create --resource-group {group} --name {zone}"),
            format!(
                "az network private-dns link vnet create --resource-group {group} --zone-name {zone} --name {target} \
                 --virtual-network VNET_ID --registration-enabled false"
            ),
            format!(
                "az network private-endpoint dns-zone-group create --resource-group {group} --endpoint-name {target}-pe \
                 --name default --private-dns-zone {zone} --zone-name redis"
            ),
        ],
    )
    .roll_back(format!("az network private-endpoint delete --name {target}-pe --resource-group {group}"))
}

fn access(inventory: &Inventory, names: &Names) -> Step {
    let mut commands = Vec::new();
    if inventory.resource.as_ref().is_none_or(|resource| !resource.access_keys_disabled) {
        commands.push(format!(
            "export REDFERRY_SOURCE_PASSWORD=$(az redis list-keys --name {} --resource-group {} --query primaryKey -o tsv)",
            names.source, names.group
        ));
        commands.push(format!(
            "export REDFERRY_TARGET_PASSWORD=$(az redisenterprise database list-keys --cluster-name {} --resource-group {} \
             --query primaryKey -o tsv)",
            names.target, names.group
        ));
    }
    commands.push(format!(
        "az redisenterprise database access-policy-assignment create --cluster-name {} --resource-group {} \
         --database-name default --access-policy-assignment-name APPLICATION --access-policy-name default \
         --object-id OBJECT_ID",
        names.target, names.group
    ));
    Step::new(
        "Let redferry and the applications in",
        "roles are not carried over; repeat the last one for each application",
        &commands,
    )
}
