//! Every cell of the guide's three tables, and the rule that regenerates them.

use planner::catalog::Sku;
use planner::sku::{self, map};
use planner::{Catalog, PlanError, Series, Tier};

/// Basic and Standard: SKU, usable GB, targets.
const BASIC_STANDARD: [(&str, f64, &str); 7] = [
    ("C0", 0.2, "B0"),
    ("C1", 0.8, "B1"),
    ("C2", 2.0, "B3"),
    ("C3", 4.8, "B5"),
    ("C4", 10.4, "M10 M20"),
    ("C5", 20.8, "M20 M50"),
    ("C6", 42.4, "M50"),
];

const PREMIUM: [(&str, f64, &str); 5] = [
    ("P1", 4.8, "B5"),
    ("P2", 10.4, "B10 B20"),
    ("P3", 20.8, "B20 B50"),
    ("P4", 42.4, "B50"),
    ("P5", 96.0, "B100"),
];

/// Premium with 1 to 15 shards.
#[rustfmt::skip]
const CLUSTERED: [(&str, [&str; 15]); 5] = [
    ("P1", ["B5", "B10", "B20", "B20", "B50", "B50", "B50", "B50", "B50", "B50", "B100", "B100", "B100", "B100", "B100"]),
    ("P2", ["B20", "B50", "B50", "B50", "B100", "B100", "B100", "B100", "B100", "B150", "B150", "B150", "B250", "B250", "B250"]),
    ("P3", ["B50", "B50", "B100", "B100", "B150", "B150", "B250", "B250", "B250", "B350", "B350", "B350", "B350", "B500", "B500"]),
    ("P4", ["B50", "B100", "B150", "B250", "B350", "B350", "B500", "B500", "B500", "B700", "B700", "B700", "B700", "B1000", "B1000"]),
    ("P5", ["B100", "B250", "B350", "B500", "B700", "B700", "B1000", "B1000", "M1500", "M1500", "M1500", "M1500", "M2000", "M2000", "M2000"]),
];

/// Advertised GB, usable GB, vCPUs and connections of what the tables name.
const SPECS: [(&str, f64, f64, u32, u64); 18] = [
    ("B0", 0.5, 0.4, 2, 15_000),
    ("B1", 1.0, 0.8, 2, 15_000),
    ("B3", 3.0, 2.4, 2, 15_000),
    ("B5", 6.0, 4.8, 2, 15_000),
    ("B10", 12.0, 9.6, 4, 30_000),
    ("B20", 24.0, 19.2, 8, 75_000),
    ("B50", 60.0, 48.0, 16, 150_000),
    ("B100", 120.0, 96.0, 32, 200_000),
    ("B150", 175.0, 140.0, 48, 200_000),
    ("B250", 235.0, 188.0, 64, 200_000),
    ("B350", 350.0, 280.0, 96, 200_000),
    ("B500", 480.0, 384.0, 128, 200_000),
    ("B700", 720.0, 576.0, 192, 200_000),
    ("B1000", 960.0, 768.0, 256, 200_000),
    ("M10", 12.0, 9.6, 2, 15_000),
    ("M20", 24.0, 19.2, 4, 30_000),
    ("M50", 60.0, 48.0, 8, 75_000),
    ("M1500", 1440.0, 1152.0, 192, 200_000),
];

fn assert_cell(tier: Tier, sku: &str, shards: Option<u32>, targets: &str, ha: bool) {
    let catalog = Catalog::embedded();
    let found = map(&catalog, tier, sku, shards).unwrap();
    let mut names = vec![found.target.sku.as_str()];
    names.extend(found.alternatives.iter().map(|sku| sku.sku.as_str()));
    assert_eq!(names.join(" "), targets, "{tier} {sku} {shards:?}");
    assert_eq!(found.ha, ha, "{tier} {sku}");
    assert_eq!(found.decides.is_some(), names.len() > 1);
    if let Some((_, gb, usable, vcpus, connections)) = SPECS.iter().find(|spec| spec.0 == found.target.sku) {
        let sku = found.target;
        let specs = (sku.gb, sku.usable_gb, sku.vcpus, sku.max_connections);
        assert_eq!(specs, (*gb, *usable, *vcpus, *connections), "{}", sku.sku);
    } else {
        assert_eq!(found.target.sku, "M2000");
    }
}

#[test]
fn basic_and_standard() {
    for (sku, usable, targets) in BASIC_STANDARD {
        assert_cell(Tier::Basic, sku, None, targets, false);
        assert_cell(Tier::Standard, sku, None, targets, true);
        assert_eq!(map(&Catalog::embedded(), Tier::Basic, sku, None).unwrap().source_usable_gb, usable);
    }
}

#[test]
fn premium_without_clustering() {
    for (sku, usable, targets) in PREMIUM {
        assert_cell(Tier::Premium, sku, None, targets, true);
        assert_cell(Tier::Premium, &sku.to_lowercase(), Some(0), targets, true);
        assert_eq!(map(&Catalog::embedded(), Tier::Premium, sku, None).unwrap().source_usable_gb, usable);
    }
}

