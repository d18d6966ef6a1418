//! The name that a cache will have.

use super::ConnectionError;
use crate::catalog::{Suffix, Table};
use crate::{Catalog, ClusteringPolicy, Service};

/// What the new settings shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The new cache's host.
    pub to_host: Option<String>,
    /// For a guess of it.
    pub region: Option<String>,
    pub policy: Option<ClusteringPolicy>,
    /// Microsoft Entra ID instead of access keys.
    pub entra: bool,
    /// Leave database numbers as they are, hosts that are none of Azure, and names that are not wholly known: who rewrites
    /// files moves no data, and does not look at each.
    pub cautious: bool,
}

/// Old names and new ones.
#[derive(Clone, Debug)]
pub struct Places {
    suffixes: Table<Suffix>,
    /// Ports of the old service, X for any digit.
    ports: Vec<String>,
    to_host: Option<String>,
    region: Option<String>,
    cautious: bool,
}

/// The port of Azure Managed Redis and of the Enterprise tiers, for clients.
pub(crate) const PORT: u16 = 10000;

/// Stands for a region that nobody told. Every form of settings can hold it, and no name that can be resolved does.
const UNKNOWN_REGION: &str = "REGION";

/// What becomes of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Renewed {
    To {
        host: String,
        note: Option<String>,
    },
    /// Of Azure Managed Redis already.
    Already,
    /// Nothing that is known here.
    Other,
    /// It has to be another, and which is not known.
    Unknown,
    Enterprise,
}

impl Places {
    /// # Errors
    /// The wished host or region cannot be one.
    pub fn new(wish: &Wish, catalog: &Catalog) -> Result<Places, ConnectionError> {
        let label = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if let Some(given) = wish.to_host.as_ref().filter(|host| !host.split('.').all(label)) {
            return Err(ConnectionError::BadHost { given: given.clone() });
        }
        if let Some(given) = wish.region.as_ref().filter(|region| !label(region)) {
            return Err(ConnectionError::BadRegion { given: given.clone() });
        }
        let ports = catalog.endpoints.ports.rows.iter().filter(|row| row.service == Service::Acr);
        Ok(Places {
            suffixes: catalog.endpoints.suffixes.clone(),
            ports: ports.flat_map(|row| row.ports.split(", ").map(str::to_owned)).collect(),
            to_host: wish.to_host.clone(),
            cautious: wish.cautious,
            region: wish.region.as_ref().map(|region| region.to_ascii_lowercase()),
        })
    }

    /// How the names of the old service end.
    pub(crate) fn old_suffixes(&self) -> impl Iterator<Item = &str> {
        let old = self.suffixes.rows.iter().filter(|row| row.service == Service::Acr);
        old.map(|row| row.suffix.as_str())
    }

    /// Whether a port is one of the old service.
    pub(crate) fn is_old_port(&self, port: &str) -> bool {
        self.ports.iter().any(|known| {
            known.len() == port.len()
                && known
                    .bytes()
                    .zip(port.bytes())
                    .all(|(known, digit)| known == digit || (known == b'X' && digit.is_ascii_digit()))
        })
    }

    pub(super) fn renew(&self, host: &str) -> Renewed {
        let Some((old, name)) = self.suffixes.of(host) else { return Renewed::Other };
        match (old.service, &self.to_host) {
            (Service::Amr, _) => return Renewed::Already,
            (_, Some(new)) => return Renewed::To { host: new.clone(), note: None },
            (Service::Acre, None) => return Renewed::Enterprise,
            (Service::Acr, None) => {}
        }
        let name = name.strip_suffix(".privatelink").unwrap_or(name);
        let new = self.suffixes.in_cloud(old.cloud, Service::Amr);
        let (Some(Suffix { suffix, regional, .. }), false) = (new, name.contains('.')) else {
            return Renewed::Unknown;
        };
        let host = match (&self.region, regional) {
            (Some(region), Some(true) | None) => format!("{name}.{region}{suffix}"),
            (None, Some(true) | None) if self.cautious => return Renewed::Unknown,
            (None, Some(true) | None) => {
                let host = format!("{name}.{UNKNOWN_REGION}{suffix}");
                let note = format!(
                    "put the region of the new cache in place of {UNKNOWN_REGION}, or give it with --region; \
                     `hostName` of the resource has the whole name, for --to-host"
                );
                return Renewed::To { host, note: Some(note) };
            }
            (_, Some(false)) => format!("{name}{suffix}"),
        };
        let doubt = match regional {
            Some(_) => "",
            None => "; whether the region is part of it in this cloud is not published",
        };
        let note = format!(
            "{host} is a guess from the old name and the region{doubt}: compare it with `hostName` of the resource"
        );
        Renewed::To { host, note: Some(note) }
    }

    /// The wished host, for settings that name none of Azure.
    pub(super) fn wished(&self) -> Option<&str> {
        self.to_host.as_deref().filter(|_| !self.cautious)
    }
}
