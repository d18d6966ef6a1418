//! Programs of this machine that the download needs, run with errors that say what is missing.

use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Runs a program to its end and returns what it printed.
///
/// # Errors
/// When the program is not on this machine, or fails; then with the end of what it said.
pub(super) fn run(command: &mut Command, purpose: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = match command.output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{program} is not on this machine (needed to {purpose})")
        }
        other => other.with_context(|| format!("cannot run {program} to {purpose}"))?,
    };
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    if complaint.contains("No module named pip") {
        bail!("python3 -m pip is not on this machine (needed to {purpose})");
    }
    bail!("{program} could not {purpose} ({}):\n{}", output.status, last_lines(&complaint, 12))
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
