//! The plan as a document: what is said is here, how it looks is up to whoever writes it.

mod charts;
mod fleet;
mod markdown;

pub use fleet::{fleet, table};
pub use markdown::markdown;

use super::read::{Metrics, Series};
use super::{Inventory, Plan, Severity};
use crate::Catalog;
use crate::dates;

/// A report in parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub title: String,
    /// One line, and how bad it is.
    pub verdict: String,
    pub worst: Option<Severity>,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub heading: String,
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Text(String),
    List(Vec<String>),
    /// Names and values.
    Facts(Vec<(String, String)>),
    Finding(super::Finding),
    /// Bars of one kind; the largest value is the whole.
    Bars {
        caption: String,
        bars: Vec<Bar>,
    },
    Step(super::Step),
    Table {
        /// Names of the columns; columns of numbers stand at the right.
        head: Vec<(String, bool)>,
        rows: Vec<Vec<Cell>>,
    },
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    /// Another page, as a link is written.
    pub link: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    pub label: String,
    pub value: u64,
    /// The value in words.
    pub shown: String,
}

/// Puts the plan into words. `today` is for the days that are left.
pub fn report(catalog: &Catalog, inventory: &Inventory, plan: &Plan, today: crate::Date) -> Report {
    let mut sections =
        vec![Section { heading: "At a glance".into(), blocks: vec![glance(catalog, plan, today)] }];
    sections.push(Section { heading: "Findings".into(), blocks: findings(plan) });
    if let Some(size) = &plan.size {
        let mut lines = size.reasons.clone();
        lines.extend(size.alternatives.iter().map(|other| format!("instead: {other}")));
        lines.extend(size.notes.iter().cloned());
        sections.push(Section { heading: "Size".into(), blocks: vec![Block::List(lines)] });
    }
    sections.push(Section { heading: "Ways to move".into(), blocks: vec![ways(plan)] });
    sections
        .push(Section { heading: "Network".into(), blocks: vec![Block::List(plan.network.steps.clone())] });
    let charts = charts::charts(inventory);
    if !charts.is_empty() {
        sections.push(Section { heading: "What is in the cache".into(), blocks: charts });
    }
    if let Some(metrics) = &inventory.metrics {
        let lines = vec![Block::List(metric_lines(metrics))];
        sections.push(Section { heading: "Metrics".into(), blocks: lines });
    }
    let steps = plan.runbook.iter().cloned().map(Block::Step).collect();
    sections.push(Section { heading: "Runbook".into(), blocks: steps });
    if !plan.notes.is_empty() {
        let heading = "What is not known, and what to know".into();
        sections.push(Section { heading, blocks: vec![Block::List(plan.notes.clone())] });
    }
    Report {
        title: format!("Move of {} to Azure Managed Redis", plan.name),
        verdict: verdict(plan),
        worst: plan.findings.iter().map(|finding| finding.severity).min(),
        sections,
    }
}

/// The plan in a sentence.
pub fn verdict(plan: &Plan) -> String {
    let count = |severity, name: &str| match plan.count(severity) {
        1 => format!("1 {name}"),
        count => format!("{count} {name}s"),
    };
    let counts = [
        count(Severity::Blocker, "blocker"),
        count(Severity::Warning, "warning"),
        count(Severity::Note, "note"),
    ];
    let begins = if plan.is_blocked() { "Something must be done first" } else { "Nothing stands in the way" };
    format!("{begins}: {}", counts.join(", "))
}

/// What matters most, in a few lines.
pub fn facts(plan: &Plan) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    match &plan.size {
        Some(size) => fact(
            "size",
            format!(
                "{} ({}), {} GB of which {} for data, {} vCPUs, {}",
                size.sku,
                size.series,
                size.advertised_gb,
                size.usable_gb,
                size.vcpus,
                if size.ha { "high availability" } else { "no high availability" }
            ),
        ),
        None => fact("size", "not known".into()),
    }
    if let Some(price) = &plan.price {
        let side = |amount: Option<f64>| amount.map_or("not known".into(), |amount| format!("{amount:.2}"));
        let dated = price.priced_at.map_or(String::new(), |date| format!(" of {date}"));
        let mut text = format!(
            "{} now, {} then, {} a month in {}, prices{dated} from {}",
            side(price.source_monthly),
            side(price.target_monthly),
            price.currency,
            price.region,
            price.prices
        );
        if let Some(difference) = price.difference_monthly {
            text.push_str(&format!("; difference {difference:+.2}"));
        }
        fact("price", text);
    }
    fact("clustering", format!("{:?}: {}", plan.clustering.policy, plan.clustering.reason));
    fact("guidance", plan.clustering.guidance.into());
    fact("eviction", format!("{}: {}", plan.eviction.policy, plan.eviction.reason));
    let frequency = plan.persistence.frequency.map_or(String::new(), |frequency| format!(" {frequency}"));
    fact("persistence", format!("{}{frequency}: {}", plan.persistence.kind, plan.persistence.reason));
    fact("way", plan.strategy.title().into());
    if let Some(estimates) = plan.estimates {
        fact("time", format!("copy {}, comparison {}", estimates.copy, estimates.verify));
    }
    facts
}

fn glance(catalog: &Catalog, plan: &Plan, today: crate::Date) -> Block {
    let mut all = facts(plan);
    all.extend(retires(catalog, today));
    Block::Facts(all)
}

/// The day on which caches of today's kind retire.
fn retires(catalog: &Catalog, today: crate::Date) -> Option<(String, String)> {
    let event = dates::left(catalog, today).into_iter().find(|event| event.id == "acr_retires")?;
    let text = format!("{} ({} days from {today}): {}", event.date, event.days_left, event.what);
    Some(("retires".into(), text))
}

fn findings(plan: &Plan) -> Vec<Block> {
    if plan.findings.is_empty() {
        return vec![Block::Text("None.".into())];
    }
    plan.findings.iter().cloned().map(Block::Finding).collect()
}

fn metric_lines(metrics: &Metrics) -> Vec<String> {
    let line = |(name, series): (&str, Option<Series>)| {
        series.map(|Series { peak, p95, average, points, .. }| {
            format!("{name}: peak {peak:.0}, P95 {p95:.0}, average {average:.0}, at {points} points of time")
        })
    };
    let all = [
        ("memory in bytes", metrics.used_memory),
        ("server load in percent", metrics.server_load),
        ("connections", metrics.connections),
        ("read in bytes a second", metrics.read),
        ("written in bytes a second", metrics.written),
        ("operations a second", metrics.ops),
    ];
    all.into_iter().filter_map(line).collect()
}

fn ways(plan: &Plan) -> Block {
    let way = |scored: &super::Scored| {
        let score = if scored.possible { scored.score.to_string() } else { "not possible".into() };
        (format!("{} ({score})", scored.title), scored.reasons.join("; "))
    };
    Block::Facts(plan.strategies.iter().map(way).collect())
}
