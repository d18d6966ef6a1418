//! Everything that can be found, by area.

mod application;
mod clients;
mod commands;
mod data;
mod resource;
mod sharding;
mod size;

use super::inventory::Live;
use super::read::Resource;
use super::{Finding, Inventory, Size};
use crate::ClusteringPolicy;
use crate::catalog::Catalog;

/// What a finding may depend on.
pub(super) struct Known<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) inventory: &'a Inventory,
    pub(super) size: Option<&'a Size>,
    /// Chosen for the target.
    pub(super) policy: ClusteringPolicy,
}

impl<'a> Known<'a> {
    fn live(&self) -> Option<&'a Live> {
        self.inventory.live.as_ref()
    }

    fn resource(&self) -> Option<&'a Resource> {
        self.inventory.resource.as_ref()
    }

    /// Whether the target shall be in an active geo-replication group, as the source is in a passive one.
    fn in_group(&self) -> bool {
        self.resource().is_some_and(|resource| !resource.linked.is_empty())
    }
}

/// A rule finds something or does not.
type Rule = fn(&Known<'_>) -> Option<Finding>;

const RULES: &[Rule] = &[
    data::several_databases,
    commands::blocked,
    commands::changed,
    commands::keys_command,
    commands::version_changes,
    sharding::multi_key,
    sharding::transactions,
    sharding::scripts,
    sharding::not_cluster_aware,
    sharding::search_policy,
    clients::keyspace_notifications,
    clients::pubsub,
    clients::plaintext,
    clients::connections,
    clients::output_buffers,
    data::big_keys,
    data::without_ttl,
    resource::vnet,
    resource::private_endpoint,
    resource::firewall,
    resource::geo_replication,
    resource::zones,
    resource::rdb_and_aof,
    resource::access_policies,
    resource::access_keys,
    resource::old_tls,
    resource::patch_schedule,
    size::at_the_edge,
    size::smaller_than_the_guide,
];

/// All findings, in the order of the rules.
pub(super) fn all(known: &Known<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = RULES.iter().filter_map(|rule| rule(known)).collect();
    findings.extend(application::findings(known));
    findings
}
