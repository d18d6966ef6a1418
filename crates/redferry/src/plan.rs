//! The commands that plan a move: they read the catalogue and connect to nothing.

pub(crate) mod dates;
pub(crate) mod features;
pub(crate) mod price;
pub(crate) mod prices;
pub(crate) mod sku;
pub(crate) mod table;

use std::path::Path;

use planner::catalog::Said;
use planner::{Catalog, Date, PlanError};

use crate::args::CatalogFolder;
use crate::exit::Exit;
use crate::input;
pub(crate) use crate::utc::day;

/// A table of the catalogue is not larger. Bytes.
const LARGEST: u64 = 4 << 20;

/// The embedded catalogue, with the files of a folder in place of its own where one is given.
pub(crate) fn catalog(folder: &CatalogFolder) -> Result<Catalog, Exit> {
    let Some(folder) = &folder.catalog else { return Ok(Catalog::embedded()) };
    let unusable =
        |what: &dyn std::fmt::Display| Exit::usage(format!("--catalog {}: {what}", folder.display()));
    let files = files(folder).map_err(|error| unusable(&error))?;
    if files.is_empty() {
        let names: Vec<&str> = Catalog::files().collect();
        return Err(unusable(&format!("no table is in it; those are {}", names.join(", "))));
    }
    Catalog::parse(&files).map_err(|error| unusable(&error))
}

/// The JSON files of a folder, by name.
fn files(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let said = |error: std::io::Error| error.to_string();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".json") {
            let text = input::of_file(&path, LARGEST).map_err(|error| format!("{name}: {error}"))?;
            files.push((name, text));
        }
    }
    files.sort();
    Ok(files)
}

/// A question that has no answer is one that was asked wrongly.
pub(crate) fn refused(error: PlanError) -> Exit {
    Exit::usage(error.to_string())
}

/// Two sources that do not say the same, with the dates of both.
fn contradiction(since: Date, was: &Said) -> String {
    format!("as published {since}; {} said: {}", was.date, was.said)
}
