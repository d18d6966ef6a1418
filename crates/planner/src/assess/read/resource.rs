//! A cache as `az redis show -o json` prints it, as the REST API answers it, or as an ARM template has it.

use serde_json::{Map, Value};

use super::{ReadError, template};
use crate::Tier;

/// A resource of Azure Cache for Redis, as far as a move depends on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    pub name: String,
    pub id: Option<String>,
    pub resource_group: Option<String>,
    pub location: Option<String>,
    pub host: Option<String>,
    pub tls_port: Option<u32>,
    pub plaintext_port: Option<u32>,
    pub sku: Sku,
    /// For each primary.
    pub replicas: Option<u32>,
    /// Bytes, of each shard.
    pub maxmemory_reserved: Option<u64>,
    pub maxfragmentation_reserved: Option<u64>,
    /// Injected into this subnet.
    pub subnet: Option<String>,
    pub private_endpoints: usize,
    pub public_network: Option<bool>,
    /// Names; empty where the text does not tell.
    pub firewall_rules: Vec<String>,
    /// Port 6379 is open.
    pub plaintext: bool,
    pub minimum_tls: Option<String>,
    pub zones: Vec<String>,
    /// Minutes between snapshots, where RDB persistence is on; 0 where that is not told.
    pub rdb_minutes: Option<u32>,
    pub aof: bool,
    /// Caches that geo-replication links it to.
    pub linked: Vec<String>,
    pub notify: Option<String>,
    pub eviction: Option<String>,
    pub access_keys_disabled: bool,
    /// Access policies that are assigned to somebody.
    pub access_policies: Vec<String>,
    /// Such as `Sunday 02:00`.
    pub patch_schedule: Vec<String>,
    pub identity: Option<String>,
    /// What is in the text and cannot be read.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sku {
    pub tier: Tier,
    /// Such as `P2`.
    pub name: String,
    /// None without clustering.
    pub shards: Option<u32>,
}

/// Reads one cache.
///
/// # Errors
/// No JSON, several caches, another kind of resource, a tier that is out of scope, or a SKU that is not resolved.
pub fn resource(text: &str) -> Result<Resource, ReadError> {
    let mut all = resources(text)?;
    if all.len() > 1 {
        let names = all.iter().map(|cache| match cache {
            Ok(cache) => cache.name.clone(),
            Err(_) => "another that cannot be read".into(),
        });
        return Err(ReadError::Several { count: all.len(), names: names.collect::<Vec<_>>().join(", ") });
    }
    all.pop().unwrap_or_else(|| Err(ReadError::NoCache { found: "the list is empty".into() }))
}

/// Reads all caches: the output of `az redis list`, of `az redis show`, or a template.
///
/// # Errors
/// No JSON, or nothing in it that is a cache. What is wrong with one of several is that one's result.
pub fn resources(text: &str) -> Result<Vec<Result<Resource, ReadError>>, ReadError> {
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| ReadError::NoJson(error.to_string()))?;
    match json {
        Value::Object(object) if template::is_one(&object) => {
            Ok(template::caches(&object)?.into_iter().map(|(cache, notes)| of(&cache, notes)).collect())
        }
        Value::Object(object) => match object.get("value") {
            Some(Value::Array(list)) => Ok(list.iter().map(of_value).collect()),
            _ => Ok(vec![of(&object, Vec::new())]),
        },
        Value::Array(list) => Ok(list.iter().map(of_value).collect()),
        _ => Err(ReadError::NoCache { found: "it is neither an object nor a list".into() }),
    }
}

fn of_value(value: &Value) -> Result<Resource, ReadError> {
    match value {
        Value::Object(object) => of(object, Vec::new()),
        _ => Err(ReadError::NoCache { found: "an entry of the list is no object".into() }),
    }
}

