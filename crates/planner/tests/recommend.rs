//! Recommendations: each dimension, the matrix, and that nothing smaller would do.

use planner::catalog::Sku;
use planner::sku::{Class, Module, Recommendation, Source, Use, recommend};
use planner::{Catalog, PlanError, Series, Tier};
use proptest::prelude::*;
use std::sync::LazyLock;

const GB: u64 = 1_000_000_000;

fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::embedded);
    &CATALOG
}

fn source(tier: Tier, sku: &str) -> Option<Source> {
    Some(Source { tier, sku: sku.into(), shards: None })
}

fn target(wanted: &Use) -> (String, Class) {
    let found = recommend(catalog(), wanted).unwrap();
    (found.target.sku.clone(), found.class)
}

fn why(wanted: &Use, sku: &str) -> String {
    let found = recommend(catalog(), wanted).unwrap();
    let rejected = found.rejected.iter().find(|rejected| rejected.sku == sku);
    rejected.unwrap_or_else(|| panic!("{sku} is not among {:?}", found.rejected)).why.clone()
}

#[test]
fn memory_is_compared_with_what_is_usable() {
    let with = |peak| Use { peak: Some(peak), ..Use::default() };
    assert_eq!(target(&with(4_800_000_000)), ("B5".into(), Class::Balanced));
    assert_eq!(target(&with(4_800_000_001)), ("B10".into(), Class::Balanced));
    assert_eq!(why(&with(5 * GB), "B5"), "memory: 5 GB is above its 4.8 GB for data");
    // The larger of both counts.
    let both = Use { used_memory: Some(30 * GB), peak: Some(20 * GB), ..Use::default() };
    assert_eq!(target(&both).0, "B50");
    // Beyond the largest Balanced.
    assert_eq!(target(&with(1000 * GB)).0, "M1500");
    assert_eq!(target(&with(1600 * GB)).0, "A2000");
    assert!(matches!(recommend(catalog(), &with(4000 * GB)), Err(PlanError::NothingFits { .. })));
}

#[test]
fn the_newer_size_decides_and_the_older_is_told() {
    let wanted = Use { peak: Some(190 * GB), ..Use::default() };
    assert_eq!(target(&wanted).0, "B350");
    assert_eq!(
        why(&wanted, "B250"),
        "memory: 190 GB is above its 188 GB for data (2026-04; the guide of 2026-02 has 192 GB)"
    );
    let notes = recommend(catalog(), &wanted).unwrap().notes;
    assert_eq!(
        notes,
        ["B350 has 350 GB, 280 for data (published 2026-04); the guide of 2026-02 has 360 and 288"]
    );
}

#[test]
fn the_matrix_of_the_guide() {
    let with = |sku, gb: f64, load| Use {
        source: source(Tier::Premium, sku),
        peak: Some((gb * 1e9) as u64),
        server_load: load,
        ..Use::default()
    };
    // Its own scenarios: 2 of 6 GB at 85 %; 4 of 6 GB at 40 %; a P3 with 20 GB at 30 %; and what is not known.
    assert_eq!(target(&with("P1", 2.0, Some(85.0))), ("X3".into(), Class::Compute));
    assert_eq!(target(&with("P1", 4.0, Some(40.0))), ("B5".into(), Class::Balanced));
    assert_eq!(target(&with("P3", 18.0, Some(30.0))), ("M20".into(), Class::Memory));
    assert_eq!(target(&with("P3", 18.0, None)), ("B20".into(), Class::Balanced));
    assert_eq!(target(&with("P3", 18.0, Some(85.0))), ("B20".into(), Class::Balanced));
    // Memory optimized begins at 12 GB: below it there is Balanced.
    assert_eq!(target(&with("P1", 4.5, Some(10.0))), ("B5".into(), Class::Memory));
    let unknown = Use { peak: Some(GB), server_load: Some(85.0), ..Use::default() };
    assert_eq!(target(&unknown), ("X3".into(), Class::Compute));
}

#[test]
fn reservations_say_how_full_the_source_is() {
    // 9 of 26 GB are 43 % of what is usable by default, and 90 % when 16 GB are reserved.
    let with = |reserved| Use {
        source: source(Tier::Premium, "P3"),
        peak: Some(9 * GB),
        server_load: Some(20.0),
        maxmemory_reserved: reserved,
        maxfragmentation_reserved: reserved,
        ..Use::default()
    };
    assert_eq!(target(&with(None)), ("B10".into(), Class::Balanced));
    assert_eq!(target(&with(Some(8 * GB))), ("M10".into(), Class::Memory));
    // Four shards hold four times as much: 9 of 19.2 GB.
    let shards = Some(Source { tier: Tier::Premium, sku: "P1".into(), shards: Some(4) });
    assert_eq!(target(&Use { source: shards, ..with(None) }).1, Class::Balanced);
    let without = Use { source: None, ..with(Some(8 * GB)) };
    let notes = recommend(catalog(), &without).unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("--sku")), "{notes:?}");
}

