//! What the two Azure services refuse, as far as a plain Redis can be made to refuse it.

use crate::Binaries;
use crate::binaries::{Further, Program};

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
    /// Another version as it comes.
    Further(Further),
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
    /// Whether the server is Redis 7.0 or later.
    pub(crate) fn is_redis7(self) -> bool {
        !matches!(self, Profile::Acr | Profile::Plain6)
    }

    /// Whether the modules of Redis Stack are made for the server.
    pub(crate) fn takes_modules(self) -> bool {
        matches!(self, Profile::Amr | Profile::Plain7)
    }

    /// Whether the server speaks TLS.
    pub(crate) fn has_tls(self) -> bool {
        match self {
            Profile::Acr | Profile::Plain6 => Binaries::get().source_has_tls(),
            Profile::Amr | Profile::Plain7 | Profile::Further(Further::Redis70) => true,
            Profile::Further(Further::Redis82 | Further::Valkey91) => false,
        }
    }

    /// The server.
    ///
    /// # Panics
    /// When it cannot be had.
    pub(crate) fn program(self) -> &'static Program {
        match self {
            Profile::Acr | Profile::Plain6 => &Binaries::get().redis6,
            Profile::Amr | Profile::Plain7 => &Binaries::get().redis7,
            Profile::Further(further) => match further.program() {
                Some(program) => program,
                None => panic!("{further:?} cannot be had on this machine"),
            },
        }
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
            Profile::Plain6 | Profile::Plain7 | Profile::Further(_) => return rules,
        };
        rules.push("-cluster".into());
        rules.extend(allowed.iter().map(|subcommand| format!("+cluster|{subcommand}")));
        rules
    }

    fn blocked(self) -> &'static [&'static str] {
        match self {
            Profile::Acr => &BLOCKED_ON_ACR,
            Profile::Amr => &BLOCKED_ON_AMR,
            Profile::Plain6 | Profile::Plain7 | Profile::Further(_) => &[],
        }
    }
}