fn of(object: &Map<String, Value>, notes: Vec<String>) -> Result<Resource, ReadError> {
    let mut fields = Fields { flat: flattened(object), notes };
    let name = fields.text("name").unwrap_or_else(|| "(no name)".into());
    let kind = fields.text("type");
    in_scope(&fields, &name, kind.as_deref())?;
    let sku = sku(&fields, &name)?;
    let config = fields.object("redisConfiguration");
    let mut config = Fields { flat: config, notes: Vec::new() };
    let rdb = config.flag("rdbbackupenabled");
    let rdb_minutes = rdb.then(|| config.number("rdbbackupfrequency").unwrap_or(0));
    let resource = Resource {
        id: fields.text("id"),
        resource_group: fields.text("resourceGroup"),
        location: fields.text("location"),
        host: fields.text("hostName"),
        tls_port: fields.number("sslPort"),
        plaintext_port: fields.number("port"),
        replicas: fields.number("replicasPerPrimary").or_else(|| fields.number("replicasPerMaster")),
        maxmemory_reserved: config.number("maxmemoryreserved").map(megabytes),
        maxfragmentation_reserved: config.number("maxfragmentationmemoryreserved").map(megabytes),
        subnet: fields.text("subnetId"),
        private_endpoints: fields.list("privateEndpointConnections").len(),
        public_network: fields
            .text("publicNetworkAccess")
            .map(|access| access.eq_ignore_ascii_case("enabled")),
        firewall_rules: names(&fields.list("firewallRules"), &["name"]),
        plaintext: fields.flag("enableNonSslPort"),
        minimum_tls: fields.text("minimumTlsVersion"),
        zones: names(&fields.list("zones"), &[]),
        rdb_minutes,
        aof: config.flag("aofbackupenabled"),
        linked: names(&fields.list("linkedServers"), &["linkedRedisCacheId", "id", "name"]),
        notify: config.text("notifykeyspaceevents"),
        eviction: config.text("maxmemorypolicy"),
        access_keys_disabled: fields.flag("disableAccessKeyAuthentication"),
        access_policies: names(&fields.list("accessPolicyAssignments"), &["accessPolicyName", "name"]),
        patch_schedule: schedule(&fields),
        identity: fields.object("identity").get("type").and_then(Value::as_str).map(str::to_owned),
        name,
        sku,
        notes: Vec::new(),
    };
    fields.notes.append(&mut config.notes);
    let notes = fields.notes;
    let group = resource.resource_group.clone().or_else(|| group_of(resource.id.as_deref()?));
    Ok(Resource { resource_group: group, notes, ..resource })
}

/// Properties beside everything else, as `az` prints them.
fn flattened(object: &Map<String, Value>) -> Map<String, Value> {
    let mut flat = object.clone();
    if let Some(Value::Object(properties)) = flat.remove("properties") {
        for (name, value) in properties {
            flat.entry(name).or_insert(value);
        }
    }
    flat
}

fn in_scope(fields: &Fields, name: &str, kind: Option<&str>) -> Result<(), ReadError> {
    let sku = fields.object("sku").get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    if sku.starts_with("Enterprise") {
        let tier = if sku.starts_with("EnterpriseFlash") { "Enterprise Flash" } else { "Enterprise" };
        return Err(ReadError::Enterprise { name: name.to_owned(), tier: tier.into() });
    }
    if ["Balanced_", "MemoryOptimized_", "ComputeOptimized_", "FlashOptimized_"]
        .iter()
        .any(|series| sku.starts_with(series))
    {
        return Err(ReadError::Managed { name: name.to_owned(), sku });
    }
    match kind {
        Some(kind) if !kind.eq_ignore_ascii_case("Microsoft.Cache/redis") => {
            Err(ReadError::OtherType { kind: kind.to_owned() })
        }
        None if sku.is_empty() => Err(ReadError::NoCache { found: "it has neither a type nor a SKU".into() }),
        _ => Ok(()),
    }
}

fn sku(fields: &Fields, name: &str) -> Result<Sku, ReadError> {
    let sku = fields.object("sku");
    let instead = "give the resource as `az redis show -o json` prints it, or a template whose parameters have defaults";
    let part = |field: &str| -> Result<String, ReadError> {
        let value = match sku.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if is_expression(&value) {
            return Err(ReadError::Unresolved { field: format!("sku.{field} of {name}"), value, instead });
        }
        Ok(value)
    };
    let wrong = |field: &str, value: &str, expected| ReadError::Field {
        field: format!("{field} of {name}"),
        value: value.to_owned(),
        expected,
    };
    let tier = part("name")?;
    let tier: Tier = tier.parse().map_err(|_| wrong("sku.name", &tier, "use Basic, Standard or Premium"))?;
    let family = match part("family")?.to_ascii_uppercase().as_str() {
        "" => if tier == Tier::Premium { "P" } else { "C" }.to_owned(),
        family => family.to_owned(),
    };
    let capacity = part("capacity")?;
    let number: u32 =
        capacity.parse().map_err(|_| wrong("sku.capacity", &capacity, "use a number, 0 to 6"))?;
    let shards = match fields.flat.get("shardCount") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if is_expression(&text) {
                return Err(ReadError::Unresolved {
                    field: format!("shardCount of {name}"),
                    value: text,
                    instead,
                });
            }
            Some(text.parse().map_err(|_| wrong("shardCount", &text, "use a number"))?)
        }
    };
    Ok(Sku { tier, name: format!("{family}{number}"), shards: shards.filter(|shards| *shards > 0) })
}

