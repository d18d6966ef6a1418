//! Files that Azure's tools wrote.

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;

use planner::assess::read::{self, Metrics, ReadError, Resource};

use crate::exit::Exit;

/// Larger files are no answers of these tools.
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
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| unusable(option, file, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(unusable(option, file, &"it is larger than 64 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| unusable(option, file, &"it is no UTF-8 text; save it as UTF-8"))
}

pub(super) fn unusable(option: &str, file: &Path, what: &dyn Display) -> Exit {
    Exit::usage(format!("{option} {}: {what}", file.display()))
}
