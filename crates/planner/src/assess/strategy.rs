//! Which way to go. A score is no measure: it orders the ways, and the reasons say why.

use serde::Serialize;

use super::{Estimates, Finding, Inventory, Severity};
use crate::Tier;

/// The guide's four ways and Azure's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Programmatic copy, kept up to date until the cut-over.
    Sync,
    /// A new cache that the applications fill again.
    Rebuild,
    /// RDB export and import.
    ExportImport,
    /// The applications write to both for a while.
    DualWrite,
    /// Azure's own migration, by ARM.
    ArmMigration,
}

impl Strategy {
    pub const ALL: [Strategy; 5] = [
        Strategy::Sync,
        Strategy::Rebuild,
        Strategy::ExportImport,
        Strategy::DualWrite,
        Strategy::ArmMigration,
    ];

    /// As the plan has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Sync => "sync",
            Strategy::Rebuild => "rebuild",
            Strategy::ExportImport => "export_import",
            Strategy::DualWrite => "dual_write",
            Strategy::ArmMigration => "arm_migration",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Strategy::Sync => "copy and follow with redferry, then cut over",
            Strategy::Rebuild => "new cache that fills itself",
            Strategy::ExportImport => "RDB export and import",
            Strategy::DualWrite => "applications write to both",
            Strategy::ArmMigration => "Azure's own migration (ARM)",
        }
    }
}

/// A way, how well it fits, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    pub strategy: Strategy,
    pub title: &'static str,
    pub possible: bool,
    /// 0 to 100; 0 when it is not possible.
    pub score: u8,
    pub reasons: Vec<String>,
}

/// A way while it is judged.
struct Judged {
    score: i32,
    impossible: bool,
    reasons: Vec<String>,
}

impl Judged {
    fn new(score: i32, reason: &str) -> Judged {
        Judged { score, impossible: false, reasons: vec![reason.to_owned()] }
    }

    fn add(&mut self, score: i32, reason: impl Into<String>) {
        self.score += score;
        self.reasons.push(reason.into());
    }

    fn never(&mut self, reason: impl Into<String>) {
        self.impossible = true;
        self.reasons.push(reason.into());
    }
}

/// Every way, the best first.
pub(super) fn scored(inventory: &Inventory, estimates: Option<&Estimates>) -> Vec<Scored> {
    let situation = Situation::of(inventory, estimates);
    let mut scored: Vec<Scored> = Strategy::ALL.iter().map(|strategy| situation.score(*strategy)).collect();
    scored.sort_by_key(|scored| std::cmp::Reverse(scored.score));
    scored
}

/// The wish for a way that this cache cannot go.
pub(super) fn impossible(inventory: &Inventory, scored: &[Scored]) -> Option<Finding> {
    let wished = inventory.wishes.strategy?;
    let found = scored.iter().find(|scored| scored.strategy == wished && !scored.possible)?;
    Some(Finding::new(
        "way_not_possible",
        Severity::Blocker,
        format!("This cache cannot move by {}", wished.title()),
        found.reasons.join("; "),
        "choose another of the ways in the plan",
    ))
}

struct Situation<'a> {
    inventory: &'a Inventory,
    estimates: Option<&'a Estimates>,
    /// Keys are in a database other than 0.
    beyond_zero: bool,
    /// Percent of the keys that expire by themselves.
    expiring: Option<u64>,
    writes_per_second: Option<f64>,
}

