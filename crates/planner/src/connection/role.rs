//! What a setting is by its name.

/// What a setting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Host,
    /// Several, with their ports.
    Nodes,
    Port,
    Tls,
    Database,
    Password,
    Cluster,
}

const ROLES: &[(Role, &[&str])] = &[
    (Role::Nodes, &["clusternodes", "nodes", "startupnodes"]),
    (
        Role::Host,
        &[
            "host", "hostname", "server", "endpoint", "address", "addr", "fqdn", "hosts", "addrs", "url",
            "uri",
        ],
    ),
    (Role::Port, &["port", "sslport"]),
    (
        Role::Tls,
        &["ssl", "tls", "usessl", "usetls", "sslenabled", "tlsenabled", "enablessl", "enabletls", "isssl"],
    ),
    (
        Role::Database,
        &[
            "db",
            "database",
            "databaseid",
            "databaseindex",
            "dbindex",
            "dbnumber",
            "dbid",
            "defaultdatabase",
            "databasenumber",
        ],
    ),
    (
        Role::Password,
        &[
            "password",
            "passwd",
            "pass",
            "pwd",
            "accesskey",
            "primarykey",
            "rediskey",
            "cachekey",
            "authtoken",
            "auth",
        ],
    ),
    (
        Role::Cluster,
        &["cluster", "clustermode", "clusterenabled", "iscluster", "usecluster", "enablecluster"],
    ),
];

/// Parts of a name between that of a cache and that of its setting, as in `redis.lettuce.cluster.nodes`.
const BETWEEN: &[&str] = &[
    "socket",
    "ssl",
    "tls",
    "lettuce",
    "jedis",
    "cluster",
    "redis",
    "use",
    "enable",
    "is",
    "default",
    "client",
    "options",
    "connection",
    "cache",
    "data",
];

/// What a field is, and how many parts of its name come before that.
pub(super) fn of(name: &[String]) -> Option<(Role, usize)> {
    let known = |length: usize| {
        let begin = name.len().checked_sub(length)?;
        let tail = name[begin..].concat();
        ROLES.iter().find(|(_, names)| names.contains(&tail.as_str())).map(|(role, _)| (*role, begin))
    };
    known(2).or_else(|| known(1))
}

/// What names of the same cache begin with, by the name of its host.
pub(super) fn anchor(host: &[String]) -> Vec<String> {
    let mut anchor = of(host).map_or(host, |(_, begin)| &host[..begin]).to_vec();
    while anchor.last().is_some_and(|last| ["socket", "cluster"].contains(&last.as_str())) {
        anchor.pop();
    }
    anchor
}

/// Whether a field is a setting of the cache with that anchor.
pub(super) fn belongs(name: &[String], anchor: &[String]) -> bool {
    let Some((_, begin)) = of(name) else { return false };
    // The anchor itself can be a part of the role's name: REDIS_KEY beside REDIS_HOST.
    name.starts_with(anchor)
        && name[anchor.len()..begin.max(anchor.len())].iter().all(|part| BETWEEN.contains(&part.as_str()))
}
