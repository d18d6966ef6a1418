//! What a copy came to, for people and for scripts.

use std::fmt::Write;

use engine::CopyOutcome;
use indicatif::{HumanBytes, HumanCount};
use migration::tally::{Cause, Fate, KeyType};
use serde_json::{Map, Value, json};

use crate::printable::printable;
use crate::usage::Usage;

/// The fields that scripts rely on; names never change once published.
pub(crate) fn document(outcome: &CopyOutcome, usage: Usage, show_keys: bool) -> Value {
    let total = &outcome.total;
    let occurred = || Cause::ALL.iter().filter(|cause| total.caused(**cause) > 0);
    let causes: Map<String, Value> =
        occurred().map(|cause| (cause.name().to_owned(), total.caused(*cause).into())).collect();
    let types: Map<String, Value> = KeyType::ALL
        .iter()
        .filter(|kind| total.of_type(**kind) > 0)
        .map(|kind| (kind.name().to_owned(), total.of_type(*kind).into()))
        .collect();
    let remedies: Map<String, Value> =
        occurred().map(|cause| (cause.name().to_owned(), cause.remedy().into())).collect();
    let mut document = json!({
        "keys_scanned": total.scanned,
        "keys_copied": total.copied,
        "keys_skipped": total.fated(Fate::Skipped),
        "keys_failed": total.fated(Fate::Failed),
        "keys_expired": total.fated(Fate::Expired),
        "keys_filtered": total.fated(Fate::Filtered),
        "keys_by_type": types,
        "bytes_copied": total.bytes,
        "elapsed_ms": outcome.elapsed.as_millis() as u64,
        "cpu_ms": usage.cpu_ms,
        "peak_rss_bytes": usage.peak_rss_bytes,
        "causes": causes,
        "remedies": remedies,
        "resumed": outcome.resumed,
        "scan_restarts": outcome.restarts,
        "ttl_error_bound_ms": outcome.ttl_error_ms,
    });
    if show_keys && let Value::Object(document) = &mut document {
        let examples: Map<String, Value> = outcome
            .examples
            .iter()
            .map(|(cause, keys)| {
                (cause.name().to_owned(), keys.iter().map(|key| printable(key)).collect::<Vec<_>>().into())
            })
            .collect();
        document.insert("examples".into(), examples.into());
    }
    document
}

/// The same for the terminal.
pub(crate) fn text(outcome: &CopyOutcome, usage: Usage, show_keys: bool) -> String {
    let total = &outcome.total;
    let mut out = String::new();
    let seconds = outcome.elapsed_here.as_secs_f64().max(0.001);
    let rate = outcome.copied_here as f64 / seconds;
    let mut line = |name: &str, value: String| _ = writeln!(out, "{name:>12}  {value}");
    line(
        "copied",
        format!(
            "{} of {} keys, {} in {:.1} s ({} keys/s, {}/s)",
            HumanCount(total.copied),
            HumanCount(total.scanned),
            HumanBytes(total.bytes),
            outcome.elapsed.as_secs_f64(),
            HumanCount(rate as u64),
            HumanBytes((total.bytes as f64 / outcome.elapsed.as_secs_f64().max(0.001)) as u64),
        ),
    );
    let types: Vec<String> = KeyType::ALL
        .iter()
        .filter(|kind| total.of_type(**kind) > 0)
        .map(|kind| format!("{} {}", HumanCount(total.of_type(*kind)), kind.name()))
        .collect();
    if !types.is_empty() {
        line("types", types.join(", "));
    }
    for (name, fate) in [
        ("expired", Fate::Expired),
        ("filtered", Fate::Filtered),
        ("skipped", Fate::Skipped),
        ("failed", Fate::Failed),
    ] {
        for cause in Cause::ALL.iter().filter(|cause| cause.fate() == fate && total.caused(**cause) > 0) {
            line(name, format!("{} {}", HumanCount(total.caused(*cause)), cause.name()));
            if matches!(fate, Fate::Skipped | Fate::Failed) {
                line("", format!("-> {}", cause.remedy()));
            }
            for key in outcome.examples.get(cause).into_iter().flatten().filter(|_| show_keys) {
                line("", format!("   {}", printable(key)));
            }
        }
    }
    if outcome.resumed {
        line("resumed", "yes, counts and time include the earlier runs".into());
    }
    if outcome.restarts > 0 {
        line("restarts", format!("{} scans began anew because another process answered", outcome.restarts));
    }
    line("TTL", format!("exact within {} ms", outcome.ttl_error_ms.max(1)));
    line(
        "redferry",
        format!(
            "{:.2} s CPU, {} memory at most",
            usage.cpu_ms as f64 / 1000.0,
            HumanBytes(usage.peak_rss_bytes)
        ),
    );
    out
}
