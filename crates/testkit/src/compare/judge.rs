//! Judges pairs of keys: existence, type, time to live, value.

use std::time::{Duration, Instant};

use super::side::Database;
use super::value::milliseconds;
use super::{Difference, DifferenceKind, Options, Pair, Report, read, reply, value};

/// What `PTTL` answers for a key without a time to live.
const NO_TTL: i64 = -1;
/// What `PTTL` answers for a key that does not exist.
const GONE: i64 = -2;
/// Asking again tells a wrong time to live from an answer that the machine delayed.
const TTL_TRIES: usize = 4;

/// Judges source keys of one database and their counterparts, and adds what differs to the report.
pub(super) async fn pairs(
    db: u16,
    source: &Database,
    target: &Database,
    pairs: &[Pair],
    options: &Options,
    report: &mut Report,
) {
    let began = Instant::now();
    let found =
        tokio::join!(kinds(source, pairs, |pair| &pair.source), kinds(target, pairs, |pair| &pair.target));
    let mut differences: Vec<(usize, DifferenceKind, String)> = Vec::new();
    let mut same_type = Vec::new();
    for (position, kinds) in found.0.into_iter().zip(found.1).enumerate() {
        match (kinds.0.as_str(), kinds.1.as_str()) {
            ("none", "none") => {}
            (kind, "none") => differences.push((position, DifferenceKind::Missing, format!("a {kind}"))),
            (a, b) if a != b => differences.push((position, DifferenceKind::Type, format!("{a} / {b}"))),
            _ => same_type.push((position, kinds.0)),
        }
    }
    let positions: Vec<usize> = same_type.iter().map(|(position, _)| *position).collect();
    let live: Vec<&Pair> = positions.iter().map(|position| &pairs[*position]).collect();
    for (n, error) in ttl_errors(source, target, &live, options).await.into_iter().enumerate() {
        match error {
            TtlError::Within(error) => report.max_ttl_error_ms = report.max_ttl_error_ms.max(error),
            TtlError::Beyond(error, detail) => {
                report.max_ttl_error_ms = report.max_ttl_error_ms.max(error);
                differences.push((positions[n], DifferenceKind::Ttl, detail));
            }
        }
    }
    let keys = |name: fn(&Pair) -> &[u8]| -> Vec<(&[u8], &str)> {
        same_type.iter().map(|(position, kind)| (name(&pairs[*position]), kind.as_str())).collect()
    };
    let (source_keys, target_keys) = (keys(|pair| &pair.source), keys(|pair| &pair.target));
    let reading = Instant::now();
    let values =
        tokio::join!(read::values(source, &source_keys, began), read::values(target, &target_keys, began));
    let tolerance = options.tolerance() + reading.elapsed() / 2;
    for (position, (a, b)) in positions.iter().zip(values.0.iter().zip(&values.1)) {
        if let Some(detail) = value::difference(a, b, tolerance) {
            let refused =
                matches!(a, value::Value::Unreadable(_)) || matches!(b, value::Value::Unreadable(_));
            let kind = if refused { DifferenceKind::Unreadable } else { DifferenceKind::Value };
            differences.push((*position, kind, detail));
        }
    }
    // A key that expired between two questions, or on one side a little earlier, is no difference.
    let positions: Vec<usize> = differences.iter().map(|(position, ..)| *position).collect();
    let live: Vec<&Pair> = positions.iter().map(|position| &pairs[*position]).collect();
    let gone = expired(source, target, &live, options).await;
    for ((position, kind, detail), gone) in differences.into_iter().zip(gone) {
        if !gone {
            report.differences.push(Difference { db, key: pairs[position].source.clone(), kind, detail });
        }
    }
}

/// Reports target keys that no source key maps to, unless they expire.
pub(super) async fn extra(
    db: u16,
    target: &Database,
    keys: Vec<Vec<u8>>,
    options: &Options,
    report: &mut Report,
) {
    let pairs: Vec<Pair> = keys.into_iter().map(|key| Pair { source: key.clone(), target: key }).collect();
    let gone = expired(target, target, &pairs.iter().collect::<Vec<_>>(), options).await;
    let found = kinds(target, &pairs, |pair| &pair.target).await;
    for ((pair, kind), gone) in pairs.into_iter().zip(found).zip(gone) {
        if !gone {
            let detail = format!("a {kind}");
            report.differences.push(Difference { db, key: pair.target, kind: DifferenceKind::Extra, detail });
        }
    }
}

