//! Azurite, Microsoft's emulator of storage accounts (MIT licence), through the npm that this machine has.
//!
//! npm downloads from whichever registry it is set up to use. The package's version and checksum are pinned here; what it
//! depends on is checked by npm against the registry's own checksums. No script of any package is run.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::external::run;

const VERSION: &str = "3.37.0";

/// Checksum of the package itself, as npm writes it into its lock file.
const INTEGRITY: &str =
    "sha512-dl2AXMkXtVlX9s3U3ttIQFFlKwe64k/ugSIVNT4V3qX488Ncw988rIHAs6apgUtfEzyqwtFN9MZp0Foq60Htag==";

/// The command that starts Azurite's blob service, fetched now if need be. `Ok(Err(reason))` where it cannot be had
/// because node or npm is missing.
///
/// # Errors
/// When the download fails.
pub(crate) fn program() -> Result<Result<Vec<OsString>, String>> {
    if let Some(path) = env::var_os("REDFERRY_AZURITE") {
        return Ok(Ok(vec![path]));
    }
    for tool in ["node", "npm"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return Ok(Err(format!(
                "{tool} is not on this machine (Azurite needs it; REDFERRY_AZURITE can name one)"
            )));
        }
    }
    let folder = super::store()?.installed(&format!("azurite-{VERSION}"), |folder| {
        eprintln!("testkit: fetching azurite {VERSION} ...");
        let mut npm = Command::new("npm");
        npm.arg("install").arg("--prefix").arg(folder).current_dir(folder);
        npm.args([
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--omit=dev",
            "--omit=optional",
            "--loglevel=error",
        ]);
        run(npm.arg(format!("azurite@{VERSION}")), "install azurite")?;
        let lock = fs::read_to_string(folder.join("package-lock.json")).context("npm wrote no lock file")?;
        if !lock.contains(INTEGRITY) {
            bail!("npm brought another azurite {VERSION} than the one that is pinned by its checksum");
        }
        Ok(format!("azurite=={VERSION} {INTEGRITY}\n"))
    })?;
    let main = folder.join("node_modules/azurite/dist/src/blob/main.js");
    Ok(Ok(vec!["node".into(), main.into()]))
}
