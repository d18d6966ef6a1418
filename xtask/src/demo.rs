//! `cargo xtask demo`: a cache like Azure Cache for Redis moves to one like Azure Managed Redis.

mod live;
mod proof;
mod spoil;

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use testkit::compare;
use testkit::dataset;
use testkit::server::Reply;
use testkit::{Access, Binaries, Server};

use crate::program::{self, Build};
use live::Live;
use proof::Proof;

/// Keys of the kinds that caches mostly hold; enough for a copy of some seconds.
const COMMON_KEYS: u64 = 200_000;

/// How often the catalogue of every type, encoding and awkward name (some 100 keys) is written.
const CATALOGUES: u32 = 5;

const SEED: u64 = 6_000_704;

/// Runs the demo from the build to the proof.
///
/// # Errors
/// Something could not be built, fetched or started, the copy failed, the caches are not equal, or redferry does not
/// notice what was spoiled.
pub async fn run() -> Result<()> {
    println!(
        "redferry demo: a cache moves from Redis 6 (Azure Cache for Redis) to Redis 7.4 (Azure Managed Redis)"
    );

    step(1, "Build redferry (as for tests; `cargo build --release` makes a faster one and takes longer)");
    let program = program::build("redferry", Build::Quick)?;

    step(2, "Start two real Redis servers (the first time, about 60 MB are downloaded)");
    let binaries = Binaries::fetch()?;
    let tls = binaries.source_has_tls();
    let (source, target) = (Server::acr().tls(tls).start(), Server::amr().tls(true).start());
    let source_access = if tls { source.tls_access() } else { source.access() };
    let target_access = target.tls_access();
    for (side, version, access, limits) in [
        (
            "source",
            binaries.redis6.version(),
            &source_access,
            "16 databases, CONFIG and PSYNC blocked as on ACR",
        ),
        (
            "target",
            binaries.redis7.version(),
            &target_access,
            "JSON, Search, TimeSeries, Bloom; commands blocked as on AMR",
        ),
    ] {
        println!("   {side}  Redis {version:<7} {}  password, {limits}", access.url());
    }

    step(3, "Fill the source");
    let begin = Instant::now();
    let keys = fill(&source_access).await;
    println!(
        "   {} keys, {} MB of memory, in {:.1} s; a third of them expire within a week",
        thousands(keys),
        used_memory(&source) / 1_000_000,
        begin.elapsed().as_secs_f64()
    );

    let folder = tempfile::tempdir().context("no temporary folder to run redferry in")?;
    step(4, "Move it while clients write: redferry sync carries every key, and every change after that");
    let mut live = Live::begin(&program, &source_access, &target_access, folder.path())?;
    let written = live.under_writes(SEED).await?;
    println!("   the clients are stopped after {} commands", thousands(written));

    step(
        5,
        "Cut over: nobody writes any more, every key of both caches is compared, and the target takes over",
    );
    live.cut_over().await?;

    step(6, "A second opinion: compare every key once more, with a client that shares no code with redferry");
    second_opinion(&source_access, &target_access).await?;

    step(7, "The way back is open: clients write to the target now, and redferry carries that to the source");
    let written = live.way_back(SEED + 1).await?;
    println!(
        "   {} commands were written to the target; both caches are compared again:",
        thousands(written)
    );
    second_opinion(&target_access, &source_access).await?;
    live.end().await?;

    step(
        8,
        "See the proof bite: spoil three keys of the target by hand; redferry verify finds and repairs exactly those",
    );
    let proof =
        Proof { program: &program, source: &source_access, target: &target_access, folder: folder.path() };
    proof.bites().await?;
    println!("\nThe caches are equal. The servers are stopped, nothing is left behind.");
    Ok(())
}

fn step(number: u32, what: &str) {
    println!("\n{number}/8 {what}");
}

/// Compares both caches by the test kit's own code.
async fn second_opinion(one: &Access, other: &Access) -> Result<()> {
    let report = compare::caches(one, other, &compare::Options::default()).await;
    if !report.differences.is_empty() || report.source_keys == 0 {
        bail!("the caches are not equal: {report}");
    }
    println!(
        "   {} keys here, {} there, no difference; expiry off by {} ms at most",
        thousands(report.source_keys),
        thousands(report.target_keys),
        report.max_ttl_error_ms
    );
    Ok(())
}

/// Writes what is to be moved, and says how many keys that is.
async fn fill(source: &Access) -> u64 {
    let common = dataset::mixed(source, COMMON_KEYS, SEED).await;
    let catalogue = dataset::every_type(source, SEED, CATALOGUES).await;
    common.keys + catalogue.keys
}

/// Bytes that the server's data set takes.
fn used_memory(server: &Server) -> u64 {
    let Reply::Bulk(Some(info)) = server.command(&["INFO", "memory"]) else { return 0 };
    String::from_utf8_lossy(&info)
        .lines()
        .find_map(|line| line.strip_prefix("used_memory_dataset:")?.trim().parse().ok())
        .unwrap_or_default()
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
