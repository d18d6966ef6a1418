//! The programs of the workspace, built and run as users would.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

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
    /// As users get it, and the only one whose speed means anything.
    Release,
}

/// Builds the program of a package, which has the package's name, and returns its path. Cargo says itself what it does, on
/// standard error.
///
/// # Errors
/// The build failed.
pub fn build(package: &str, build: Build) -> Result<PathBuf> {
    build_with(package, build, &[])
}

/// The same with features of the package.
///
/// # Errors
/// The build failed.
pub fn build_with(package: &str, build: Build, features: &[&str]) -> Result<PathBuf> {
    let release = (build == Build::Release).then_some("--release");
    let output = cargo()
        .args(["build", "--package", package, "--bin", package])
        .args(release)
        .args(["--features", &features.join(",")])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be started")?;
    if !output.status.success() {
        bail!("{package} does not build; cargo's messages above say why");
    }
    // Cargo tells where the file is, wherever the target folder was put.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == package)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo built {package} but did not say where it is"))
}

/// The document that a program has printed.
///
/// # Errors
/// It ended with another code than 0, or printed something else.
pub fn report(program: &str, output: &Output) -> Result<Value> {
    if !output.status.success() {
        bail!("{program} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stdout));
    }
    serde_json::from_slice(&output.stdout).with_context(|| format!("the report of {program} is no JSON"))
}

/// The gaps that a sync's document has besides those with which every node begins.
pub fn gaps(document: &Value) -> usize {
    document["gaps"].as_array().into_iter().flatten().filter(|gap| gap["reason"] != "beginning").count()
}

/// A command of redferry between two test caches. `folder` is where it runs and leaves its state. Passwords go by the
/// environment.
pub fn redferry(program: &Path, command: &str, source: &Access, target: &Access, folder: &Path) -> Command {
    let mut process = Command::new(program);
    process.current_dir(folder).args([command, "--source", &source.url(), "--target", &target.url()]);
    if let Some(ca) = source.ca.as_ref().or(target.ca.as_ref()) {
        process.arg("--ca").arg(ca);
    }
    for (variable, access) in [("REDFERRY_SOURCE_PASSWORD", source), ("REDFERRY_TARGET_PASSWORD", target)] {
        match &access.password {
            Some(password) => process.env(variable, password),
            None => process.env_remove(variable),
        };
    }
    process.stdin(Stdio::null()).kill_on_drop(true);
    process
}

/// `redferry rdb import` of a file into a test cache that asks for no password. `folder` is where it runs and leaves its
/// state.
pub fn redferry_import(program: &Path, file: &Path, target: &Access, folder: &Path) -> Command {
    let mut process = Command::new(program);
    process.current_dir(folder).args(["rdb", "import"]).arg(file).args(["--target", &target.url()]);
    process.env_remove("REDFERRY_TARGET_PASSWORD").stdin(Stdio::null()).kill_on_drop(true);
    process
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::gaps;

    #[test]
    fn every_node_has_a_beginning_that_does_not_count() {
        let gap = |reason: &str| json!({ "reason": reason });
        let document =
            |reasons: &[&str]| json!({ "gaps": reasons.iter().map(|one| gap(one)).collect::<Vec<_>>() });
        assert_eq!(gaps(&document(&["beginning", "beginning", "beginning"])), 0);
        assert_eq!(gaps(&document(&["restart", "feed_lost", "beginning"])), 2);
        assert_eq!(gaps(&json!(null)), 0);
    }
}
