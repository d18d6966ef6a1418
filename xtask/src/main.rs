//! The project's own tasks, run by `cargo xtask`.

mod bench;
mod command_table;
mod demo;
mod fuzz;
mod generate_commands;
mod program;
mod servers;
mod simulate;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

/// What can be done with this project besides building it.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Fetch the Redis servers that demo, tests and benchmarks run; does nothing when they are there
    Servers,
    /// Check the format, run clippy and all tests; stops at the first failure
    Test {
        /// Unit tests only: no servers are started
        #[arg(long)]
        quick: bool,
    },
    /// Watch redferry move a cache from Redis 6 to Redis 7.4, and prove that both are equal
    Demo,
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Write crates/commands/src/table.rs from what Redis 6.0.16 and 7.4.1 say of their commands
    GenerateCommands {
        /// Write nothing; fail if the file is not what would be written
        #[arg(long)]
        check: bool,
    },
    /// Run a fuzz target by cargo-fuzz
    Fuzz {
        /// A file of fuzz/fuzz_targets, without its ending
        target: String,
        /// How long
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Simulate live syncs that meet every fault, on all cores; a world that goes wrong is told by its seed
    Simulate {
        /// How many worlds, from seed 0 on; a million take half an hour on two idle cores
        #[arg(long, default_value_t = 1_000_000)]
        worlds: u64,
        /// Show every step of one world instead
        #[arg(long)]
        seed: Option<u64>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Servers => servers::fetch(),
        Task::Test { quick } => test::run(quick),
        Task::Demo => interruptible(demo::run()),
        Task::Bench(bench) => interruptible(bench::run(bench)),
        Task::GenerateCommands { check } => command_table::run(check),
        Task::Fuzz { target, seconds } => fuzz::run(&target, seconds),
        Task::Simulate { worlds, seed } => simulate::run(worlds, seed),
    }
}

/// Runs a task that starts servers. Ctrl-C drops it, and with it the servers and their folders.
fn interruptible(task: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the asynchronous runtime cannot start")?;
    runtime.block_on(async {
        tokio::select! {
            done = task => done,
            _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted; everything that was started is stopped"),
        }
    })
}
