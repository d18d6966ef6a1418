//! ARM templates: the caches in them, with parameters and variables in place.

use serde_json::{Map, Value};

use super::ReadError;

const CACHE: &str = "Microsoft.Cache/redis";

/// Children that a resource may have by itself or beside it, and the field that they become.
const CHILDREN: &[(&str, &str)] = &[
    ("firewallRules", "firewallRules"),
    ("linkedServers", "linkedServers"),
    ("patchSchedules", "patchSchedules"),
    ("accessPolicyAssignments", "accessPolicyAssignments"),
];

/// A cache of a template as a resource, and what could not be put in.
pub(super) type Cache = (Map<String, Value>, Vec<String>);

pub(super) fn is_one(object: &Map<String, Value>) -> bool {
    let schema = object.get("$schema").and_then(Value::as_str).unwrap_or_default();
    // A resource can have others in it, and says what it is.
    schema.contains("deploymentTemplate")
        || (object.contains_key("resources") && !object.contains_key("type"))
}

/// All caches.
pub(super) fn caches(template: &Map<String, Value>) -> Result<Vec<Cache>, ReadError> {
    let mut resources = Vec::new();
    collect(template.get("resources"), "", &mut resources);
    let scope = Scope { template };
    let mut caches = Vec::new();
    for (kind, cache) in resources.iter().filter(|(kind, _)| kind.eq_ignore_ascii_case(CACHE)) {
        let mut resolved = scope.resolved(&Value::Object((*cache).clone()), 0);
        let Value::Object(object) = &mut resolved else { continue };
        object.remove("resources");
        object.insert("type".into(), kind.clone().into());
        for (child, field) in CHILDREN {
            let found: Vec<Value> = (resources.iter())
                .filter(|(kind, _)| kind.eq_ignore_ascii_case(&format!("{CACHE}/{child}")))
                .map(|(_, child)| scope.resolved(&Value::Object((*child).clone()), 0))
                .collect();
            if !found.is_empty() {
                object.insert((*field).into(), found.into());
            }
        }
        let endpoints = resources.iter().filter(|(_, resource)| is_endpoint_of_cache(resource)).count();
        if endpoints > 0 {
            object.insert("privateEndpointConnections".into(), vec![Value::Null; endpoints].into());
        }
        caches.push((object.clone(), Vec::new()));
    }
    if caches.len() > 1 {
        for (_, notes) in &mut caches {
            notes.push(
                "the template has several caches: rules, links and endpoints are counted for each".into(),
            );
        }
    }
    if caches.is_empty() {
        let mut kinds: Vec<&str> = resources.iter().map(|(kind, _)| kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        return Err(ReadError::NoCache {
            found: format!("the template has {}", or_nothing(&kinds.join(", "))),
        });
    }
    Ok(caches)
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "no resources" } else { text }
}

/// All resources with their whole type, nested ones and those of nested templates too.
fn collect<'t>(resources: Option<&'t Value>, parent: &str, into: &mut Vec<(String, &'t Map<String, Value>)>) {
    let list: Vec<&Value> = match resources {
        Some(Value::Array(list)) => list.iter().collect(),
        // Bicep writes names before them.
        Some(Value::Object(named)) => named.values().collect(),
        _ => return,
    };
    for resource in list.into_iter().filter_map(Value::as_object) {
        let kind = resource.get("type").and_then(Value::as_str).unwrap_or_default();
        let kind = if parent.is_empty() || kind.contains('/') {
            kind.to_owned()
        } else {
            format!("{parent}/{kind}")
        };
        collect(resource.get("resources"), &kind, into);
        let nested = resource.get("properties").and_then(|properties| properties.get("template"));
        collect(nested.and_then(|template| template.get("resources")), "", into);
        into.push((kind, resource));
    }
}

fn is_endpoint_of_cache(resource: &Map<String, Value>) -> bool {
    let kind = resource.get("type").and_then(Value::as_str).unwrap_or_default();
    kind.eq_ignore_ascii_case("Microsoft.Network/privateEndpoints")
        && resource.get("properties").is_some_and(|properties| properties.to_string().contains("redisCache"))
}

