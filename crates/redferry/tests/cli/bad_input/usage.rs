//! Command lines that cannot be meant.

use super::ends;
use crate::support::{Ended, Redferry};

/// Nobody is asked anything: both addresses lead nowhere.
fn with(options: &[&str]) -> Ended {
    Redferry::between_addresses("redis://127.0.0.1:1", "redis://127.0.0.1:1").copy(options)
}

#[test]
fn options_that_do_not_exist_or_have_no_such_value() {
    for (options, words) in [
        (&["--no-such-option"][..], "--no-such-option"),
        (&["--big-key", "huge"], "write bytes such as"),
        (&["--big-key=-1"], "write bytes such as"),
        (&["--max-bytes-per-sec", "0"], "never end"),
        (&["--max-keys-per-sec", "0"], "--max-keys-per-sec"),
        (&["--scan-count", "0"], "--scan-count"),
        (&["--min-ttl", "soon"], "write a time such as"),
        (&["--connect-timeout", "5 parsecs"], "write a time such as"),
        (&["--on-conflict", "overwrite"], "refuse, skip or replace"),
        (&["--confirm-flush", "host"], "--flush-target"),
        (&["--min-ttl", "1s", "--no-ttl-only"], "--no-ttl-only"),
        (&["--db", "0", "--all-dbs"], "--all-dbs"),
        (&["--client-key", "key.pem"], "--client-cert"),
    ] {
        ends(with(options), 2, &[words]);
    }
}

#[test]
fn values_that_only_redferry_can_judge() {
    let stars = "*a".repeat(1001);
    for (options, words) in [
        (&["--regex", "("][..], "--regex"),
        (&["--match", &stars], "--match"),
        (&["--type", "no such type"], "--type"),
        (&["--slots", "16384"], "--slots"),
        (&["--slots", "9-5"], "--slots"),
        (&["--db", "zero"], "--db"),
        (&["--db-map", "3"], "--db-map"),
        (&["--db-prefix", "billing:"], "--db-prefix"),
        (&["--prefix-by-db", "same-for-all:"], "--prefix-by-db"),
        (&["--rename", "old:"], "--rename"),
        (&["--rename", "a=b", "--rename", "a:=c"], "never applies"),
    ] {
        ends(with(options), 2, &[words]);
    }
}

#[test]
fn addresses_that_are_none() {
    for (address, words) in [
        ("", "--source"),
        ("redis://", "--source"),
        ("http://localhost:6379", "--source"),
        ("redis://localhost:99999", "--source"),
        ("redis://localhost/three", "--source"),
        ("localhost:6379,password=S3cret,ssl=maybe", "ssl"),
        ("localhost:6379,password=S3cret,no-such=1", "--source"),
        ("redis://:S3cret@local host:6379", "--source"),
    ] {
        let ended = ends(Redferry::between_addresses(address, "redis://127.0.0.1:1").copy(&[]), 2, &[words]);
        assert!(!ended.said.contains("S3cret"), "{ended:#?}");
    }
}
