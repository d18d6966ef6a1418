//! What the sources of the applications say, by the code of `redferry connection scan`.

use std::path::Path;

use planner::assess::{AppFinding, Severity};
use planner::connection::Wish;
use planner::scan::Scanner;
use planner::{Catalog, ClusteringPolicy};

use crate::connection::scan;
use crate::exit::Exit;

/// Larger files are no sources, in bytes.
const LARGEST: u64 = 2 * 1000 * 1000;

/// Everything in a folder that a move to a cache of that clustering policy changes.
pub(super) fn findings(
    folder: &Path,
    catalog: &Catalog,
    policy: ClusteringPolicy,
) -> Result<Vec<AppFinding>, Exit> {
    let wish = Wish { policy: Some(policy), ..Wish::default() };
    let scanner = Scanner::new(&wish, catalog).map_err(|error| Exit::usage(error.to_string()))?;
    let found = scan::folder(folder, &scanner, LARGEST)?.findings;
    let finding = |one: planner::scan::Finding| AppFinding {
        kind: one.id.to_owned(),
        severity: Severity::Warning,
        file: one.file,
        line: one.line as u64,
        what: one.text,
        change: one.remedy,
    };
    Ok(found.into_iter().map(finding).collect())
}
