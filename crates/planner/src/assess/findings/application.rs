//! What the sources of the applications hold.

use std::collections::BTreeMap;

use super::{Finding, Known};
use crate::assess::AppFinding;

/// Places that are named of each kind.
const NAMED: usize = 5;

/// One finding for each kind, with the places.
pub(super) fn findings(known: &Known<'_>) -> Vec<Finding> {
    let mut kinds: BTreeMap<(super::super::Severity, &str), Vec<&AppFinding>> = BTreeMap::new();
    for found in &known.inventory.app_findings {
        kinds.entry((found.severity, found.kind.as_str())).or_default().push(found);
    }
    let finding = |((severity, kind), found): ((super::super::Severity, &str), Vec<&AppFinding>)| {
        let mut said: Vec<(&str, Vec<String>)> = Vec::new();
        for found in found.iter().take(NAMED) {
            let place = format!("{}:{}", found.file, found.line);
            match said.iter_mut().find(|(what, _)| *what == found.what) {
                Some((_, places)) => places.push(place),
                None => said.push((&found.what, vec![place])),
            }
        }
        let mut places: Vec<String> =
            said.into_iter().map(|(what, places)| format!("{} {what}", places.join(", "))).collect();
        if found.len() > NAMED {
            places.push(format!("and {} more", found.len() - NAMED));
        }
        let mut changes: Vec<&str> = Vec::new();
        for found in &found {
            if changes.len() < NAMED && !changes.contains(&found.change.as_str()) {
                changes.push(&found.change);
            }
        }
        Finding::new(
            "application",
            severity,
            format!("Applications must change: {}", kind.replace('_', " ")),
            places.join("; "),
            changes.join("; "),
        )
    };
    kinds.into_iter().map(finding).collect()
}
