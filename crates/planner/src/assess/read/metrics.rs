//! Answers of Azure Monitor (`az monitor metrics list -o json`, or the REST API).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::ReadError;

/// What the metrics of a cache say about each of these.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Metrics {
    /// Bytes, over all shards.
    pub used_memory: Option<Series>,
    /// Percent, of the busiest shard.
    pub server_load: Option<Series>,
    pub connections: Option<Series>,
    /// Bytes per second, over all shards.
    pub read: Option<Series>,
    pub written: Option<Series>,
    /// Operations per second, over all shards.
    pub ops: Option<Series>,
    /// Gaps, and metrics without data.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// A metric over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Series {
    pub peak: f64,
    /// The hour that 5 % of all hours are above.
    pub p95: f64,
    pub average: f64,
    /// Points of time with a value.
    pub points: usize,
    /// Timeseries that it was made of: one for each shard, or one for all without the filter by shard.
    pub timeseries: usize,
}

impl Series {
    /// The same metric of another answer: other days, or another spelling of its name.
    fn with(self, other: Series) -> Series {
        let points = self.points + other.points;
        let sum = self.average * self.points as f64 + other.average * other.points as f64;
        Series {
            peak: self.peak.max(other.peak),
            p95: self.p95.max(other.p95),
            average: sum / points as f64,
            points,
            timeseries: self.timeseries.min(other.timeseries),
        }
    }
}

/// How the shards of a cache make one value.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    Sum,
    Max,
}

/// Names of the metrics without case and `all` in front, and what is done with shards (the migration skill's
/// get_acr_metrics, May 2026).
const KNOWN: &[(&str, Join)] = &[
    ("usedmemoryrss", Join::Sum),
    ("usedmemory", Join::Sum),
    ("serverload", Join::Max),
    ("percentprocessortime", Join::Max),
    ("connectedclients", Join::Max),
    ("cacheread", Join::Sum),
    ("cachewrite", Join::Sum),
    ("operationspersecond", Join::Sum),
];

/// Reads an answer, or an array of answers.
///
/// # Errors
/// The text is no answer of Azure Monitor, or has no metric that is of use here.
pub fn metrics(text: &str) -> Result<Metrics, ReadError> {
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| ReadError::NoJson(error.to_string()))?;
    let answers = match json {
        Value::Array(list) => list,
        other => vec![other],
    };
    let mut found: BTreeMap<String, Series> = BTreeMap::new();
    let mut notes = Vec::new();
    let mut others = Vec::new();
    for answer in &answers {
        let Some(list) = answer.get("value").and_then(Value::as_array) else {
            return Err(ReadError::NoMetrics(
                "an answer must have `value`, as `az monitor metrics list -o json` prints it".into(),
            ));
        };
        for metric in list {
            let Some(name) = name(metric) else { continue };
            let plain = name.to_ascii_lowercase();
            let plain = plain.strip_prefix("all").unwrap_or(&plain);
            let Some((known, join)) = KNOWN.iter().find(|(known, _)| *known == plain) else {
                others.push(name.to_owned());
                continue;
            };
            match series(metric, *join, name, &mut notes) {
                Some(series) => {
                    let joined = found.get(*known).map_or(series, |other| other.with(series));
                    found.insert((*known).to_owned(), joined);
                }
                None => notes.push(format!("{name} has no data in this span")),
            }
        }
    }
    if found.is_empty() && notes.is_empty() {
        let what = if others.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there is only {}", others.join(", "))
        };
        return Err(ReadError::NoMetrics(format!(
            "{what}; ask for usedmemory, usedmemoryRss, serverLoad, connectedclients, cacheRead, cacheWrite, operationsPerSecond with --filter \"ShardId eq '*'\""
        )));
    }
    let take = |names: &[&str]| names.iter().find_map(|name| found.get(*name).copied());
    Ok(Metrics {
        used_memory: take(&["usedmemory", "usedmemoryrss"]),
        server_load: take(&["serverload", "percentprocessortime"]),
        connections: take(&["connectedclients"]),
        read: take(&["cacheread"]),
        written: take(&["cachewrite"]),
        ops: take(&["operationspersecond"]),
        notes,
    })
}

fn name(metric: &Value) -> Option<&str> {
    let name = metric.get("name")?;
    name.as_str().or_else(|| name.get("value")?.as_str())
}

