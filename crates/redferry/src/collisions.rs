//! Two keys of the source that would get one name on the target: neither a copy nor a comparison makes sense then.

use client::{Endpoint, Topology};
use engine::collisions;
use migration::naming::Naming;
use migration::selection::Selection;

use crate::exit::Exit;

/// Colliding names that are told at most.
const MOST: usize = 10;

/// Why the rules for names cannot be used with these keys, if so.
pub(crate) async fn find(
    source: &Endpoint,
    layout: &Topology,
    selection: &Selection,
    naming: &Naming,
) -> Result<Option<String>, Exit> {
    let found = collisions::find(source, layout, selection, naming, MOST)
        .await
        .map_err(|error| Exit::failed(error.to_string()))?;
    let Some(first) = found.first() else { return Ok(None) };
    let from: Vec<String> = first.origins.iter().map(|(db, _)| format!("database {db}")).collect();
    Ok(Some(format!(
        "refused: {}{} of the target's names would be taken by two keys of the source (of {}); give the \
         databases different prefixes (--db-prefix, --prefix-by-db) or change --rename",
        if found.len() < MOST { "" } else { "at least " },
        found.len(),
        from.join(" and "),
    )))
}
