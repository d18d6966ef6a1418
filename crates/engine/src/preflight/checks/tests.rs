//! What no server on this machine can be made to show: Azure's names, limits and clocks.

use client::address::Service;
use client::{Node, Topology};
use migration::conflict::OnConflict;

use super::*;
use crate::preflight::findings::{DatabaseFacts, Layout, SideFacts};

const GIB: u64 = 1 << 30;

fn seen(service: Service, keys: u64, used: u64, limit: u64) -> Seen {
    let databases = if keys == 0 { vec![] } else { vec![DatabaseFacts { db: 0, keys, expires: 0 }] };
    let facts = SideFacts {
        address: "rediss://cache:10000".into(),
        product: String::new(),
        version: Some("7.4.0".into()),
        topology: Layout::Single,
        nodes: Vec::new(),
        databases,
        used_memory: Some(used),
        data_memory: Some(used),
        maxmemory: Some(limit),
        eviction_policy: Some("volatile-lru".into()),
        modules: None,
        tls: true,
        clock_offset_ms: None,
        round_trip_us: 0,
        commands: Vec::new(),
        layout: Topology::Single(Node { host: "cache".into(), port: 10000 }),
    };
    Seen {
        facts,
        service,
        lines: Vec::new(),
        infos: Vec::new(),
        unreachable: Vec::new(),
        faults: Vec::new(),
        missing_dbs: Vec::new(),
        clock: None,
    }
}

fn checked(source: &Seen, target: &Seen, wishes: &Wishes, clocks_apart_ms: Option<f64>) -> Vec<Check> {
    all(&Picture {
        source,
        target,
        wishes,
        wanted: &[0],
        identity: &Identity::Different,
        clock_difference_ms: clocks_apart_ms,
    })
}

#[track_caller]
fn expect(checks: &[Check], id: &str, status: Status, text: &str) {
    let check = checks.iter().find(|check| check.id == id).unwrap();
    assert_eq!(check.status, status, "{check:?}");
    assert!(check.text.contains(text), "{check:?}");
}

#[test]
fn a_managed_cache_keeps_a_fifth_of_its_memory_back() {
    let source = seen(Service::AzureCache, 10, 9 * GIB, 13 * GIB);
    let wishes = Wishes::default();
    let managed = seen(Service::AzureManaged, 0, 0, 10 * GIB);
    expect(&checked(&source, &managed, &wishes, None), "memory", Status::Refused, "8.0 GiB");
    let own = seen(Service::Other, 0, 0, 10 * GIB);
    expect(&checked(&source, &own, &wishes, None), "memory", Status::Ok, "10.0 GiB");
    expect(&checked(&source, &own, &wishes, None), "eviction", Status::Ok, "");
    let larger = Wishes { target_memory: Some(12 * GIB), ..Wishes::default() };
    expect(&checked(&source, &managed, &larger, None), "memory", Status::Ok, "9.6 GiB");
}

#[test]
fn keys_that_are_there_already_take_no_room_twice() {
    let source = seen(Service::Other, 10, 9 * GIB, 0);
    let half_done = seen(Service::Other, 5, 5 * GIB, 10 * GIB);
    let resuming = Wishes { resuming: true, ..Wishes::default() };
    expect(&checked(&source, &half_done, &Wishes::default(), None), "memory", Status::Refused, "");
    expect(&checked(&source, &half_done, &resuming, None), "memory", Status::Warning, "already");
    let flushing = Wishes { flush_target: true, ..Wishes::default() };
    expect(&checked(&source, &half_done, &flushing, None), "memory", Status::Ok, "");
}

#[test]
fn a_target_that_evicts_and_nearly_fills_is_a_warning() {
    let source = seen(Service::Other, 10, 9 * GIB + GIB / 2, 0);
    let target = seen(Service::Other, 0, 0, 10 * GIB);
    expect(&checked(&source, &target, &Wishes::default(), None), "eviction", Status::Warning, "evicts");
}

#[test]
fn from_managed_redis_to_the_retired_service_is_probably_swapped() {
    let managed = seen(Service::AzureManaged, 10, GIB, 10 * GIB);
    let retired = seen(Service::AzureCache, 10, GIB, 10 * GIB);
    let checks = checked(&managed, &retired, &Wishes::default(), None);
    expect(&checks, "swapped", Status::Warning, "did you swap");
    expect(&checks, "target_empty", Status::Refused, "did you swap");
    let flush = Wishes { flush_target: true, ..Wishes::default() };
    expect(&checked(&managed, &retired, &flush, None), "swapped", Status::Refused, "did you swap");
    expect(&checked(&retired, &managed, &flush, None), "swapped", Status::Ok, "");
}

#[test]
fn a_sync_says_that_keys_of_the_target_would_be_deleted() {
    let (source, target) = (seen(Service::Other, 1, 1, 0), seen(Service::Other, 2, 1, 0));
    let follows = Wishes { follows: true, ..Wishes::default() };
    expect(&checked(&source, &target, &follows, None), "target_empty", Status::Refused, "DELETED");
    let adopting = Wishes { on_conflict: OnConflict::Replace, ..follows };
    expect(&checked(&source, &target, &adopting, None), "target_empty", Status::Note, "are deleted");
}

#[test]
fn clocks_apart_are_a_note() {
    let (source, target) = (seen(Service::Other, 1, 1, 0), seen(Service::Other, 0, 1, 0));
    let wishes = Wishes::default();
    expect(&checked(&source, &target, &wishes, Some(-900.0)), "clock", Status::Ok, "900.0 ms apart");
    expect(&checked(&source, &target, &wishes, Some(-2500.0)), "clock", Status::Note, "2.5 s behind");
    expect(&checked(&source, &target, &wishes, None), "clock", Status::Warning, "does not tell");
}

#[test]
fn one_server_stays_refused_whatever_is_skipped() {
    let (source, target) = (seen(Service::Other, 1, 1, 0), seen(Service::Other, 1, 1, 0));
    let wishes =
        Wishes { skip_checks: CHECKS.iter().map(ToString::to_string).collect(), ..Wishes::default() };
    let checks = all(&Picture {
        source: &source,
        target: &target,
        wishes: &wishes,
        wanted: &[0],
        identity: &Identity::Same("one run id".into()),
        clock_difference_ms: None,
    });
    expect(&checks, "same_server", Status::Refused, "one run id");
    expect(&checks, "target_empty", Status::Warning, "overridden");
}
