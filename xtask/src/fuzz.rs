//! `cargo xtask fuzz`: cargo-fuzz with the right compiler.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::workspace::root;

/// Runs one target. Findings are kept in `fuzz/artifacts`.
///
/// # Errors
/// The target is unknown, a tool is missing, or the target found something.
pub fn run(target: &str, seconds: u64) -> Result<()> {
    let targets = targets()?;
    if !targets.iter().any(|name| name == target) {
        bail!("no fuzz target {target}; there are: {}", targets.join(", "));
    }
    if !answers(&["fuzz", "--version"]) {
        bail!("cargo-fuzz is not installed; run `cargo install cargo-fuzz` (it also needs a C++ compiler)");
    }
    if !answers(&["+nightly", "--version"]) {
        bail!("libFuzzer needs a nightly compiler; run `rustup toolchain install nightly`");
    }
    let status = Command::new("cargo")
        .current_dir(root())
        .args(["+nightly", "fuzz", "run", target, "--", &format!("-max_total_time={seconds}")])
        // The toolchain that runs this task must not reach into the other one.
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .status()
        .context("cargo cannot be started")?;
    if !status.success() {
        bail!(
            "{target} failed: the input is in fuzz/artifacts/{target}; the lines above say how to replay it"
        );
    }
    Ok(())
}

fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        if let (Some("rs"), Some(name)) =
            (path.extension().and_then(|e| e.to_str()), path.file_stem().and_then(|s| s.to_str()))
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Cargo by the name that rustup gives it, so that `+nightly` is understood.
fn answers(args: &[&str]) -> bool {
    Command::new("cargo")
        .args(args)
        .env_remove("RUSTUP_TOOLCHAIN")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
