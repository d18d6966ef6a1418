//! What a comparison came to, for scripts; names never change once published.

use ::verify::{DbTotals, Kind, Outcome, Totals};
use serde_json::{Map, Value, json};

use super::account::{Account, Found, level};
use crate::printable::printable;

/// The fields of the report.
pub(super) fn of(account: &Account<'_>) -> Value {
    let (keys_source, keys_target) = account.keys();
    let args = account.args;
    let kept = args.state.as_ref().filter(|_| account.halt().is_some());
    let mut document = json!({
        "source": seed(&account.look.source.address),
        "target": seed(&account.look.target.address),
        "level": level(args.level).name(),
        "sample": args.sample.map(::verify::Sample::share),
        "keys_source": keys_source,
        "keys_target": keys_target,
        "elapsed_ms": account.elapsed().as_millis() as u64,
        "cpu_ms": account.usage.cpu_ms,
        "peak_rss_bytes": account.usage.peak_rss_bytes,
        "notes": account.notes(),
        "state_file": kept.map(|state| state.display().to_string()),
    });
    let more = match &account.found {
        Found::Keys(outcome) => of_keys(account, outcome),
        Found::Totals(totals, _) => of_totals(totals),
    };
    if let (Value::Object(document), Value::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    document
}

/// Without the scheme, as in the report of a copy.
fn seed(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, seed)| seed)
}

fn of_keys(account: &Account<'_>, outcome: &Outcome) -> Value {
    let counts = &outcome.counts;
    let differences: Map<String, Value> =
        Kind::ALL.iter().map(|kind| (kind.name().to_owned(), counts.of(*kind).into())).collect();
    let prefixes = account.beginnings().into_iter().map(|(beginning, kinds)| {
        let mut entry = Map::from_iter([("prefix".to_owned(), Value::from(beginning))]);
        entry.extend(kinds.iter().map(|(kind, keys)| (kind.name().to_owned(), (*keys).into())));
        Value::Object(entry)
    });
    let reasons = account.reasons();
    let causes: Map<String, Value> =
        reasons.iter().map(|(reason, keys, _)| ((*reason).to_owned(), (*keys).into())).collect();
    let mut remedies: Map<String, Value> =
        reasons.iter().map(|(reason, _, remedy)| ((*reason).to_owned(), (*remedy).into())).collect();
    let not_repaired: Map<String, Value> =
        account.not_repaired.iter().map(|(cause, keys)| (cause.name().to_owned(), (*keys).into())).collect();
    for cause in account.not_repaired.keys() {
        remedies.entry(cause.name()).or_insert_with(|| cause.remedy().into());
    }
    let mut document = json!({
        "keys_compared": counts.keys_compared,
        "missing": counts.of(Kind::Missing),
        "extra": counts.of(Kind::Extra),
        "type_differs": counts.of(Kind::Type),
        "value_differs": counts.of(Kind::Value),
        "ttl_differs": counts.of(Kind::Ttl),
        "group_differs": counts.of(Kind::Group),
        "unstable": counts.of(Kind::Unstable),
        "not_compared": counts.of(Kind::NotCompared),
        "keys_differing": counts.keys_differing,
        "repaired": counts.repaired,
        "not_repaired": not_repaired,
        "plan": account.plan().map(|plan| json!({ "copy": plan.copy, "delete": plan.delete })),
        "rechecked": counts.rechecked,
        "hurried": counts.hurried,
        "resumed": outcome.resumed,
        "scan_restarts": outcome.restarts,
        "ttl_error_bound_ms": outcome.ttl_error_bound_ms,
        "confidence": account.confidence(),
        "differences": differences,
        "prefixes": prefixes.collect::<Vec<_>>(),
        "causes": causes,
        "remedies": remedies,
    });
    if account.shows_keys() {
        let examples = account.examples().iter().map(|example| {
            json!({ "kind": example.kind.name(), "db": example.db, "key": printable(&example.key) })
        });
        document["examples"] = examples.collect::<Vec<_>>().into();
    }
    document
}

/// What was not looked at is null.
fn of_totals(totals: &Totals) -> Value {
    const NOT_LOOKED_AT: [&str; 13] = [
        "keys_compared",
        "missing",
        "extra",
        "type_differs",
        "value_differs",
        "ttl_differs",
        "group_differs",
        "unstable",
        "not_compared",
        "repaired",
        "differences",
        "prefixes",
        "ttl_error_bound_ms",
    ];
    let database = |db: &DbTotals| {
        json!({
            "source_dbs": db.source_dbs,
            "target_db": db.target_db,
            "keys_source": db.keys_source,
            "keys_target": db.keys_target,
            "expires_source": db.expires_source,
            "expires_target": db.expires_target,
        })
    };
    let mut document = json!({
        "databases": totals.databases.iter().map(database).collect::<Vec<_>>(),
        "types_source": totals.types_source,
        "types_target": totals.types_target,
        "memory_source": totals.memory_source,
        "memory_target": totals.memory_target,
        "rechecked": totals.rechecked,
        "resumed": false,
        "scan_restarts": 0,
    });
    for field in NOT_LOOKED_AT {
        document[field] = Value::Null;
    }
    document
}