/// Which pairs are gone from both sides, now or within the tolerance.
async fn expired(source: &Database, target: &Database, pairs: &[&Pair], options: &Options) -> Vec<bool> {
    let tolerance = i64::try_from(options.ttl_tolerance_ms).unwrap_or(i64::MAX);
    let (ttls_now, _) = ttls(source, target, pairs).await;
    let longest =
        ttls_now.iter().flat_map(|(a, b)| [*a, *b]).filter(|ttl| (0..=tolerance).contains(ttl)).max();
    let Some(longest) = longest else {
        return ttls_now.into_iter().map(|ttls| ttls == (GONE, GONE)).collect();
    };
    tokio::time::sleep(Duration::from_millis(longest.unsigned_abs() + 1)).await;
    ttls(source, target, pairs).await.0.into_iter().map(|ttls| ttls == (GONE, GONE)).collect()
}

async fn kinds(database: &Database, pairs: &[Pair], name: impl Fn(&Pair) -> &[u8]) -> Vec<String> {
    let commands = pairs.iter().map(|pair| (name(pair), redis::cmd("TYPE").arg(name(pair)).take())).collect();
    database
        .nodes
        .ask(commands)
        .await
        .into_iter()
        .map(|kind| kind.map_or_else(|error| panic!("TYPE was refused: {error}"), reply::text))
        .collect()
}

enum TtlError {
    Within(u64),
    Beyond(u64, String),
}

/// Asks both sides for the remaining time of all keys at the same moment.
async fn ttl_errors(
    source: &Database,
    target: &Database,
    pairs: &[&Pair],
    options: &Options,
) -> Vec<TtlError> {
    let (answers, took) = ttls(source, target, pairs).await;
    let mut errors = Vec::with_capacity(pairs.len());
    for (pair, answer) in pairs.iter().zip(answers) {
        let (mut answer, mut took) = (answer, took);
        for _ in 0..TTL_TRIES {
            if !matches!(ttl_error(answer, took, options), TtlError::Beyond(..))
                || answer.0 < 0
                || answer.1 < 0
            {
                break;
            }
            let (again, took_again) = ttls(source, target, &[*pair]).await;
            if again[0].0.abs_diff(again[0].1) < answer.0.abs_diff(answer.1) {
                (answer, took) = (again[0], took_again);
            }
        }
        errors.push(ttl_error(answer, took, options));
    }
    errors
}

async fn ttls(source: &Database, target: &Database, pairs: &[&Pair]) -> (Vec<(i64, i64)>, Duration) {
    let commands = |name: fn(&Pair) -> &[u8]| {
        pairs.iter().map(|pair| (name(pair), redis::cmd("PTTL").arg(name(pair)).take())).collect()
    };
    let asked = Instant::now();
    let answers = tokio::join!(
        source.nodes.ask(commands(|pair| &pair.source)),
        target.nodes.ask(commands(|pair| &pair.target))
    );
    let took = asked.elapsed();
    let number = |answer: redis::RedisResult<redis::Value>| {
        answer.map_or_else(|error| panic!("PTTL was refused: {error}"), |answer| reply::number(&answer))
    };
    (answers.0.into_iter().map(number).zip(answers.1.into_iter().map(number)).collect(), took)
}

fn ttl_error((source, target): (i64, i64), took: Duration, options: &Options) -> TtlError {
    let shown =
        |ttl: i64| if ttl == NO_TTL { "no time to live".to_string() } else { format!("{ttl} ms to live") };
    let detail = || format!("{} / {}", shown(source), shown(target));
    match (source, target) {
        (NO_TTL, NO_TTL) => TtlError::Within(0),
        (NO_TTL, _) | (_, NO_TTL) => TtlError::Beyond(0, detail()),
        // Expired since its type was asked: the value's comparison will tell.
        (..0, _) | (_, ..0) => TtlError::Within(0),
        _ => {
            let error = source.abs_diff(target);
            let allowed = options.ttl_tolerance_ms + milliseconds(took / 2);
            if error <= allowed { TtlError::Within(error) } else { TtlError::Beyond(error, detail()) }
        }
    }
}
