//! `redferry price`: what both sides cost in a month.

use std::path::Path;

use planner::Catalog;
use planner::price::{self, Estimate, PriceSource, Prices, Request, Side};
use serde_json::{Value, json};

use crate::args::PriceArgs;
use crate::exit::{Code, Exit};
use crate::report::line;

/// Runs the command.
pub(crate) fn run(args: &PriceArgs) -> Exit {
    match try_run(args) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn try_run(args: &PriceArgs) -> Result<Exit, Exit> {
    let catalog = super::catalog(&args.catalog)?;
    let prices = match &args.prices {
        Some(file) => of_file(file)?,
        None => Prices::snapshot(&catalog),
    };
    let request = Request {
        sku: args.sku.clone(),
        tier: args.tier,
        shards: args.shards,
        replicas: args.replicas,
        to: args.to.clone(),
        ha: if args.no_ha { Some(false) } else { args.ha.then_some(true) },
        region: args.region.clone(),
        currency: args.currency.clone(),
    };
    answer(&catalog, &prices, &request)
}

/// What the command says with these prices, wherever they come from.
fn answer(catalog: &Catalog, prices: &Prices, request: &Request) -> Result<Exit, Exit> {
    let mut estimate = price::estimate(catalog, prices, request).map_err(super::refused)?;
    let target = estimate.target.as_ref().and_then(|side| side.monthly);
    // A price that the snapshot does not have says nothing about what is sold: the other side is still of use.
    if estimate.prices == PriceSource::Snapshot && (estimate.source.monthly.is_some() || target.is_some()) {
        estimate.notes.append(&mut estimate.missing);
    }
    let (document, text) = (document(&estimate), text(catalog, &estimate));
    Ok(if estimate.missing.is_empty() {
        Exit::new(Code::Equal, document, text)
    } else {
        Exit::new(Code::Usage, document, text).with_error(estimate.missing.join("; "))
    })
}

/// Prices from a file of the API's answers. Their day is the day of the file.
pub(crate) fn of_file(file: &Path) -> Result<Prices, Exit> {
    let unusable = |what: &dyn std::fmt::Display| Exit::usage(format!("--prices {}: {what}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| unusable(&error))?;
    let written = file.metadata().and_then(|metadata| metadata.modified()).ok();
    price::answers(&text)
        .and_then(|answers| Prices::of_answers(answers, PriceSource::File, written.map(super::day)))
        .map_err(|error| unusable(&error))
}

fn document(estimate: &Estimate) -> Value {
    let target = estimate.target.as_ref();
    json!({
        "currency": estimate.currency,
        "region": estimate.region,
        "source_sku": estimate.source.sku,
        "source_nodes": estimate.source.nodes,
        "source_node_hour": estimate.source.node_hour,
        "source_monthly": estimate.source.monthly,
        "target_sku": target.map(|side| &side.sku),
        "target_nodes": target.map(|side| side.nodes),
        "target_node_hour": target.and_then(|side| side.node_hour),
        "target_monthly": target.and_then(|side| side.monthly),
        "difference_monthly": estimate.difference(),
        "prices": estimate.prices,
        "priced_at": estimate.priced_at,
        "notes": estimate.notes,
    })
}

fn text(catalog: &Catalog, estimate: &Estimate) -> String {
    let mut out = String::new();
    let hours = catalog.prices.hours_per_month;
    let side = |side: &Side| {
        let sum = match (side.node_hour, side.monthly) {
            (Some(node_hour), Some(monthly)) => format!(
                "{} x {node_hour} x {hours} h = {monthly:.2} {} a month",
                side.nodes, estimate.currency
            ),
            _ => format!("{} nodes, no price", side.nodes),
        };
        format!("{} ({}): {sum}", side.sku, side.what)
    };
    line(&mut out, "source", &side(&estimate.source));
    if let Some(target) = &estimate.target {
        line(&mut out, "target", &side(target));
    }
    if let Some(difference) = estimate.difference() {
        let percent = estimate.source.monthly.map(|monthly| difference / monthly * 100.0).unwrap_or_default();
        line(
            &mut out,
            "difference",
            &format!("{difference:+.2} {} a month ({percent:+.0} %)", estimate.currency),
        );
    }
    let from = match estimate.prices {
        PriceSource::Snapshot => "the snapshot in the catalogue",
        PriceSource::File => "the file",
        PriceSource::Live => "the retail price API",
    };
    let at = estimate.priced_at.map(|date| format!(" of {date}")).unwrap_or_default();
    line(&mut out, "prices", &format!("from {from}{at}, {}; list prices, pay as you go", estimate.region));
    for note in &estimate.notes {
        line(&mut out, "note", note);
    }
    out
}
