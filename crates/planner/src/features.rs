//! The feature matrix, and what a move changes.

use serde::Serialize;

use crate::catalog::{Catalog, Cells, Feature, Said};
use crate::{Date, Series, Tier};

/// What becomes of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    Same,
    Gained,
    Changed,
    Lost,
}

impl Change {
    pub fn as_str(self) -> &'static str {
        match self {
            Change::Same => "same",
            Change::Gained => "gained",
            Change::Changed => "changed",
            Change::Lost => "lost",
        }
    }
}

/// A feature before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared<'c> {
    pub id: &'c str,
    pub name: &'c str,
    pub from: &'c str,
    pub to: &'c str,
    pub change: Change,
    /// What to do about a loss or a change.
    pub remedy: Option<&'c str>,
    /// When it was published that it is as `to` says.
    pub since: Date,
    /// What was said otherwise.
    pub was: &'c [Said],
    /// The whole row.
    pub cells: &'c Cells,
}

/// The matrix for a move from a tier into a series.
pub fn compare(catalog: &Catalog, tier: Tier, to: Series, only_changed: bool) -> Vec<Compared<'_>> {
    (catalog.features.rows.iter())
        .map(|row| {
            let change = change(row, tier, to);
            Compared {
                id: &row.id,
                name: &row.name,
                from: row.cells.of_tier(tier),
                to: row.cells.of_series(to),
                change,
                remedy: row.remedy.as_deref().filter(|_| matches!(change, Change::Lost | Change::Changed)),
                since: row.since.unwrap_or(catalog.features.date),
                was: &row.was,
                cells: &row.cells,
            }
        })
        .filter(|row| !only_changed || row.change != Change::Same)
        .collect()
}

/// Whether a cell of the matrix says that the feature is there.
pub fn has(cell: &str) -> bool {
    cell != "no" && !cell.starts_with("no:")
}

/// Whether some move loses this feature.
pub(crate) fn may_be_lost(row: &Feature) -> bool {
    let tiers = [Tier::Basic, Tier::Standard, Tier::Premium];
    tiers.iter().any(|tier| Series::ALL.iter().any(|series| change(row, *tier, *series) == Change::Lost))
}

fn change(row: &Feature, tier: Tier, to: Series) -> Change {
    let (from, to) = (row.cells.of_tier(tier), row.cells.of_series(to));
    match (has(from), has(to)) {
        (false, true) => Change::Gained,
        (true, false) => Change::Lost,
        (false, false) => Change::Same,
        (true, true) if from == to => Change::Same,
        (true, true) if row.loss => Change::Lost,
        (true, true) => Change::Changed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(tier: Tier, to: Series) -> Vec<(String, Change)> {
        let catalog = Catalog::embedded();
        compare(&catalog, tier, to, false).iter().map(|row| (row.id.to_owned(), row.change)).collect()
    }

    fn of(tier: Tier, to: Series, change: Change) -> Vec<String> {
        changes(tier, to).into_iter().filter(|(_, found)| *found == change).map(|(id, _)| id).collect()
    }

    #[test]
    fn what_premium_loses() {
        let lost = ["vnet_injection", "firewall_rules", "transport", "data_roles", "databases", "reboot"];
        assert_eq!(of(Tier::Premium, Series::B, Change::Lost), lost);
        let mut on_flash = of(Tier::Premium, Series::A, Change::Lost);
        on_flash.retain(|id| !lost.contains(&id.as_str()));
        assert_eq!(on_flash, ["non_clustered", "geo_replication"]);
    }

    #[test]
    fn what_basic_gains() {
        assert_eq!(
            of(Tier::Basic, Series::M, Change::Gained),
            [
                "sla",
                "high_availability",
                "zone_redundancy",
                "clustering",
                "geo_replication",
                "persistence",
                "import_export",
                "json",
                "time_series",
                "bloom",
                "search"
            ]
        );
    }

    #[test]
    fn every_loss_has_a_remedy_and_only_changes_are_shown_when_asked() {
        let catalog = Catalog::embedded();
        for tier in [Tier::Basic, Tier::Standard, Tier::Premium] {
            for series in Series::ALL {
                let rows = compare(&catalog, tier, series, true);
                assert!(rows.iter().all(|row| row.change != Change::Same));
                assert!(rows.len() < compare(&catalog, tier, series, false).len());
                for row in rows.iter().filter(|row| row.change == Change::Lost) {
                    assert!(row.remedy.is_some_and(|remedy| !remedy.is_empty()), "{row:?}");
                }
            }
        }
    }

    #[test]
    fn the_newer_of_two_statements_wins_and_the_older_is_told() {
        let catalog = Catalog::embedded();
        let rows = compare(&catalog, Tier::Premium, Series::B, true);
        let notifications = rows.iter().find(|row| row.id == "keyspace_notifications").unwrap();
        assert_eq!(notifications.change, Change::Changed);
        assert_eq!(notifications.since.to_string(), "2026-06");
        assert_eq!(notifications.was[0].date.to_string(), "2026-05");
        assert_eq!(notifications.was[0].said, "not available");
    }
}
