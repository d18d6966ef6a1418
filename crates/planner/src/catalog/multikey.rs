//! What several keys in one command mean under each clustering policy.

use serde::{Deserialize, Serialize};

use super::Table;
use crate::ClusteringPolicy;

/// The row for commands that no row names.
pub(super) const OTHERS: &str = "others";

impl Table<MultiKey> {
    /// The row of a command in capitals that names several keys. Commands that no row has are as those of `others`.
    pub fn of(&self, command: &str) -> Option<&MultiKey> {
        let named = self.rows.iter().find(|row| row.all().any(|name| name == command));
        named.or_else(|| self.rows.iter().find(|row| row.id == OTHERS))
    }
}

/// What several keys in one command, transaction or script mean under each clustering policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiKey {
    pub id: String,
    pub name: String,
    /// In capitals. Commands that are in no row are as the row `others` says.
    pub commands: Vec<String>,
    /// The same, of commands that as often as not name one key.
    #[serde(default)]
    pub often_one_key: Vec<String>,
    #[serde(rename = "NoCluster")]
    pub no_cluster: Reach,
    #[serde(rename = "OSSCluster")]
    pub oss_cluster: Reach,
    #[serde(rename = "EnterpriseCluster")]
    pub enterprise_cluster: Reach,
    /// In an active geo-replication group.
    pub geo: Reach,
    /// What else there is to know.
    pub note: Option<String>,
    /// What to do where it does not reach every key; a common hash tag when nothing is said.
    pub instead: Option<String>,
}

impl MultiKey {
    pub fn under(&self, policy: ClusteringPolicy) -> Reach {
        match policy {
            ClusteringPolicy::NoCluster => self.no_cluster,
            ClusteringPolicy::OSSCluster => self.oss_cluster,
            ClusteringPolicy::EnterpriseCluster => self.enterprise_cluster,
        }
    }

    /// The same in an active geo-replication group: the stricter of the two, which is our own reading, since no source has
    /// both at once.
    pub fn reach(&self, policy: ClusteringPolicy, geo: bool) -> Reach {
        let under = self.under(policy);
        match self.geo {
            Reach::AsPolicy | Reach::NotTold => under,
            in_group if geo => under.max(in_group),
            _ => under,
        }
    }

    /// What happens under this policy, or under each one when none is chosen.
    pub fn told(&self, policy: Option<ClusteringPolicy>) -> String {
        let of = |reach: Reach| match (&self.note, reach.spares()) {
            (Some(note), true) => format!("{} ({note})", reach.meaning()),
            _ => reach.meaning().to_owned(),
        };
        if let Some(policy) = policy {
            return format!("under {}: {}", policy.as_str(), of(self.under(policy)));
        }
        let mut reaches: Vec<Reach> = ClusteringPolicy::ALL.map(|policy| self.under(policy)).to_vec();
        reaches.sort();
        reaches.dedup();
        let told = reaches.into_iter().map(|reach| {
            let policies = ClusteringPolicy::ALL.into_iter().filter(|policy| self.under(*policy) == reach);
            let policies: Vec<&str> = policies.map(ClusteringPolicy::as_str).collect();
            format!("under {}: {}", policies.join(" and "), of(reach))
        });
        told.collect::<Vec<_>>().join("; ")
    }

    /// All commands of the row.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().chain(&self.often_one_key).map(String::as_str)
    }
}

/// Which keys a command reaches; the strictest last, but for the two that say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Any keys.
    AnySlot,
    /// Every key of the database.
    WholeDatabase,
    /// Each command by itself goes to the shard of its key.
    SlotBySlot,
    /// Every key of the database, but not in a transaction.
    NotInMulti,
    /// Those of one shard are answered, others are left out without an error.
    Partial,
    /// Those of the shard of the connection.
    OneShard,
    /// Those of one slot; others are an error.
    OneSlot,
    Refused,
    /// As the clustering policy has it.
    AsPolicy,
    /// No source says.
    NotTold,
}

impl Reach {
    /// Whether there are keys that it does not reach.
    pub fn spares(self) -> bool {
        matches!(self, Reach::NotInMulti | Reach::Partial | Reach::OneShard | Reach::OneSlot | Reach::Refused)
    }

    /// A cell of a table.
    pub fn as_str(self) -> &'static str {
        match self {
            Reach::AnySlot => "any slot",
            Reach::WholeDatabase => "whole database",
            Reach::SlotBySlot => "slot by slot",
            Reach::NotInMulti => "not in MULTI",
            Reach::Partial => "partial",
            Reach::OneShard => "one shard",
            Reach::OneSlot => "one slot",
            Reach::Refused => "refused",
            Reach::AsPolicy => "as the policy",
            Reach::NotTold => "not told",
        }
    }

    /// What that means.
    pub fn meaning(self) -> &'static str {
        match self {
            Reach::AnySlot => "keys of any slots",
            Reach::WholeDatabase => "every key of the database",
            Reach::SlotBySlot => "each command by itself goes to the shard of its key",
            Reach::NotInMulti => "all shards, but not inside MULTI",
            Reach::Partial => "keys of one shard are answered, others are left out without an error",
            Reach::OneShard => "the shard of the connection only",
            Reach::OneSlot => "keys of one slot, others are answered CROSSSLOT",
            Reach::Refused => "the command is refused",
            Reach::AsPolicy => "as the clustering policy has it",
            Reach::NotTold => "no source says",
        }
    }
}
