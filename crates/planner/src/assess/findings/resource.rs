//! What the resource has that a cache of Azure Managed Redis does not have, or has otherwise.

use super::super::Severity;
use super::{Finding, Known};

/// Data access policies that have a counterpart.
const CARRIED: &[&str] = &["data owner", "data contributor"];

pub(super) fn vnet(known: &Known<'_>) -> Option<Finding> {
    let subnet = known.resource()?.subnet.as_deref()?;
    Some(Finding::new(
        "vnet_injection",
        Severity::Blocker,
        "VNet injection is not offered: Private Link instead",
        format!("injected into the subnet {}", subnet.rsplit('/').next().unwrap_or(subnet)),
        "a private endpoint in another subnet, its private DNS zone, and public access switched off, before clients move; \
         Azure's own migration refuses such a source",
    ))
}

pub(super) fn private_endpoint(known: &Known<'_>) -> Option<Finding> {
    let count = known.resource()?.private_endpoints;
    (count > 0).then(|| {
        Finding::new(
            "private_endpoint",
            Severity::Warning,
            "Private endpoints must be made anew, with another DNS zone",
            format!("{count} private endpoints"),
            "see the network plan; with the old zone clients resolve the public address and wait until they time out; \
             Azure's own migration refuses such a source",
        )
    })
}

pub(super) fn firewall(known: &Known<'_>) -> Option<Finding> {
    let rules = &known.resource()?.firewall_rules;
    (!rules.is_empty()).then(|| {
        Finding::new(
            "firewall_rules",
            Severity::Warning,
            "Firewall rules are not carried over",
            format!("{} rules: {}", rules.len(), rules.join(", ")),
            "a private endpoint; rules by address are a preview (2026-10-01-preview; in May 2026 there were none)",
        )
    })
}

pub(super) fn geo_replication(known: &Known<'_>) -> Option<Finding> {
    let linked = &known.resource()?.linked;
    (!linked.is_empty()).then(|| {
        Finding::new(
            "passive_geo_replication",
            Severity::Warning,
            "Passive geo-replication becomes active geo-replication",
            format!("linked to {}", linked.join(", ")),
            "plan all members together: same SKU and settings, high availability, no persistence, not B0, B1 or Flash; \
             applications write to any member and there is no failover command; FLUSHALL is refused; copy the data \
             before linking, since RESTORE is refused afterwards",
        )
    })
}

pub(super) fn zones(known: &Known<'_>) -> Option<Finding> {
    let zones = &known.resource()?.zones;
    (!zones.is_empty()).then(|| {
        Finding::new(
            "zone_pinning",
            Severity::Note,
            "Zones cannot be chosen any more",
            format!("pinned to zones {}", zones.join(", ")),
            "nothing where any zones will do: with high availability nodes are spread over zones by themselves",
        )
    })
}

pub(super) fn rdb_and_aof(known: &Known<'_>) -> Option<Finding> {
    let resource = known.resource()?;
    (resource.aof && resource.rdb_minutes.is_some()).then(|| {
        Finding::new(
            "rdb_and_aof",
            Severity::Warning,
            "RDB and AOF persistence are both on; the target has one of them",
            "rdb-backup-enabled and aof-backup-enabled",
            if resource.linked.is_empty() {
                "AOF loses at most a second and is what this plan takes; RDB costs less"
            } else {
                "neither in an active geo-replication group; AOF, which loses at most a second, without one"
            },
        )
    })
}

pub(super) fn access_policies(known: &Known<'_>) -> Option<Finding> {
    let others: Vec<&str> = (known.resource()?.access_policies.iter())
        .map(String::as_str)
        .filter(|policy| !CARRIED.contains(&policy.to_ascii_lowercase().as_str()))
        .collect();
    (!others.is_empty()).then(|| {
        Finding::new(
            "access_policies",
            Severity::Warning,
            "Data Reader and custom access policies have no counterpart",
            others.join(", "),
            "the one built-in policy gives full access; custom ones (`accessString`) are a preview of May 2026; \
             assignments are made anew in any case",
        )
    })
}

pub(super) fn access_keys(known: &Known<'_>) -> Option<Finding> {
    let resource = known.resource()?;
    if resource.access_keys_disabled {
        return None;
    }
    let named = known.live().and_then(|live| live.clients.as_ref()).map(|clients| {
        format!("; {} of {} connections have a user of their own", clients.named_users, clients.count)
    });
    Some(Finding::new(
        "access_keys",
        Severity::Warning,
        "Access keys are on at the source and off by default at the target",
        format!("disableAccessKeyAuthentication is not on{}", named.unwrap_or_default()),
        "move the applications to Entra ID, or create the database with access keys enabled, as the runbook does",
    ))
}

pub(super) fn old_tls(known: &Known<'_>) -> Option<Finding> {
    let version =
        known.resource()?.minimum_tls.as_deref().filter(|version| matches!(*version, "1.0" | "1.1"))?;
    Some(Finding::new(
        "old_tls",
        Severity::Warning,
        "Old versions of TLS are allowed at the source",
        format!("minimumTlsVersion is {version}"),
        "Azure Managed Redis takes 1.2 and 1.3 only: look for clients that are older",
    ))
}

pub(super) fn patch_schedule(known: &Known<'_>) -> Option<Finding> {
    let schedule = &known.resource()?.patch_schedule;
    (!schedule.is_empty()).then(|| {
        Finding::new(
            "patch_schedule",
            Severity::Note,
            "The update schedule is not carried over",
            schedule.join(", "),
            "maintenance windows are a preview (API 2025-08-01-preview): two or more a week, each 4 hours or longer, 18 \
             hours a week together",
        )
    })
}