/// Joins the shards of each point of time, then looks over time.
fn series(metric: &Value, join: Join, name: &str, notes: &mut Vec<String>) -> Option<Series> {
    let mut times: BTreeMap<&str, Point> = BTreeMap::new();
    let mut timeseries = 0;
    for shard in metric.get("timeseries").and_then(Value::as_array).into_iter().flatten() {
        timeseries += 1;
        for point in shard.get("data").and_then(Value::as_array).into_iter().flatten() {
            let Some(time) = point.get("timeStamp").and_then(Value::as_str) else { continue };
            let number = |field: &str| point.get(field).and_then(Value::as_f64);
            times.entry(time).or_default().add(
                number("maximum"),
                number("average").or_else(|| number("total")),
                join,
            );
        }
    }
    let gaps = times.values().filter(|point| point.maximum.or(point.average).is_none()).count();
    if gaps > 0 && gaps < times.len() {
        notes.push(format!("{name} has no value at {gaps} of {} points of time", times.len()));
    }
    let mut maxima: Vec<f64> = times.values().filter_map(|point| point.maximum.or(point.average)).collect();
    maxima.sort_by(f64::total_cmp);
    let averages: Vec<f64> = times.values().filter_map(|point| point.average.or(point.maximum)).collect();
    let rank = (maxima.len() * 95).div_ceil(100).checked_sub(1)?;
    Some(Series {
        peak: *maxima.last()?,
        p95: *maxima.get(rank)?,
        average: averages.iter().sum::<f64>() / averages.len() as f64,
        points: maxima.len(),
        timeseries,
    })
}

#[derive(Default)]
struct Point {
    maximum: Option<f64>,
    average: Option<f64>,
}

impl Point {
    fn add(&mut self, maximum: Option<f64>, average: Option<f64>, join: Join) {
        let joined = |old: Option<f64>, new: Option<f64>| match (old, new) {
            (Some(old), Some(new)) => Some(if join == Join::Sum { old + new } else { old.max(new) }),
            (old, new) => old.or(new),
        };
        self.maximum = joined(self.maximum, maximum);
        self.average = joined(self.average, average);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metric(name: &str, shards: &[&[(Option<f64>, Option<f64>)]]) -> Value {
        let series = shards.iter().map(|points| {
            let data = points.iter().enumerate().map(|(hour, (maximum, average))| {
                json!({"timeStamp": format!("2026-11-01T{hour:02}:00:00Z"), "maximum": maximum, "average": average})
            });
            json!({"data": data.collect::<Vec<_>>()})
        });
        json!({"name": {"value": name}, "timeseries": series.collect::<Vec<_>>()})
    }

    fn read(list: Vec<Value>) -> Metrics {
        metrics(&json!({ "value": list }).to_string()).unwrap()
    }

    #[test]
    fn shards_are_summed_or_the_busiest_counts() {
        let shards: [&[_]; 2] = [
            &[(Some(10.0), Some(4.0)), (Some(30.0), Some(6.0))],
            &[(Some(5.0), Some(1.0)), (Some(1.0), Some(1.0))],
        ];
        let read = read(vec![
            metric("usedmemoryRss", &shards),
            metric("serverLoad", &shards),
            metric("allcacheRead", &shards),
        ]);
        assert_eq!(
            read.used_memory,
            Some(Series { peak: 31.0, p95: 31.0, average: 6.0, points: 2, timeseries: 2 })
        );
        assert_eq!(
            read.server_load,
            Some(Series { peak: 30.0, p95: 30.0, average: 5.0, points: 2, timeseries: 2 })
        );
        assert_eq!(read.read.unwrap().peak, 31.0);
        assert!(read.notes.is_empty());
    }

    #[test]
    fn the_95th_of_a_hundred_hours_is_the_95th() {
        let points: Vec<_> = (1..=100).map(|hour| (Some(f64::from(hour)), None)).collect();
        let read = read(vec![metric("connectedclients", &[&points])]);
        assert_eq!(read.connections.map(|series| (series.p95, series.peak)), Some((95.0, 100.0)));
    }

    #[test]
    fn answers_about_the_same_metric_are_joined() {
        let of = |peaks: [f64; 2]| metric("allusedmemory", &[&peaks.map(|peak| (Some(peak), None))]);
        for list in [[of([9.0, 5.0]), of([1.0, 1.0])], [of([1.0, 1.0]), of([9.0, 5.0])]] {
            let series = read(list.to_vec()).used_memory.unwrap();
            assert_eq!((series.peak, series.average, series.points), (9.0, 4.0, 4));
        }
    }

    #[test]
    fn gaps_and_metrics_without_data_are_told() {
        let gap = metric("serverLoad", &[&[(Some(50.0), Some(20.0)), (None, None)]]);
        let none = metric("usedmemory", &[]);
        let read = read(vec![gap, none]);
        assert_eq!(read.server_load.unwrap().points, 1);
        assert!(read.used_memory.is_none());
        assert!(read.notes.iter().any(|note| note.contains("1 of 2")), "{:?}", read.notes);
        assert!(read.notes.iter().any(|note| note.contains("usedmemory has no data")), "{:?}", read.notes);
    }

    #[test]
    fn what_is_no_metrics_is_refused() {
        let error = |text: &str| metrics(text).unwrap_err().to_string();
        assert!(error("{}").contains("az monitor metrics list"));
        assert!(error(r#"{"value": []}"#).contains("there are none"));
        assert!(error(r#"{"value": [{"name": {"value": "errors"}}]}"#).contains("only errors"));
        assert!(error("x").contains("no JSON"));
    }
}
