//! `cargo xtask test`: what CI runs, and what to run before a commit.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::workspace::cargo;

/// One thing to run.
struct Step {
    name: &'static str,
    args: Vec<&'static str>,
    /// What to do when it fails.
    remedy: &'static str,
}

/// Runs every step and stops at the first that fails.
///
/// # Errors
/// A tool is missing or a step failed.
pub fn run(quick: bool) -> Result<()> {
    require_tools(quick)?;
    let mut times = Vec::new();
    let mut failed = None;
    for step in steps(quick) {
        println!("\n== {}: cargo {}", step.name, step.args.join(" "));
        let begin = Instant::now();
        let status = cargo().args(&step.args).status().context("cargo cannot be started")?;
        times.push((step.name, begin.elapsed()));
        if !status.success() {
            failed = Some(step);
            break;
        }
    }
    println!("\n== time");
    for (name, time) in &times {
        println!("{:>8.1} s  {name}", time.as_secs_f64());
    }
    println!("{:>8.1} s  in all", times.iter().map(|(_, time)| *time).sum::<Duration>().as_secs_f64());
    match failed {
        Some(step) => bail!("{} failed: {}", step.name, step.remedy),
        None => {
            println!("\nEverything passed.{}", if quick { " (Unit tests only: --quick)" } else { "" });
            Ok(())
        }
    }
}

fn steps(quick: bool) -> Vec<Step> {
    // One run tells everything that is broken.
    let mut tests = vec!["test", "--workspace", "--no-fail-fast"];
    if quick {
        // Only the test kit's own unit tests need what it downloads.
        tests.extend(["--lib", "--bins", "--exclude", "testkit"]);
    }
    vec![
        Step {
            name: "format",
            args: vec!["fmt", "--all", "--check"],
            remedy: "`cargo fmt --all` puts the files above in order",
        },
        Step {
            name: "clippy",
            args: vec!["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"],
            remedy: "every warning above is to be mended, not silenced",
        },
        Step {
            name: "tests",
            args: tests,
            remedy: "the failed test and the log of its servers are above; a random test prints the seed that \
                     replays it",
        },
    ]
}

/// Says what is missing before anything is built.
fn require_tools(quick: bool) -> Result<()> {
    let mut missing = Vec::new();
    for (component, command) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !runs(cargo().args([command, "--version"])) {
            missing.push(format!("cargo {command}: run `rustup component add {component}`"));
        }
    }
    // A named server takes the place of the one that is downloaded.
    let named = std::env::var_os("REDFERRY_REDIS7").is_some();
    if !quick && !named && !runs(Command::new("python3").args(["-m", "pip", "--version"])) {
        missing.push(
            "python3 with pip: it downloads Redis 7.4; install it, or name a server by REDFERRY_REDIS7"
                .to_owned(),
        );
    }
    if !missing.is_empty() {
        bail!("missing on this machine:\n  {}", missing.join("\n  "));
    }
    let apt =
        runs(Command::new("apt-get").arg("--version")) && runs(Command::new("dpkg-deb").arg("--version"));
    if !quick && !apt && std::env::var_os("REDFERRY_REDIS6").is_none() {
        println!(
            "note: without apt-get and dpkg-deb the source is Redis 6.2 without TLS, and its TLS tests are skipped"
        );
    }
    Ok(())
}

fn runs(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