impl<'a> Situation<'a> {
    fn of(inventory: &'a Inventory, estimates: Option<&'a Estimates>) -> Situation<'a> {
        let databases = inventory.live.as_ref().map(|live| live.databases()).unwrap_or_default();
        let (keys, expires) = inventory.live.as_ref().map(|live| live.keys()).unwrap_or_default();
        Situation {
            inventory,
            estimates,
            beyond_zero: databases.keys().any(|database| *database != 0),
            expiring: expires.saturating_mul(100).checked_div(keys),
            writes_per_second: inventory.live.as_ref().and_then(|live| live.writes_per_second()),
        }
    }

    fn score(&self, strategy: Strategy) -> Scored {
        let judged = match strategy {
            Strategy::Sync => self.sync(),
            Strategy::Rebuild => self.rebuild(),
            Strategy::ExportImport => self.export_import(),
            Strategy::DualWrite => self.dual_write(),
            Strategy::ArmMigration => self.arm_migration(),
        };
        Scored {
            strategy,
            title: strategy.title(),
            possible: !judged.impossible,
            score: if judged.impossible {
                0
            } else {
                u8::try_from(judged.score.clamp(1, 100)).unwrap_or(100)
            },
            reasons: judged.reasons,
        }
    }

    fn sync(&self) -> Judged {
        let mut judged = Judged::new(75, "nothing is lost, every tier, and the way back stays open");
        match self.inventory.wishes.max_downtime {
            Some(seconds) if seconds < 300 => judged.add(10, "writes stand still for seconds only"),
            _ => {}
        }
        if self.beyond_zero {
            judged.add(5, "databases other than 0 come along with a prefix each");
        }
        if self.is_linked() {
            judged.add(-15, "the target must be filled before it is linked: RESTORE is refused afterwards");
        }
        judged
    }

    fn rebuild(&self) -> Judged {
        let mut judged = match self.inventory.wishes.rebuildable {
            Some(true) => {
                Judged::new(80, "the data can be made again, as you say, and it is the simplest way")
            }
            Some(false) => {
                let mut judged = Judged::new(0, "all data are lost");
                judged.never("the data cannot be made again, as you say");
                return judged;
            }
            None => Judged::new(
                15,
                "all data are lost; whether they can be made again only you know (--rebuildable)",
            ),
        };
        if let Some(percent) = self.expiring.filter(|percent| *percent >= 95) {
            judged.add(
                15,
                format!("{percent} % of the keys expire by themselves, as in a cache that fills itself"),
            );
        }
        if self.inventory.wishes.rebuildable == Some(true) && self.bytes() > 20e9 {
            judged
                .add(-15, "until it is full again, the store behind it carries the load of more than 20 GB");
        }
        judged
    }

    fn export_import(&self) -> Judged {
        let mut judged = Judged::new(45, "made by the service, one file for each shard");
        match self.inventory.resource.as_ref().map(|resource| resource.sku.tier) {
            Some(Tier::Premium) => {}
            Some(tier) => judged.never(format!("{tier} caches cannot be exported; Premium can")),
            None => judged.add(-10, "only Premium caches can be exported, and the tier is not known"),
        }
        let downtime = self.inventory.wishes.max_downtime;
        let needed = self.estimates.map(|estimates| estimates.copy.to_seconds * 2);
        match (downtime, needed) {
            (Some(allowed), Some(needed)) if allowed >= needed => {
                judged.add(
                    20,
                    format!("writes may stand still for {allowed} s, which is enough for both parts"),
                );
            }
            _ if self.writes() > 0.0 => judged.add(
                -25,
                format!(
                    "what is written after the export begins is lost: {:.1} writes a second on average",
                    self.writes()
                ),
            ),
            _ => {}
        }
        if self.beyond_zero {
            judged.never("only database 0 can be imported");
        }
        judged
    }

    fn dual_write(&self) -> Judged {
        let mut judged =
            Judged::new(35, "no standstill, but every application must be changed and changed back");
        if let Some(percent) = self.expiring.filter(|percent| *percent >= 95) {
            judged.add(
                15,
                format!("{percent} % of the keys expire: after one lifetime both caches hold the same"),
            );
        }
        if self.writes() > 1000.0 {
            judged.add(-10, format!("{:.0} writes a second go out twice", self.writes()));
        }
        judged
    }

    fn arm_migration(&self) -> Judged {
        let mut judged =
            Judged::new(55, "applications keep their host name and keys, and it can be undone for 30 days");
        let Some(resource) = &self.inventory.resource else {
            judged.add(-25, "whether the cache qualifies is not known without the resource (--arm)");
            return judged;
        };
        if resource.subnet.is_some() {
            judged.never("refused for caches in a VNet");
        }
        if resource.private_endpoints > 0 {
            judged.never("refused for caches with private endpoints");
        }
        if !resource.linked.is_empty() {
            judged.never("refused for caches with geo-replication");
        }
        if self.beyond_zero {
            judged.never("database 0 only, and nothing gives the others a prefix");
        }
        judged.add(
            -15,
            "data are copied from API 2026-09-01 on only (earlier ones skip them), and nothing proves the copy; same region \
             and subscription; the moment cannot be chosen and all applications move at once",
        );
        judged
    }

    fn is_linked(&self) -> bool {
        self.inventory.resource.as_ref().is_some_and(|resource| !resource.linked.is_empty())
    }

    fn bytes(&self) -> f64 {
        self.estimates.map_or(0.0, |estimates| estimates.bytes as f64)
    }

    fn writes(&self) -> f64 {
        self.writes_per_second.unwrap_or(0.0)
    }
}
