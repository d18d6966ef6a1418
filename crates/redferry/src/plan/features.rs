//! `redferry features`: the matrix, what a move changes, and what several keys mean under each clustering policy.

use planner::Catalog;
use planner::catalog::Reach;
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
        "{} -> {} of Azure Managed Redis: {summary} (as published {})\n\n{}\n{}",
        args.tier,
        args.to,
        catalog.features.date,
        matrix(&rows),
        multi_key(&catalog)
    );
    let document = json!({
        "tier": args.tier,
        "to": args.to.as_str(),
        "gained": count(Change::Gained),
        "lost": count(Change::Lost),
        "changed": count(Change::Changed),
        "features": rows,
        "published": catalog.features.origin(),
        "multi_key": catalog.multikey.rows,
        "multi_key_published": catalog.multikey.origin(),
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

/// Width of the lines that list commands, in characters.
const WIDTH: usize = 100;

/// Which keys a command reaches under each policy, and below each row the commands.
fn multi_key(catalog: &Catalog) -> String {
    let heads = ["", "NoCluster", "OSSCluster", "EnterpriseCluster", "active geo-replication"];
    let mut table = vec![heads.map(str::to_owned).to_vec()];
    let mut reaches: Vec<Reach> = Vec::new();
    for row in &catalog.multikey.rows {
        let cells = [row.no_cluster, row.oss_cluster, row.enterprise_cluster, row.geo];
        reaches.extend(cells);
        let cells = cells.map(|reach| reach.as_str().to_owned());
        table.push([vec![row.name.clone()], cells.to_vec()].concat());
    }
    // The table is aligned as a whole, the commands come between its lines.
    let table = aligned(&table, &[]);
    let mut lines = table.lines();
    let mut text = format!(
        "Several keys in one command, by clustering policy (as published {})\n\n{}\n",
        catalog.multikey.date,
        lines.next().unwrap_or_default()
    );
    for (line, row) in lines.zip(&catalog.multikey.rows) {
        text.push_str(&format!("{line}\n{}", listed(row.all())));
        if let Some(note) = &row.note {
            text.push_str(&format!("    ({note})\n"));
        }
    }
    reaches.sort();
    reaches.dedup();
    let meanings: Vec<Vec<String>> =
        reaches.iter().map(|reach| vec![reach.as_str().to_owned(), reach.meaning().to_owned()]).collect();
    format!("{text}\n{}", aligned(&meanings, &[]))
}

/// Words in lines that are not too long.
fn listed<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let (mut text, mut line) = (String::new(), String::new());
    for word in words {
        if line.len() + word.len() + 1 > WIDTH {
            text.push_str(&format!("    {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.is_empty() { text } else { format!("{text}    {line}\n") }
}
