//! The `redferry` program, built as users get it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use testkit::Access;
use tokio::process::Command;

use crate::workspace::cargo;

/// How much the compiler may take its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// As tests are built: shares nearly everything with what is built already.
    Quick,
    /// As users get it.
    Release,
}

/// Builds `redferry`, and returns its path. Cargo says itself what it does, on standard error.
///
/// # Errors
/// The build failed.
pub fn build(build: Build) -> Result<PathBuf> {
    let release = (build == Build::Release).then_some("--release");
    let output = cargo()
        .args(["build", "--package", "redferry", "--bin", "redferry"])
        .args(release)
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("redferry does not build; cargo's messages above say why");
    }
    // Cargo tells where the file is, wherever the target folder was put.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "redferry")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built redferry but did not say where it is")
}

/// `redferry copy` from one test cache to another, with its state in `folder`. Passwords go by the environment.
pub fn copy(program: &Path, source: &Access, target: &Access, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["copy", "--source", &source.url(), "--target", &target.url()]);
    command.arg("--state").arg(folder.join("copy.state.json"));
    if let Some(ca) = source.ca.as_ref().or(target.ca.as_ref()) {
        command.arg("--ca").arg(ca);
    }
    for (variable, access) in [("REDFERRY_SOURCE_PASSWORD", source), ("REDFERRY_TARGET_PASSWORD", target)] {
        match &access.password {
            Some(password) => command.env(variable, password),
            None => command.env_remove(variable),
        };
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}