#[test]
fn connections_may_ask_for_more_vcpus_than_memory_does() {
    // 12 GB with 8 vCPUs instead of 24 GB with 8.
    let wanted = Use { peak: Some(2 * GB), connections: Some(60_000), ..Use::default() };
    assert_eq!(target(&wanted), ("X10".into(), Class::Busy));
    assert!(why(&wanted, "B10").contains("connections: 60000 are above its 30000"));
    let wanted = Use { connections: Some(200_001), ..wanted };
    assert!(matches!(recommend(catalog(), &wanted), Err(PlanError::NothingFits { .. })));
}

#[test]
fn load_operations_and_bandwidth_are_held_against_what_was_measured() {
    let wanted = Use { ops: Some(300_000), peak: Some(GB), ..Use::default() };
    assert_eq!(target(&wanted).0, "X3");
    assert!(why(&wanted, "B5").contains("300000/s are above the 230000/s"));
    let wanted = Use { bandwidth: Some(150_000_000), peak: Some(GB / 2), ..Use::default() };
    assert_eq!(target(&wanted).0, "B3");
    assert!(why(&wanted, "B1").contains("bandwidth"));
    // Ten shards at 90 % are nine cores: 24 primary shards at 70 % carry them, 12 do not.
    let wanted = Use {
        source: Some(Source { tier: Tier::Premium, sku: "P1".into(), shards: Some(10) }),
        peak: Some(20 * GB),
        server_load: Some(90.0),
        series: vec![Series::B],
        ..Use::default()
    };
    assert_eq!(target(&wanted), ("B100".into(), Class::Chosen));
    assert!(why(&wanted, "B50").contains("9.00 busy cores would fill its 12 primary shards"));
}

#[test]
fn modules_and_geo_replication() {
    let wanted = Use { peak: Some(GB / 2), geo: true, modules: vec![Module::Search], ..Use::default() };
    assert_eq!(target(&wanted).0, "B3");
    assert_eq!(why(&wanted, "B1"), "active geo-replication is not offered");
    assert!(why(&wanted, "A250").contains("RediSearch is not offered"));
    assert!(recommend(catalog(), &wanted).unwrap().notes[0].contains("NoEviction"));
    let both = Use { no_ha: true, ..wanted.clone() };
    assert_eq!(recommend(catalog(), &both), Err(PlanError::GeoWithoutHa));
    let bloom = Use { modules: vec![Module::Bloom], ..wanted };
    assert_eq!(recommend(catalog(), &bloom), Err(PlanError::GeoModule("RedisBloom")));
    let flash =
        Use { peak: Some(GB), modules: vec![Module::Bloom], series: vec![Series::A], ..Use::default() };
    assert!(matches!(recommend(catalog(), &flash), Err(PlanError::NothingFits { .. })));
}

#[test]
fn flash_is_an_alternative_only_for_much() {
    let series = |peak| -> Vec<String> {
        let found = recommend(catalog(), &Use { peak: Some(peak), ..Use::default() }).unwrap();
        found.alternatives.iter().map(|other| other.sku.sku.clone()).collect()
    };
    assert_eq!(series(20 * GB), ["M50", "X50"]);
    assert_eq!(series(300 * GB), ["M500", "X500", "A500"]);
}

/// Whether a SKU carries it all, told here once more and in another way.
fn carries(sku: &Sku, wanted: &Use) -> bool {
    let cores = match (sku.burstable, sku.vcpus) {
        (true, _) => 1,
        (_, 2..8) => 2,
        (_, 8..16) => 6,
        (_, 16..32) => 12,
        (_, 32..64) => 24,
        _ => 48,
    };
    let gets: u64 = match (sku.burstable, sku.vcpus) {
        (true, _) => 120_000,
        (_, 2..4) => 230_000,
        (_, 4..8) => 480_000,
        (_, 8..16) => 810_000,
        (_, 16..32) => 1_500_000,
        (_, 32..64) => 2_000_000,
        _ => 2_900_000,
    };
    let shards = wanted.source.as_ref().and_then(|source| source.shards).unwrap_or(1);
    let data = wanted.used_memory.unwrap_or(0).max(wanted.peak.unwrap_or(0));
    let flash = sku.sku.starts_with('A');
    data as f64 <= sku.usable_gb * 1e9 + 0.5
        && wanted.connections.unwrap_or(0) <= sku.max_connections
        && wanted.server_load.unwrap_or(0.0) / 100.0 * f64::from(shards) <= 0.7 * f64::from(cores)
        && wanted.ops.unwrap_or(0) <= gets
        && wanted.bandwidth.unwrap_or(0) <= gets * 1024
        && (!wanted.geo || !(flash || sku.burstable))
        && (!flash || wanted.modules.iter().all(|module| *module == Module::Json))
}

