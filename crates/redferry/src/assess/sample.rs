//! A look at some of the keys: types, sizes, times to live, beginnings of names. Names and values stay on the source's
//! side of this module.

use std::collections::BTreeMap;
use std::time::Duration;

use client::{Endpoint, Error, Node, Read, SourceConnection};
use planner::assess::{Large, Live, Sample, ttl_band};
use resp::Value;
use tokio::time::Instant;

use super::answer::{ask, refusal, reply};
use super::live::note;
use crate::beginnings::tells_no_key;
use crate::printable::printable;

/// Keys that one SCAN asks for.
const PAGE: u32 = 100;
/// Pages that may be without keys: a table that once was large is mostly empty.
const SPARSE: u64 = 1000;
/// Large keys that are remembered.
const LARGEST: usize = 10;
/// The longest rest after a page.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// Looks at up to `wanted` keys, shared among the nodes that have told their databases, and those, by how many they have.
pub(super) async fn take(
    endpoint: &Endpoint,
    told: &[(&Node, BTreeMap<u32, u64>)],
    wanted: u64,
    live: &mut Live,
) -> Result<(), Error> {
    let (all, _) = live.keys();
    let mut taking = Taking { sample: Sample { of: all, ..Sample::default() }, refused: Vec::new() };
    for (node, databases) in told {
        for (database, keys) in databases {
            let share = (u128::from(wanted) * u128::from(*keys)).div_ceil(u128::from(all.max(1)));
            let share = u64::try_from(share).unwrap_or(wanted).min(wanted - taking.sample.keys);
            if share > 0 {
                let mut connection = endpoint.connect_source(node, *database).await?;
                taking.database(&mut connection, share).await?;
            }
        }
    }
    for refused in taking.refused {
        note(live, refused);
    }
    live.sample = Some(taking.sample);
    Ok(())
}

struct Taking {
    sample: Sample,
    refused: Vec<String>,
}

impl Taking {
    async fn database(&mut self, node: &mut SourceConnection, wanted: u64) -> Result<(), Error> {
        let (mut cursor, mut taken) = (0, 0);
        for _ in 0..wanted.saturating_add(SPARSE) {
            let began = Instant::now();
            let count = u32::try_from(wanted - taken).unwrap_or(PAGE).min(PAGE);
            let page = ask(node, Read::Scan { cursor, count, pattern: None, kind: None }).await?;
            let Some((next, mut keys)) = page_of(&page) else {
                self.refuse(format!(
                    "{}: types, sizes and times to live are not known",
                    refusal("SCAN", &page)
                ));
                return Ok(());
            };
            // A server may send more than it was asked for.
            keys.truncate(usize::try_from(wanted - taken).unwrap_or(usize::MAX));
            taken += self.keys(node, &keys).await?;
            cursor = next;
            if cursor == 0 || taken >= wanted {
                return Ok(());
            }
            // At most half of the time of one connection.
            tokio::time::sleep(began.elapsed().min(LONGEST_REST)).await;
        }
        Ok(())
    }

    /// Asks about the keys of a page all at once; how many keys there still were.
    async fn keys(&mut self, node: &mut SourceConnection, keys: &[&[u8]]) -> Result<u64, Error> {
        let sizes = !self.sample.without_sizes;
        for key in keys {
            node.push(Read::Type(key));
            node.push(Read::PTtl(key));
            if sizes {
                node.push(Read::MemoryUsage(key));
            }
        }
        let mut taken = 0;
        for key in keys {
            let kind = reply(node).await?;
            let ttl = reply(node).await?;
            let bytes = if sizes { reply(node).await? } else { Value::Null };
            if bytes.is_error() {
                self.sample.without_sizes = true;
                self.refuse(format!("{}: sizes of keys are not known", refusal("MEMORY USAGE", &bytes)));
            }
            let (Some(kind), Some(band)) = (kind.as_str(), ttl.as_i64().and_then(ttl_band)) else { continue };
            if kind != "none" && !kind.is_empty() {
                self.key(
                    key,
                    kind,
                    band,
                    bytes.as_i64().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0),
                );
                taken += 1;
            }
        }
        Ok(taken)
    }

    fn key(&mut self, name: &[u8], kind: &str, band: usize, bytes: u64) {
        let sample = &mut self.sample;
        let prefix = told(name);
        sample.keys += 1;
        sample.hash_tagged += u64::from(has_hash_tag(name));
        sample.ttls[band] += 1;
        for share in [
            sample.types.entry(kind.to_owned()).or_default(),
            sample.prefixes.entry(prefix.clone()).or_default(),
        ] {
            share.keys += 1;
            share.bytes = share.bytes.saturating_add(bytes);
        }
        let least = sample.largest.iter().map(|key| key.bytes).min().unwrap_or(0);
        if sample.largest.len() < LARGEST || bytes > least {
            sample.largest.push(Large { prefix, kind: kind.to_owned(), bytes });
            sample.largest.sort_by_key(|key| std::cmp::Reverse(key.bytes));
            sample.largest.truncate(LARGEST);
        }
    }

    fn refuse(&mut self, refused: String) {
        if !self.refused.contains(&refused) {
            self.refused.push(refused);
        }
    }
}

/// The beginning of a name, where that tells no key: a hash tag is most often a name by itself.
fn told(name: &[u8]) -> String {
    let prefix = verify::prefix_of(name);
    if tells_no_key(prefix) && !prefix.contains(&b'{') { printable(prefix) } else { String::new() }
}

/// Whether only a part of the name decides on its slot (Redis Cluster specification, "Hash tags").
fn has_hash_tag(name: &[u8]) -> bool {
    let after = name.iter().position(|byte| *byte == b'{').map(|open| &name[open + 1..]);
    after.and_then(|rest| rest.iter().position(|byte| *byte == b'}')).is_some_and(|length| length > 0)
}

fn page_of(reply: &Value) -> Option<(u64, Vec<&[u8]>)> {
    let [cursor, keys] = reply.as_array()? else { return None };
    let keys = keys.as_array()?.iter().filter_map(Value::as_bytes).collect();
    Some((cursor.as_str()?.parse().ok()?, keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_tags_are_those_that_a_cluster_sees() {
        for tagged in ["{user}:1", "a{b}c", "{a}{b}", "{{}"] {
            assert!(has_hash_tag(tagged.as_bytes()), "{tagged}");
        }
        for plain in ["", "user:1", "{}user", "{user", "}user{", "a{}{b}"] {
            assert!(!has_hash_tag(plain.as_bytes()), "{plain}");
        }
    }

    #[test]
    fn beginnings_that_may_be_a_name_are_kept_back() {
        assert_eq!(told(b"session:abc"), "session:");
        assert_eq!(told(b"{ann}:cart"), "");
        assert_eq!(told(b"ann@example.com:cart"), "");
        assert_eq!(told(b"nothing"), "");
    }
}
