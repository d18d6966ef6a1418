//! `redferry price`: what both sides cost in a month.

use planner::Catalog;
use planner::price::{self, Estimate, PriceSource, Prices, Request, Side, short_region};
use serde_json::{Value, json};

use super::prices::{api, chosen, live, unreached};
use crate::args::PriceArgs;
use crate::exit::{Code, Exit};
use crate::report::line;

/// Runs the command.
pub(crate) async fn run(args: &PriceArgs) -> Exit {
    match try_run(args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &PriceArgs) -> Result<Exit, Exit> {
    let catalog = super::catalog(&args.catalog)?;
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
    let snapshot = Prices::snapshot(&catalog);
    // A question that has no answer needs no prices to be refused.
    price::estimate(&catalog, &snapshot, &request).map_err(super::refused)?;
    let regions = [short_region(&args.region)].into();
    if let Some(prices) = chosen(&args.prices, &catalog, &regions, &args.currency).await? {
        return answer(&catalog, &prices, &request, None);
    }
    match live(&api(&args.prices)?, &regions, &args.currency).await {
        Ok(prices) => answer(&catalog, &prices, &request, None),
        // The snapshot would hide that the question is wrong.
        Err(failure) if failure.is_refusal() => Err(unreached(failure)),
        Err(failure) => answer(&catalog, &snapshot, &request, Some(failure.to_string())),
    }
}

/// What the command says with these prices, wherever they come from, and why there are none of today if there should be.
fn answer(
    catalog: &Catalog,
    prices: &Prices,
    request: &Request,
    not_live: Option<String>,
) -> Result<Exit, Exit> {
    let mut estimate = price::estimate(catalog, prices, request).map_err(super::refused)?;
    let target = estimate.target.as_ref().and_then(|side| side.monthly);
    // A price that the snapshot does not have says nothing about what is sold: the other side is still of use.
    if estimate.prices == PriceSource::Snapshot && (estimate.source.monthly.is_some() || target.is_some()) {
        estimate.notes.append(&mut estimate.missing);
    }
    if let Some(why) = &not_live {
        let dated = estimate.priced_at.map_or(String::new(), |date| format!(" of {date}"));
        estimate.notes.insert(0, format!("no prices of today, those are of the snapshot{dated}: {why}"));
    }
    let (document, text) = (document(&estimate), text(catalog, &estimate));
    let missing = estimate.missing.join("; ");
    Ok(match not_live {
        _ if missing.is_empty() => Exit::new(Code::Equal, document, text),
        None => Exit::new(Code::Usage, document, text).with_error(missing),
        Some(why) => Exit::new(Code::Failed, document, text).with_error(format!("{why}; {missing}")),
    })
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
    let from = estimate.prices;
    let at = estimate.priced_at.map(|date| format!(" of {date}")).unwrap_or_default();
    line(&mut out, "prices", &format!("from {from}{at}, {}; list prices, pay as you go", estimate.region));
    for note in &estimate.notes {
        line(&mut out, "note", note);
    }
    out
}
