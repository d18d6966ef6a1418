//! How clients reach the new cache.

use serde::Serialize;

use super::Inventory;
use crate::catalog::{Catalog, PrivateLink};
use crate::{Cloud, Service};

/// What changes between a client and its cache.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Network {
    /// Of the database: `Encrypted`.
    pub client_protocol: &'static str,
    pub public_access: bool,
    /// The zone and group of a private endpoint, where one is needed.
    pub private_zone: Option<String>,
    pub private_group: Option<String>,
    /// Such as `.<region>.redis.azure.net`.
    pub suffix: String,
    pub port: u16,
    pub steps: Vec<String>,
}

pub(super) fn network(catalog: &Catalog, inventory: &Inventory) -> Network {
    let cloud = cloud(catalog, inventory);
    let suffix = catalog.endpoints.suffixes.in_cloud(cloud, Service::Amr);
    let suffix = suffix.map_or(".<region>.redis.azure.net".to_owned(), |row| match row.regional {
        Some(true) => format!(".<region>{}", row.suffix),
        _ => row.suffix.clone(),
    });
    let link = |service| {
        let mut links = catalog.endpoints.private_links.rows.iter();
        links.find(|link: &&PrivateLink| link.cloud == cloud && link.service == service)
    };
    let resource = inventory.resource.as_ref();
    let injected = resource.is_some_and(|resource| resource.subnet.is_some());
    let private = injected || resource.is_some_and(|resource| resource.private_endpoints > 0);
    let public_access = !private && resource.and_then(|resource| resource.public_network) != Some(false);
    let target = link(Service::Amr).filter(|_| !public_access);
    let mut steps = vec![format!(
        "clients connect to <name>{suffix}:10000 with TLS; take the name from hostName of the new resource, do not build it"
    )];
    if injected {
        steps.push(
            "VNet injection is not offered: a private endpoint in a subnet that is not delegated to caches"
                .into(),
        );
    }
    if let Some(target) = target {
        steps.push(format!(
            "private endpoint for the group {}, private DNS zone {}{} linked to every network of a client{}",
            target.group_id,
            target.zone,
            if target.derived { " (by analogy with the other clouds: check it)" } else { "" },
            link(Service::Acr).map_or(String::new(), |old| format!(" (the old zone is {})", old.zone)),
        ));
    }
    if resource.is_some_and(|resource| !resource.firewall_rules.is_empty()) {
        steps.push(
            "firewall rules are a preview (2026-10-01-preview): a private endpoint takes their place".into(),
        );
    }
    steps.push(
        "open port 10000, and 85XX for the nodes under the OSS policy, in every firewall on the way".into(),
    );
    Network {
        client_protocol: "Encrypted",
        public_access,
        private_zone: target.map(|link| link.zone.clone()),
        private_group: target.map(|link| link.group_id.clone()),
        suffix,
        port: 10_000,
        steps,
    }
}

fn cloud(catalog: &Catalog, inventory: &Inventory) -> Cloud {
    let of_resource = inventory.resource.as_ref().and_then(|resource| resource.host.as_deref());
    let host = of_resource.or_else(|| Some(inventory.address.as_ref()?.host.as_str())).unwrap_or_default();
    catalog.endpoints.suffixes.of(host).map_or(Cloud::Public, |(row, _)| row.cloud)
}

/// Whether the address is one of Azure's, spoken to without TLS.
pub(super) fn is_plaintext_azure(catalog: &Catalog, inventory: &Inventory) -> bool {
    let azure = |host: &str| catalog.endpoints.suffixes.of(host).is_some();
    inventory.address.as_ref().is_some_and(|address| !address.tls && azure(&address.host))
}