fn schedule(fields: &Fields) -> Vec<String> {
    let mut entries = fields.list("scheduleEntries");
    for schedule in fields.list("patchSchedules") {
        if let Value::Object(schedule) = schedule {
            entries.extend(
                flattened(&schedule)
                    .get("scheduleEntries")
                    .and_then(Value::as_array)
                    .cloned()
                    .unwrap_or_default(),
            );
        }
    }
    let window = |entry: &Value| {
        let day = entry.get("dayOfWeek")?.as_str()?.to_owned();
        Some(match entry.get("startHourUtc").and_then(Value::as_u64) {
            Some(hour) => format!("{day} {hour:02}:00 UTC"),
            None => day,
        })
    };
    entries.iter().filter_map(window).collect()
}

fn names(list: &[Value], fields: &[&str]) -> Vec<String> {
    let last = |text: &str| text.rsplit('/').next().unwrap_or(text).to_owned();
    let name = |entry: &Value| match entry {
        Value::String(text) => Some(last(text)),
        Value::Object(object) => {
            let flat = flattened(object);
            fields.iter().find_map(|field| flat.get(*field)?.as_str()).map(last)
        }
        _ => None,
    };
    list.iter().filter_map(name).collect()
}

fn group_of(id: &str) -> Option<String> {
    let mut parts = id.split('/');
    parts.find(|part| part.eq_ignore_ascii_case("resourceGroups"))?;
    parts.next().map(str::to_owned)
}

fn megabytes(number: u32) -> u64 {
    u64::from(number) << 20
}

pub(super) fn is_expression(text: &str) -> bool {
    text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']')
}

/// Reads fields that may be of another type than one would think; names are compared without hyphens and case, since
/// `az` prints `maxmemoryReserved` for what the API calls `maxmemory-reserved`.
struct Fields {
    flat: Map<String, Value>,
    notes: Vec<String>,
}