struct Scope<'t> {
    template: &'t Map<String, Value>,
}

impl Scope<'_> {
    /// The value with `[parameters('x')]` and `[variables('x')]` replaced where that is the whole text and there is a
    /// value; other expressions stay as they are.
    fn resolved(&self, value: &Value, depth: u8) -> Value {
        // A variable may name itself.
        const DEEPEST: u8 = 8;
        match value {
            Value::String(text) if depth < DEEPEST => match self.named(text) {
                Some(found) => self.resolved(found, depth + 1),
                None => value.clone(),
            },
            Value::Array(list) => list.iter().map(|value| self.resolved(value, depth)).collect(),
            Value::Object(object) => object
                .iter()
                .map(|(name, value)| (name.clone(), self.resolved(value, depth)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    fn named(&self, text: &str) -> Option<&Value> {
        let inner = text.strip_prefix('[')?.strip_suffix(']')?.trim();
        let of = |function: &str| inner.strip_prefix(function)?.strip_prefix("('")?.strip_suffix("')");
        if let Some(name) = of("parameters") {
            return entry(self.template.get("parameters")?, name)?.get("defaultValue");
        }
        entry(self.template.get("variables")?, of("variables")?)
    }
}

fn entry<'v>(object: &'v Value, name: &str) -> Option<&'v Value> {
    // Names in templates have no case.
    object.as_object()?.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::super::resource;

    fn template(capacity: &str) -> String {
        format!(
            r#"{{"$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "contentVersion": "1.0.0.0",
            "parameters": {{"capacity": {{"type": "int" {capacity}}}, "tls": {{"type": "string"}}}},
            "variables": {{"config": {{"maxmemory-policy": "noeviction"}}, "loop": "[variables('loop')]"}},
            "resources": [
              {{"type": "Microsoft.Cache/Redis", "apiVersion": "2024-11-01", "name": "[variables('loop')]",
                "properties": {{"sku": {{"name": "Premium", "family": "P", "capacity": "[parameters('Capacity')]"}},
                  "minimumTlsVersion": "[parameters('tls')]", "redisConfiguration": "[variables('config')]"}},
                "resources": [{{"type": "firewallRules", "name": "office", "properties": {{"startIP": "1.2.3.4"}}}}]}},
              {{"type": "Microsoft.Cache/redis/patchSchedules", "name": "x/default",
                "properties": {{"scheduleEntries": [{{"dayOfWeek": "Everyday"}}]}}}},
              {{"type": "Microsoft.Network/privateEndpoints", "properties":
                {{"privateLinkServiceConnections": [{{"properties": {{"groupIds": ["redisCache"]}}}}]}}}}
            ]}}"#
        )
    }

    #[test]
    fn a_cache_is_found_with_its_children_and_defaults() {
        let cache = resource(&template(r#", "defaultValue": 3"#)).unwrap();
        assert_eq!(cache.sku.name, "P3");
        assert_eq!(cache.eviction.as_deref(), Some("noeviction"));
        assert_eq!(cache.firewall_rules, ["office"]);
        assert_eq!(cache.patch_schedule, ["Everyday"]);
        assert_eq!(cache.private_endpoints, 1);
        assert!(cache.notes.iter().any(|note| note.contains("minimumTlsVersion")), "{:?}", cache.notes);
    }

    #[test]
    fn a_parameter_without_a_value_is_named() {
        let error = resource(&template("")).unwrap_err().to_string();
        assert!(error.contains("[parameters('Capacity')]") && error.contains("sku.capacity"), "{error}");
    }

    #[test]
    fn a_template_without_a_cache_says_what_it_has() {
        let other = r#"{"resources": [{"type": "Microsoft.Web/sites"}]}"#;
        assert!(resource(other).unwrap_err().to_string().contains("the template has Microsoft.Web/sites"));
    }
}
