//! `cargo xtask simulate`: the seeded simulation of live sync, in an optimised build.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::workspace::cargo;

/// Runs so many worlds on all cores, or shows every step of one.
///
/// # Errors
/// A world goes wrong. Its seed and the way to its fault are shown.
pub fn run(worlds: u64, seed: Option<u64>) -> Result<()> {
    let begin = Instant::now();
    // Built by itself, since cargo's exit code tells no failed build from a failed test.
    let built = simulation().arg("--no-run").status().context("cargo cannot be started")?;
    if !built.success() {
        bail!("the simulation does not build; cargo's messages above say why");
    }
    let mut command = simulation();
    command.args(["--", "--exact", "worlds_stay_right", "--nocapture"]);
    command.env_remove("REDFERRY_SEED").env_remove("RUST_BACKTRACE");
    match seed {
        Some(seed) => command.env("REDFERRY_SEED", seed.to_string()),
        None => command.env("REDFERRY_WORLDS", worlds.to_string()),
    };
    let status = command.status().context("cargo cannot be started")?;
    if !status.success() {
        bail!(
            "a world went wrong: its seed is above; `cargo xtask simulate --seed SEED` shows all of its steps"
        );
    }
    println!("{:.0} s, building included", begin.elapsed().as_secs_f64());
    Ok(())
}

fn simulation() -> Command {
    let mut command = cargo();
    command.args(["test", "--release", "--quiet", "--package", "migration", "--test", "simulation"]);
    command
}