impl Fields {
    fn value(&self, name: &str) -> Option<&Value> {
        let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
        let wanted = plain(name);
        self.flat
            .iter()
            .find(|(name, value)| plain(name) == wanted && !value.is_null())
            .map(|(_, value)| value)
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let text = match self.value(name)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            _ => return None,
        };
        if is_expression(&text) {
            // What a template calls its cache is still a name.
            if name != "name" {
                self.notes
                    .push(format!("{name} is {text}, which only a deployment resolves: taken as not known"));
                return None;
            }
            return Some(text.trim_matches(['[', ']']).to_owned());
        }
        Some(text).filter(|text| !text.is_empty())
    }

    fn number(&mut self, name: &str) -> Option<u32> {
        self.text(name)?.trim().parse().ok()
    }

    fn flag(&mut self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    fn list(&self, name: &str) -> Vec<Value> {
        self.value(name).and_then(Value::as_array).cloned().unwrap_or_default()
    }

    fn object(&self, name: &str) -> Map<String, Value> {
        self.value(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = r#"{
        "id": "/subscriptions/1/resourceGroups/shop/providers/Microsoft.Cache/Redis/orders",
        "name": "orders", "type": "Microsoft.Cache/Redis", "location": "West Europe",
        "hostName": "orders.redis.cache.windows.net", "enableNonSslPort": true, "minimumTlsVersion": "1.0",
        "sku": {"name": "Premium", "family": "P", "capacity": 2}, "shardCount": 3, "replicasPerPrimary": 2,
        "redisConfiguration": {"maxmemoryReserved": "642", "maxmemory-policy": "allkeys-lru",
            "rdb-backup-enabled": "true", "rdb-backup-frequency": "60", "aofBackupEnabled": "True",
            "notify-keyspace-events": "KEA"},
        "subnetId": "/subscriptions/1/.../subnets/caches", "zones": ["1", "2"],
        "privateEndpointConnections": [{"id": "x"}], "publicNetworkAccess": "Disabled",
        "linkedServers": [{"id": "/subscriptions/1/x/linkedServers/orders-eu"}],
        "disableAccessKeyAuthentication": false, "identity": {"type": "SystemAssigned"},
        "scheduleEntries": [{"dayOfWeek": "Sunday", "startHourUtc": 2}]
    }"#;

    #[test]
    fn what_az_prints_is_read() {
        let cache = resource(SHOWN).unwrap();
        assert_eq!(cache.sku, Sku { tier: Tier::Premium, name: "P2".into(), shards: Some(3) });
        assert_eq!((cache.name.as_str(), cache.resource_group.as_deref()), ("orders", Some("shop")));
        assert_eq!((cache.replicas, cache.maxmemory_reserved), (Some(2), Some(642 << 20)));
        assert_eq!((cache.rdb_minutes, cache.aof, cache.plaintext), (Some(60), true, true));
        assert_eq!(cache.zones, ["1", "2"]);
        assert_eq!(cache.linked, ["orders-eu"]);
        assert_eq!(cache.patch_schedule, ["Sunday 02:00 UTC"]);
        assert_eq!((cache.eviction.as_deref(), cache.notify.as_deref()), (Some("allkeys-lru"), Some("KEA")));
        assert_eq!((cache.private_endpoints, cache.public_network), (1, Some(false)));
        assert!(cache.subnet.is_some() && cache.notes.is_empty());
    }

    #[test]
    fn what_the_api_answers_is_read_the_same() {
        let api = r#"{"name": "a", "type": "Microsoft.Cache/redis", "properties":
            {"sku": {"name": "Standard", "family": "C", "capacity": 0}, "shardCount": 0, "hostName": "h"}}"#;
        let cache = resource(api).unwrap();
        assert_eq!(cache.sku, Sku { tier: Tier::Standard, name: "C0".into(), shards: None });
        assert_eq!(cache.host.as_deref(), Some("h"));
    }

    #[test]
    fn other_resources_are_told_apart() {
        let error = |text: &str| resource(text).unwrap_err().to_string();
        let enterprise = r#"{"name": "e", "type": "Microsoft.Cache/redisEnterprise", "sku": {"name": "EnterpriseFlash_F300", "capacity": 3}}"#;
        assert!(
            error(enterprise).contains("Enterprise Flash tier, which is out of scope"),
            "{}",
            error(enterprise)
        );
        assert!(error(enterprise).contains("2027-03-31"));
        let managed =
            r#"{"name": "m", "type": "Microsoft.Cache/redisEnterprise", "sku": {"name": "Balanced_B10"}}"#;
        assert!(error(managed).contains("already Azure Managed Redis"));
        assert!(
            error(r#"{"type": "Microsoft.Storage/storageAccounts", "sku": {"name": "LRS"}}"#)
                .contains("is no cache")
        );
        assert!(error("{}").contains("neither a type nor a SKU"));
        assert!(error("[1]").contains("no object") && error("7").contains("neither an object"));
        assert!(error("not json").contains("no JSON"));
        assert!(error(&format!("[{SHOWN},{SHOWN}]")).contains("--fleet"));
        assert!(error("[]").contains("empty"));
    }

    #[test]
    fn a_sku_that_is_not_resolved_ends_it_and_other_fields_are_noted() {
        let cache = |sku: &str, rest: &str| {
            resource(&format!(
                r#"{{"name": "[parameters('n')]", "type": "Microsoft.Cache/redis", "sku": {sku} {rest}}}"#
            ))
        };
        let error =
            cache(r#"{"name": "Premium", "family": "P", "capacity": "[parameters('c')]"}"#, "").unwrap_err();
        assert!(
            error.to_string().contains("sku.capacity") && error.to_string().contains("az redis show"),
            "{error}"
        );
        let noted = cache(
            r#"{"name": "Basic", "family": "C", "capacity": "1"}"#,
            r#", "minimumTlsVersion": "[parameters('t')]""#,
        );
        let noted = noted.unwrap();
        assert_eq!((noted.minimum_tls, noted.name.as_str()), (None, "parameters('n')"));
        assert!(noted.notes[0].contains("minimumTlsVersion"), "{:?}", noted.notes);
        let wrong = cache(r#"{"name": "Gold", "capacity": 1}"#, "").unwrap_err();
        assert!(wrong.to_string().contains("Basic, Standard or Premium"), "{wrong}");
    }
}