#[test]
fn premium_with_clustering() {
    for (sku, row) in CLUSTERED {
        for (shards, target) in (1..).zip(row) {
            assert_cell(Tier::Premium, sku, Some(shards), target, true);
        }
    }
    let p2 = Catalog::embedded();
    assert_eq!(map(&p2, Tier::Premium, "P2", Some(13)).unwrap().source_usable_gb, 135.2);
}

/// The rule: the smallest Balanced SKU that holds what the source holds, Memory Optimized above the largest of
/// them; for Basic and Standard from 12 GB on Memory Optimized.
fn by_rule(tier: Tier, usable: f64, size: impl Fn(&Sku) -> f64) -> String {
    let catalog = Catalog::embedded();
    let fits = |series| {
        let mut skus = sku::list(&catalog, Some(series));
        skus.retain(|sku| size(sku) + 1e-6 >= usable);
        skus.first().map(|sku| sku.sku.clone())
    };
    let from_m = tier != Tier::Premium && usable > 4.8;
    let balanced = fits(Series::B).filter(|_| !from_m);
    balanced.or_else(|| fits(Series::M)).unwrap()
}

/// Cells in which the rule gives something that the row does not have.
fn deviations(size: impl Fn(&Sku) -> f64 + Copy) -> Vec<String> {
    let catalog = Catalog::embedded();
    let mut deviations = Vec::new();
    let mut look = |tier, name: &str, shards: Option<u32>| {
        let row = map(&catalog, tier, name, shards).unwrap();
        let rule = by_rule(tier, row.source_usable_gb, size);
        if row.target.sku != rule && row.alternatives.iter().all(|sku| sku.sku != rule) {
            let shards = shards.map_or(String::new(), |shards| format!("x{shards}"));
            deviations.push(format!("{name}{shards}: {} by the table, {rule} by the rule", row.target.sku));
        }
    };
    for (name, ..) in BASIC_STANDARD {
        look(Tier::Basic, name, None);
        look(Tier::Standard, name, None);
    }
    for (name, ..) in PREMIUM {
        look(Tier::Premium, name, None);
        (1..=15).for_each(|shards| look(Tier::Premium, name, Some(shards)));
    }
    deviations
}

#[test]
fn the_rule_gives_every_cell_but_one_with_the_guides_sizes() {
    let guide = |sku: &Sku| sku.guide.map_or(sku.usable_gb, |size| size.usable_gb);
    assert_eq!(deviations(guide), ["P2x13: B250 by the table, B150 by the rule"]);
}

#[test]
fn the_sizes_published_later_change_three_cells() {
    assert_eq!(
        deviations(|sku| sku.usable_gb),
        [
            "P2x13: B250 by the table, B150 by the rule",
            "P5x2: B250 by the table, B350 by the rule",
            "P5x3: B350 by the table, B500 by the rule"
        ]
    );
}

#[test]
fn a_size_that_sources_have_differently_is_told_with_both_dates() {
    let catalog = Catalog::embedded();
    let notes = map(&catalog, Tier::Premium, "P5", Some(2)).unwrap().notes;
    assert!(
        notes.contains(
            &"B250 has 235 GB, 188 for data (published 2026-04); the guide of 2026-02 has 240 and 192"
                .to_owned()
        ),
        "{notes:?}"
    );
    assert!(
        notes.iter().any(|note| note.contains("192 GB does not fit") && note.ends_with("then B350")),
        "{notes:?}"
    );
    // Every SKU of the sizes in question, and no other.
    let differ: Vec<&str> =
        catalog.targets.rows.iter().filter(|sku| sku.guide.is_some()).map(|sku| sku.sku.as_str()).collect();
    assert_eq!(differ, ["M350", "B150", "B250", "B350", "X150", "X250", "X350"]);
    assert!(map(&catalog, Tier::Premium, "P4", None).unwrap().notes.is_empty());
}

#[test]
fn what_the_tables_do_not_have_is_said() {
    let catalog = Catalog::embedded();
    let refused = |tier, sku, shards| map(&catalog, tier, sku, shards).unwrap_err();
    assert!(matches!(refused(Tier::Premium, "P1", Some(16)), PlanError::Shards { given: 16, max: 15, .. }));
    assert!(matches!(refused(Tier::Basic, "C1", Some(2)), PlanError::ShardsWithoutCluster(_)));
    assert!(matches!(refused(Tier::Premium, "P9", None), PlanError::UnknownSku { .. }));
    for enterprise in ["E10", "f700", "Enterprise_E10", "EnterpriseFlash_F300"] {
        assert!(matches!(refused(Tier::Premium, enterprise, None), PlanError::Enterprise));
    }
    assert!(matches!(refused(Tier::Premium, "C1", None), PlanError::SkuOfOtherTier { .. }));
    assert!(matches!("gold".parse::<Tier>(), Err(PlanError::UnknownTier { .. })));
    assert!(matches!("Enterprise".parse::<Tier>(), Err(PlanError::Enterprise)));
}
