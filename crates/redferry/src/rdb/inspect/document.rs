//! What is in the files, for scripts; names never change once published.

use ::rdb::file::Checksum;
use serde_json::{Map, Value, json};

use super::survey::{FileFacts, Large, Life, told_beginning};
use super::{Account, counts, refusals};
use crate::printable::printable;

/// The fields of the report.
pub(super) fn of(account: &Account<'_>) -> Value {
    let survey = account.survey;
    let named = |name: &str, value: Value, mut rest: Value| {
        rest[name] = value;
        rest
    };
    let largest = |large: &&Large| {
        let mut one = json!({
            "db": large.db,
            "type": large.kind,
            "encoding": large.encoding,
            "bytes": large.bytes,
            "elements": large.elements,
            "prefix": printable(told_beginning(&large.name, account.shows_keys)),
        });
        if account.shows_keys {
            one["key"] = printable(&large.name).into();
        }
        one
    };
    let refused = refusals::of(survey).into_iter().map(|refusal| {
        json!({ "id": refusal.id, "count": refusal.count, "text": refusal.text, "remedy": refusal.remedy })
    });
    json!({
        "files": survey.files.iter().map(file).collect::<Vec<_>>(),
        "keys": survey.total.keys,
        "expires": survey.total.expires,
        "bytes": survey.total.bytes,
        "resident_bytes_estimate": survey.total.resident,
        "used_memory": survey.used_memory(),
        "databases": survey.databases.iter()
            .map(|(db, count)| named("db", (*db).into(), counts(count))).collect::<Vec<_>>(),
        "types": survey.types.iter()
            .map(|(name, count)| (name.clone(), counts(count))).collect::<Map<_, _>>(),
        "encodings": survey.encodings.iter()
            .map(|((kind, encoding), count)| (format!("{kind}/{encoding}"), counts(count)))
            .collect::<Map<_, _>>(),
        "ttl": Life::ALL.iter()
            .map(|life| (life.name().to_owned(), survey.ttl.get(life).map_or(0, |count| count.keys).into()))
            .collect::<Map<String, Value>>(),
        "prefixes": survey.prefixes().into_iter()
            .map(|(prefix, count)| named("prefix", printable(prefix).into(), counts(count))).collect::<Vec<_>>(),
        "largest": survey.largest().iter().map(largest).collect::<Vec<_>>(),
        "amr_refuses": refused.collect::<Vec<_>>(),
        "elapsed_ms": account.elapsed.as_millis() as u64,
        "cpu_ms": account.usage.cpu_ms,
        "peak_rss_bytes": account.usage.peak_rss_bytes,
    })
}

fn file(file: &FileFacts) -> Value {
    let aux: Map<String, Value> =
        file.aux.iter().map(|(name, value)| (printable(name), printable(value).into())).collect();
    json!({
        "file": file.name,
        "bytes": file.bytes,
        "rdb_version": file.version,
        "checksum": checksum(file.checksum),
        "aux": aux,
        "functions": file.functions,
        "module_aux": file.module_aux,
    })
}

/// One word.
pub(super) fn checksum(checksum: Option<Checksum>) -> &'static str {
    match checksum {
        Some(Checksum::Right) => "right",
        Some(Checksum::Absent) => "absent",
        None => "not_reached",
    }
}