/// Whether the class takes the series, as the documentation has it.
fn allowed(found: &Recommendation<'_>, wanted: &Use, sku: &Sku) -> bool {
    match found.class {
        Class::Memory => sku.series == Series::M || sku.series == Series::B && sku.gb < 12.0,
        Class::Balanced => sku.series == Series::B,
        Class::Compute => sku.series == Series::X,
        Class::Busy => matches!(sku.series, Series::B | Series::X),
        Class::Chosen => wanted.series.contains(&sku.series),
    }
}

fn uses() -> impl Strategy<Value = Use> {
    let source = prop::option::of((
        prop::sample::select(vec![("C3", Tier::Standard), ("P1", Tier::Premium), ("P3", Tier::Premium)]),
        1..=30_u32,
    ));
    let source = source.prop_map(|source| {
        source.map(|((sku, tier), shards)| Source {
            tier,
            sku: sku.into(),
            shards: (tier == Tier::Premium).then_some(shards),
        })
    });
    // Spread over magnitudes, so that small and large sizes come up alike.
    let bytes = || (0.0..13.0_f64).prop_map(|exponent| 10_f64.powf(exponent) as u64);
    let traffic = (
        prop::option::of(0.0..100.0_f64),
        prop::option::of(0..210_000_u64),
        prop::option::of((4.0..9.8_f64).prop_map(|exponent| 10_f64.powf(exponent) as u64)),
        prop::option::of(0..3_000_000_u64),
    );
    let modules = prop::sample::subsequence(Module::ALL.to_vec(), 0..=4);
    let series = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::sample::subsequence(Series::ALL.to_vec(), 1..=4)
    ];
    (source, bytes(), prop::option::of(bytes()), traffic, modules, any::<(bool, bool)>(), series).prop_map(
        |(source, used, peak, (server_load, connections, bandwidth, ops), modules, (geo, no_ha), series)| {
            Use {
                source,
                used_memory: Some(used),
                peak,
                maxmemory_reserved: None,
                maxfragmentation_reserved: None,
                server_load,
                connections,
                bandwidth,
                ops,
                no_ha: no_ha && !geo,
                modules: if geo {
                    modules.into_iter().filter(|m| *m < Module::TimeSeries).collect()
                } else {
                    modules
                },
                geo,
                series,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_recommended_fits_and_nothing_smaller_of_the_allowed_does(wanted in uses()) {
        let skus = &catalog().targets.rows;
        match recommend(catalog(), &wanted) {
            Ok(found) => {
                prop_assert!(carries(found.target, &wanted), "{} does not fit", found.target.sku);
                let size = |sku: &Sku| (sku.gb, sku.vcpus);
                for sku in skus.iter().filter(|sku| size(sku) < size(found.target)) {
                    let also = allowed(&found, &wanted, sku) || sku.series == found.target.series;
                    prop_assert!(!(also && carries(sku, &wanted)), "{} would do", sku.sku);
                }
                // Exactly those that do not fit are rejected, among the series that come into question.
                let open = |sku: &&Sku| wanted.series.is_empty() || wanted.series.contains(&sku.series);
                let unfit: Vec<&str> = (skus.iter().filter(open))
                    .filter(|sku| !carries(sku, &wanted)).map(|sku| sku.sku.as_str()).collect();
                let rejected: Vec<&str> = found.rejected.iter().map(|rejected| rejected.sku.as_str()).collect();
                prop_assert_eq!(unfit, rejected);
                prop_assert!(found.alternatives.iter().all(|other| carries(other.sku, &wanted)));
            }
            Err(PlanError::NothingFits { .. }) => {
                let open = |sku: &&Sku| wanted.series.is_empty() || wanted.series.contains(&sku.series);
                prop_assert!(!skus.iter().filter(open).any(|sku| carries(sku, &wanted)), "something fits");
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn the_same_use_has_the_same_answer(wanted in uses()) {
        let afresh = Catalog::embedded();
        prop_assert_eq!(recommend(catalog(), &wanted), recommend(&afresh, &wanted));
    }
}
