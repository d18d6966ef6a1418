//! What the two Azure services refuse, as far as a plain Redis can be made to refuse it.

/// Which cache a server plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Azure Cache for Redis: Redis 6.0.
    Acr,
    /// Azure Managed Redis: Redis 7.4 with modules and one database.
    Amr,
    /// Redis 6.0 as it comes.
    Plain6,
    /// Redis 7.4 as it comes.
    Plain7,
}

/// "Redis commands not supported in Azure Cache for Redis", from `cache-configure.md` of the Azure
/// documentation; MODULE is not in that list but answers "unknown command" too.
const BLOCKED_ON_ACR: [&str; 13] = [
    "ACL",
    "BGREWRITEAOF",
    "BGSAVE",
    "CONFIG",
    "DEBUG",
    "MIGRATE",
    "MODULE",
    "PSYNC",
    "REPLICAOF",
    "SAVE",
    "SHUTDOWN",
    "SLAVEOF",
    "SYNC",
];

/// `configure.md` of Azure Managed Redis and the compatibility matrix of Redis Enterprise.
/// SELECT stays: with one database, SELECT 1 answers what the service answers.
const BLOCKED_ON_AMR: [&str; 16] = [
    "BGREWRITEAOF",
    "BGSAVE",
    "DEBUG",
    "FAILOVER",
    "LASTSAVE",
    "MIGRATE",
    "MOVE",
    "PSYNC",
    "REPLCONF",
    "REPLICAOF",
    "ROLE",
    "SAVE",
    "SHUTDOWN",
    "SLAVEOF",
    "SWAPDB",
    "SYNC",
];

/// What a replica sends to its primary: these cannot be taken out of the command table where there are any.
const REPLICATION: [&str; 3] = ["PSYNC", "SYNC", "REPLCONF"];

impl Profile {
    /// Whether the server is Redis 7.
    pub(crate) fn is_redis7(self) -> bool {
        matches!(self, Profile::Amr | Profile::Plain7)
    }

    /// Commands that answer "unknown command".
    pub(crate) fn removed(self, has_replicas: bool) -> impl Iterator<Item = &'static str> {
        self.blocked().iter().copied().filter(move |name| !(has_replicas && REPLICATION.contains(name)))
    }

    /// Rules of the default user of a cluster node (acl, `redis.conf`). The nodes need their own commands, so
    /// what clients may not do is refused by the access list there ("NOPERM") and not taken away.
    pub(crate) fn cluster_client_rules(self, has_replicas: bool) -> Vec<String> {
        // Redis 6.0 knows no permissions for channels.
        let mut rules: Vec<String> =
            if self.is_redis7() { vec!["~*".into(), "&*".into()] } else { vec!["~*".into()] };
        rules.push("+@all".into());
        if has_replicas {
            let denied = REPLICATION.iter().filter(|name| self.blocked().contains(name));
            rules.extend(denied.map(|name| format!("-{}", name.to_lowercase())));
        }
        let allowed: &[&str] = match self {
            Profile::Acr => {
                &["info", "nodes", "slots", "keyslot", "countkeysinslot", "getkeysinslot", "myid", "replicas"]
            }
            Profile::Amr => &["help", "info", "keyslot", "nodes", "slots"],
            Profile::Plain6 | Profile::Plain7 => return rules,
        };
        rules.push("-cluster".into());
        rules.extend(allowed.iter().map(|subcommand| format!("+cluster|{subcommand}")));
        rules
    }

    fn blocked(self) -> &'static [&'static str] {
        match self {
            Profile::Acr => &BLOCKED_ON_ACR,
            Profile::Amr => &BLOCKED_ON_AMR,
            Profile::Plain6 | Profile::Plain7 => &[],
        }
    }
}
