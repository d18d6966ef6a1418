//! What is left to do, by the library that reads the settings.

use super::changes::Changes;
use super::{Form, Kind, Wish};
use crate::ClusteringPolicy;

/// A library, how it is recognised, and what it needs.
struct Library {
    words: &'static [&'static str],
    /// With the OSS policy.
    cluster: &'static str,
    /// With any.
    always: &'static str,
    /// A word that shows that this is done.
    done: Option<&'static str>,
    /// With Entra.
    entra: &'static str,
}

const LIBRARIES: &[Library] = &[
    Library {
        words: &["celery", "broker_url", "kombu"],
        cluster: "Celery: kombu does not speak cluster; use NoCluster, or EnterpriseCluster with a global_keyprefix in braces",
        always: "Celery: a rediss:// URL needs ssl_cert_reqs=CERT_REQUIRED in its query, or broker_use_ssl",
        done: Some("ssl_cert_reqs"),
        entra: "",
    },
    Library {
        words: &["sidekiq"],
        cluster: "Sidekiq does not support a cluster; use NoCluster, or EnterpriseCluster if all of its keys share a slot",
        always: "",
        done: None,
        entra: "",
    },
    Library {
        words: &["hangfire"],
        cluster: "Hangfire: set Prefix = \"{hangfire}:\" so that its keys share a slot",
        always: "",
        done: None,
        entra: "",
    },
    Library {
        words: &["persistkeystostackexchangeredis", "dataprotection", "data-protection"],
        cluster: "",
        always: "Data Protection: copy its keys before the applications move, or all cookies become invalid",
        done: None,
        entra: "",
    },
    Library {
        words: &["redissessionstateprovider", "redisoutputcacheprovider"],
        cluster: "the session-state provider needs version 2.0.1 or later for a cluster",
        always: "",
        done: None,
        entra: "",
    },
    Library {
        words: &["spring.redis", "spring.data.redis", "  redis:", "lettuce"],
        cluster: "Lettuce: switch topology refresh on (spring.data.redis.lettuce.cluster.refresh.adaptive=true); older versions ask CLUSTER MYID, which the service refuses (redis/lettuce #3495)",
        always: "",
        done: None,
        entra: "Lettuce: add redis-authx-entraid; no password is read from the settings",
    },
    Library {
        words: &["jedis"],
        cluster: "Jedis: JedisCluster (UnifiedJedis with a cluster provider) instead of JedisPool",
        always: "",
        done: None,
        entra: "Jedis: add redis-authx-entraid; no password is read from the settings",
    },
    Library {
        words: &["bull"],
        cluster: "BullMQ: a prefix in braces, such as {bull}, and a Cluster of ioredis",
        always: "",
        done: None,
        entra: "",
    },
];

pub(super) fn of(text: &str, form: Form, changes: &Changes, wish: &Wish) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let clustered = wish.policy == Some(ClusteringPolicy::OSSCluster);
    let mut notes = Vec::new();
    for library in LIBRARIES.iter().filter(|library| library.words.iter().any(|word| lower.contains(word))) {
        let is_done = library.done.is_some_and(|word| lower.contains(word));
        let said = [(!is_done, library.always), (clustered, library.cluster), (wish.entra, library.entra)];
        notes.extend(
            said.iter()
                .filter(|(applies, text)| *applies && !text.is_empty())
                .map(|(_, text)| (*text).to_owned()),
        );
    }
    notes.extend(policy(form, wish, changes).map(str::to_owned));
    if wish.entra {
        notes.push(entra(form).to_owned());
    } else {
        notes.push(
            "access keys of Azure Managed Redis are off by default: switch them on, or use Microsoft Entra ID (--entra); \
             its keys are not those of the old cache"
                .to_owned(),
        );
    }
    notes
}

fn policy(form: Form, wish: &Wish, changes: &Changes) -> Option<&'static str> {
    let switched = changes.list.iter().any(|change| change.kind == Kind::Cluster);
    match wish.policy {
        None => Some(
            "cluster mode of the client: on for the OSS policy, off for NoCluster and EnterpriseCluster (--policy)",
        ),
        Some(_) if switched => None,
        Some(ClusteringPolicy::OSSCluster) => Some(match form {
            Form::StackExchange => "StackExchange.Redis finds out by itself that the cache is a cluster",
            _ => {
                "the OSS policy needs the cluster client of the library: RedisCluster (redis-py), Redis.Cluster (ioredis), \
                 createCluster with rootNodes (node-redis), NewClusterClient (go-redis), RedisClusterClient (Lettuce)"
            }
        }),
        Some(_) => Some("a client without cluster mode: this policy has one address"),
    }
}

fn entra(form: Form) -> &'static str {
    match form {
        Form::StackExchange => {
            "Entra: the password is out; add the package Microsoft.Azure.StackExchangeRedis and call \
             ConfigureForAzureWithTokenCredentialAsync"
        }
        _ => {
            "Entra: the password is out; the user is the object id of the identity, the password a token for \
             https://redis.azure.com/.default that is renewed at least 3 minutes before it ends"
        }
    }
}
