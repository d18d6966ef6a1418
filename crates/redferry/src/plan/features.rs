//! `redferry features`: the matrix, and what a move changes.

use planner::features::{Change, Compared, compare};
use serde_json::json;

use super::table::aligned;
use crate::args::FeaturesArgs;
use crate::exit::{Code, Exit};

/// Runs the command.
pub(crate) fn run(args: &FeaturesArgs) -> Exit {
    let catalog = match super::catalog(&args.catalog) {
        Ok(catalog) => catalog,
        Err(exit) => return exit,
    };
    let rows = compare(&catalog, args.tier, args.to, args.only.is_some());
    let count = |change| rows.iter().filter(|row| row.change == change).count();
    let summary = format!(
        "{} gained, {} lost, {} changed",
        count(Change::Gained),
        count(Change::Lost),
        count(Change::Changed)
    );
    let text = format!(
        "{} -> {} of Azure Managed Redis: {summary} (as published {})\n\n{}",
        args.tier,
        args.to,
        catalog.features.date,
        matrix(&rows)
    );
    let document = json!({
        "tier": args.tier,
        "to": args.to.as_str(),
        "gained": count(Change::Gained),
        "lost": count(Change::Lost),
        "changed": count(Change::Changed),
        "features": rows,
        "published": catalog.features.origin(),
    });
    Exit::new(Code::Equal, document, text)
}

fn matrix(rows: &[Compared<'_>]) -> String {
    let mut lines = Vec::new();
    for row in rows {
        let cells =
            if row.from == row.to { row.to.to_owned() } else { format!("{} -> {}", row.from, row.to) };
        let mark = if row.change == Change::Same { "" } else { row.change.as_str() };
        lines.push(vec![mark.to_owned(), row.name.to_owned(), cells]);
        let mut below = |text: String| lines.push(vec![String::new(), String::new(), text]);
        if let Some(remedy) = row.remedy {
            below(format!("-> {remedy}"));
        }
        for was in row.was {
            below(format!("({})", super::contradiction(row.since, was)));
        }
    }
    aligned(&lines, &[])
}
