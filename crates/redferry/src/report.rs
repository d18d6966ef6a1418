//! What a copy came to, for people and for scripts.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use engine::CopyOutcome;
use indicatif::{HumanBytes, HumanCount};
use migration::tally::{Cause, Fate, KeyType, Tally};
use serde_json::{Map, Value, json};

use crate::printable::printable;
use crate::usage::Usage;

/// What whatever brings keys somewhere has in common.
#[derive(Debug)]
pub(crate) struct Brought<'a> {
    pub(crate) total: &'a Tally,
    pub(crate) examples: &'a BTreeMap<Cause, Vec<Vec<u8>>>,
    pub(crate) elapsed: Duration,
    pub(crate) elapsed_here: Duration,
    pub(crate) copied_here: u64,
    /// As the past participle of what was done.
    pub(crate) done: &'static str,
}

impl<'a> Brought<'a> {
    fn of(outcome: &'a CopyOutcome) -> Brought<'a> {
        Brought {
            total: &outcome.total,
            examples: &outcome.examples,
            elapsed: outcome.elapsed,
            elapsed_here: outcome.elapsed_here,
            copied_here: outcome.copied_here,
            done: "copied",
        }
    }
}

/// The fields that scripts rely on; names never change once published.
pub(crate) fn document(outcome: &CopyOutcome, usage: Usage, show_keys: bool) -> Value {
    let mut document = common(&Brought::of(outcome), usage, show_keys);
    if let Value::Object(document) = &mut document {
        document.insert("resumed".into(), outcome.resumed.into());
        document.insert("scan_restarts".into(), outcome.restarts.into());
        document.insert("ttl_error_bound_ms".into(), outcome.ttl_error_ms.into());
    }
    document
}

/// The fields that all such reports have.
pub(crate) fn common(outcome: &Brought<'_>, usage: Usage, show_keys: bool) -> Value {
    let total = outcome.total;
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
    });
    if show_keys && let Value::Object(document) = &mut document {
        document.insert("examples".into(), examples(outcome.examples).into());
    }
    document
}

/// Keys by cause, as they may be shown.
pub(crate) fn examples(examples: &BTreeMap<Cause, Vec<Vec<u8>>>) -> Map<String, Value> {
    let named = |keys: &[Vec<u8>]| keys.iter().map(|key| printable(key)).collect::<Vec<_>>().into();
    examples.iter().map(|(cause, keys)| (cause.name().to_owned(), named(keys))).collect()
}

/// The same for the terminal.
pub(crate) fn text(outcome: &CopyOutcome, usage: Usage, show_keys: bool) -> String {
    let mut out = common_text(&Brought::of(outcome), show_keys);
    if outcome.resumed {
        line(&mut out, "resumed", "yes, counts and time include the earlier runs");
    }
    if outcome.restarts > 0 {
        let restarts = format!("{} scans began anew because another process answered", outcome.restarts);
        line(&mut out, "restarts", &restarts);
    }
    line(&mut out, "TTL", &format!("exact within {} ms", outcome.ttl_error_ms.max(1)));
    line(&mut out, "redferry", &used(usage));
    out
}

/// A line of a report: what it is about, and what there is to say.
pub(crate) fn line(out: &mut String, name: &str, value: &str) {
    _ = writeln!(out, "{name:>12}  {value}");
}

/// What the program itself took.
pub(crate) fn used(usage: Usage) -> String {
    format!("{:.2} s CPU, {} memory at most", usage.cpu_ms as f64 / 1000.0, HumanBytes(usage.peak_rss_bytes))
}

/// The lines that all such reports have.
pub(crate) fn common_text(outcome: &Brought<'_>, show_keys: bool) -> String {
    let total = outcome.total;
    let mut out = String::new();
    let seconds = outcome.elapsed_here.as_secs_f64().max(0.001);
    let rate = outcome.copied_here as f64 / seconds;
    let mut line = |name: &str, value: String| line(&mut out, name, &value);
    line(
        outcome.done,
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
    out
}
