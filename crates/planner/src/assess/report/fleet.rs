//! The index of a fleet: every cache in one table, with the way to its report.

use super::{Block, Cell, Report, Section, retires};
use crate::assess::fleet::{Member, Totals};
use crate::assess::{Plan, Severity};
use crate::{Catalog, Date};

/// Columns of numbers stand at the right.
const HEAD: [(&str, bool); 10] = [
    ("cache", false),
    ("today", false),
    ("sku", false),
    ("clustering", false),
    ("way", false),
    ("blockers", true),
    ("warnings", true),
    ("notes", true),
    ("price now", true),
    ("price then", true),
];

/// The table of a fleet: the head, whether a column is one of numbers, and a row for each cache.
pub fn table(members: &[Member<'_>]) -> (Vec<(String, bool)>, Vec<Vec<String>>) {
    let head = HEAD.map(|(name, number)| (name.to_owned(), number)).to_vec();
    (head, members.iter().map(row).collect())
}

fn row(member: &Member<'_>) -> Vec<String> {
    let mut row = vec![member.name.to_owned(), member.today.clone().unwrap_or_else(|| "-".into())];
    match member.plan {
        Some(plan) => row.extend(planned(plan)),
        None => row.resize(HEAD.len(), "-".into()),
    }
    row
}

fn planned(plan: &Plan) -> [String; 8] {
    let price = |pick: fn(&crate::assess::Price) -> Option<f64>| {
        plan.price.as_ref().and_then(pick).map_or("-".into(), |monthly| format!("{monthly:.2}"))
    };
    [
        plan.size.as_ref().map_or("-".into(), |size| size.sku.clone()),
        format!("{:?}", plan.clustering.policy),
        plan.strategy.title().to_owned(),
        plan.count(Severity::Blocker).to_string(),
        plan.count(Severity::Warning).to_string(),
        plan.count(Severity::Note).to_string(),
        price(|price| price.source_monthly),
        price(|price| price.target_monthly),
    ]
}

/// Puts a fleet into words. `reports` has the file of each cache's report, beside the index, as a link is written.
pub fn fleet(
    catalog: &Catalog,
    members: &[Member<'_>],
    reports: &[Option<String>],
    totals: &Totals,
    warnings: &[String],
    today: Date,
) -> Report {
    let mut facts = totals.facts();
    facts.extend(retires(catalog, today));
    let (head, rows) = table(members);
    let links = reports.iter().map(Option::as_ref).chain(std::iter::repeat(None));
    let rows = rows.into_iter().zip(links).map(|(row, link)| linked(row, link.cloned())).collect();
    let mut sections = vec![
        Section { heading: "At a glance".into(), blocks: vec![Block::Facts(facts)] },
        Section { heading: "Caches".into(), blocks: vec![Block::Table { head, rows }] },
    ];
    let troubles: Vec<String> = members
        .iter()
        .filter_map(|member| Some(format!("{}: {}", member.name, member.trouble?)))
        .chain(warnings.iter().cloned())
        .collect();
    if !troubles.is_empty() {
        let heading = "What could not be read".into();
        sections.push(Section { heading, blocks: vec![Block::List(troubles)] });
    }
    Report {
        title: format!("Move of {} caches to Azure Managed Redis", members.len()),
        verdict: verdict(totals),
        worst: worst(members),
        sections,
    }
}

fn linked(row: Vec<String>, link: Option<String>) -> Vec<Cell> {
    let mut cells: Vec<Cell> = row.into_iter().map(|text| Cell { text, link: None }).collect();
    if let Some(first) = cells.first_mut() {
        first.link = link;
    }
    cells
}

fn verdict(totals: &Totals) -> String {
    let unplanned = totals.caches - totals.planned;
    let blocked = match totals.blocked {
        0 => "Nothing stands in the way of those that are planned".to_owned(),
        blocked => format!("Something must be done first for {blocked} of {} caches", totals.caches),
    };
    match unplanned {
        0 => blocked,
        count => format!("{blocked}; {count} without a plan"),
    }
}

/// A cache without a plan is as bad as one that is blocked.
fn worst(members: &[Member<'_>]) -> Option<Severity> {
    let worst = |member: &Member<'_>| match member.plan {
        None => Some(Severity::Blocker),
        Some(plan) => {
            let found = plan.findings.iter().map(|finding| finding.severity).min();
            // Not read: much is not known.
            if member.trouble.is_some() {
                found.min(Some(Severity::Warning)).or(Some(Severity::Warning))
            } else {
                found
            }
        }
    };
    members.iter().filter_map(worst).min()
}
