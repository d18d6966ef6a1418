//! Files that Azure's tools wrote.

use std::fmt::Display;
use std::path::Path;

use planner::assess::read::{self, Metrics, ReadError, Resource};

use crate::exit::Exit;
use crate::input;

/// Larger files are no answers of these tools. Bytes.
const LARGEST: u64 = 64 << 20;

pub(super) fn resource(file: &Path) -> Result<Resource, Exit> {
    read::resource(&text("--arm", file)?).map_err(|error| unusable("--arm", file, &error))
}

/// All caches of the file, whatever is wrong with each.
pub(super) fn resources(option: &str, file: &Path) -> Result<Vec<Result<Resource, ReadError>>, Exit> {
    read::resources(&text(option, file)?).map_err(|error| unusable(option, file, &error))
}

pub(super) fn metrics(file: &Path) -> Result<Metrics, Exit> {
    read::metrics(&text("--metrics", file)?).map_err(|error| unusable("--metrics", file, &error))
}

/// The whole file as text; `-` is standard input.
pub(super) fn text(option: &str, file: &Path) -> Result<String, Exit> {
    let read = match file.as_os_str() == "-" {
        true => input::of_stdin(LARGEST),
        false => input::of_file(file, LARGEST),
    };
    read.map_err(|error| unusable(option, file, &error))
}

pub(super) fn unusable(option: &str, file: &Path, what: &dyn Display) -> Exit {
    Exit::usage(format!("{option} {}: {what}", file.display()))
}
