//! Which Azure service a host name belongs to, and the port and encryption that follow from it.

/// The service behind a host name, told by its DNS suffix alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Azure Cache for Redis, Basic, Standard and Premium: TLS on 6380, plaintext on 6379 where enabled.
    AzureCache,
    /// Azure Managed Redis: port 10000, TLS unless the database was created for plaintext.
    AzureManaged,
    /// Azure Cache for Redis Enterprise: port 10000 as Azure Managed Redis.
    AzureEnterprise,
    /// Anything else: self-hosted, another cloud, a custom DNS name, an IP address.
    Other,
}

/// DNS suffixes as of May 2026. Sources: Azure documentation (private-endpoint DNS zones), the
/// `AzureOptionsProvider` and `AzureManagedRedisOptionsProvider` of StackExchange.Redis, and the
/// Microsoft.Azure.StackExchangeRedis sample, which alone lists `.sg`. The German ACR cloud is retired and kept
/// for old configuration. Private-link names carry an extra label before the same suffix.
const SUFFIXES: &[(&str, Service)] = &[
    (".redis.cache.windows.net", Service::AzureCache),
    (".redis.cache.usgovcloudapi.net", Service::AzureCache),
    (".redis.cache.chinacloudapi.cn", Service::AzureCache),
    (".redis.cache.cloudapi.de", Service::AzureCache),
    (".redis.azure.net", Service::AzureManaged),
    (".redis.usgovcloudapi.net", Service::AzureManaged),
    (".redis.chinacloudapi.cn", Service::AzureManaged),
    (".redis.sovcloud-api.de", Service::AzureManaged),
    (".redis.sovcloud-api.fr", Service::AzureManaged),
    (".redis.sovcloud-api.sg", Service::AzureManaged),
    (".redisenterprise.cache.azure.net", Service::AzureEnterprise),
];

impl Service {
    /// Tells the service by the suffix of `host`, whatever its case.
    pub fn of_host(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        SUFFIXES
            .iter()
            .find(|(suffix, _)| host.len() > suffix.len() && host.ends_with(suffix))
            .map_or(Self::Other, |&(_, service)| service)
    }

    /// Whether the connection is encrypted when the address does not say.
    pub(super) fn default_tls(self, port: Option<u16>) -> bool {
        match self {
            // Every other port of a cache (6380, 13xxx, 15xxx) may be TLS; the safe error is to try TLS.
            Self::AzureCache => port != Some(6379),
            Self::AzureManaged | Self::AzureEnterprise => true,
            Self::Other => matches!(port, Some(6380 | 10000)),
        }
    }

    /// The port when the address names none. `other_tls` is what the form of the address means by TLS without a
    /// port on a host that is not Azure's.
    pub(super) fn default_port(self, tls: bool, other_tls: u16) -> u16 {
        match (self, tls) {
            (Self::AzureManaged | Self::AzureEnterprise, _) => 10000,
            (Self::AzureCache, true) => 6380,
            (Self::Other, true) => other_tls,
            (Self::AzureCache | Self::Other, false) => 6379,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_of_every_cloud() {
        for (host, service) in [
            ("shop.redis.cache.windows.net", Service::AzureCache),
            ("shop.privatelink.redis.cache.windows.net", Service::AzureCache),
            ("SHOP.Redis.Cache.Windows.NET.", Service::AzureCache),
            ("shop.redis.cache.usgovcloudapi.net", Service::AzureCache),
            ("shop.redis.cache.chinacloudapi.cn", Service::AzureCache),
            ("shop.westeurope.redis.azure.net", Service::AzureManaged),
            ("shop.usgovvirginia.redis.usgovcloudapi.net", Service::AzureManaged),
            ("shop.redis.chinacloudapi.cn", Service::AzureManaged),
            ("shop.redis.sovcloud-api.sg", Service::AzureManaged),
            ("shop.westeurope.redisenterprise.cache.azure.net", Service::AzureEnterprise),
            ("redis.azure.net", Service::Other),
            ("evilredis.azure.net", Service::Other),
            ("shop.redis.azure.net.example.org", Service::Other),
            ("10.0.0.4", Service::Other),
        ] {
            assert_eq!(Service::of_host(host), service, "{host}");
        }
    }
}
