//! Every Redis type in every encoding and at the borders between them, under awkward names, with and without a
//! time to live. Only commands of Redis 6.0 are used, so that both sides can hold it.

use super::loader::{Entry, Loader};
use super::random::Random;
use super::{Place, Summary};

mod collections;
mod names;
mod streams;
mod strings;

/// Times to live by turns. 3,600,123 ms shows whether milliseconds survive; ten years, whether 32 bits suffice.
const MILLISECONDS_TO_LIVE: [Option<u64>; 8] =
    [None, Some(3_600_000), None, Some(3_600_123), None, Some(10 * 365 * 86_400_000), None, Some(30_000)];

/// Writes the whole catalogue (some 100 keys, 2 MB) `scale` times, with other random bytes and key names each time.
///
/// Every eighth key expires 30 s later; a slow test compares before that or deletes what expires.
pub async fn every_type(place: impl Into<Place>, seed: u64, scale: u32) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let mut random = Random::new(seed);
    for round in 0..scale {
        let suffix = if round == 0 { String::new() } else { format!(":{round}") };
        let entries = strings::entries(&mut random)
            .into_iter()
            .chain(collections::entries(&mut random))
            .chain(streams::entries())
            .map(|entry| entry.renamed(&suffix))
            .chain(names::entries(&mut random, round));
        for (turn, entry) in entries.enumerate() {
            let entry = match MILLISECONDS_TO_LIVE[turn % MILLISECONDS_TO_LIVE.len()] {
                Some(milliseconds) => entry.run("PEXPIRE", [milliseconds.to_string()]),
                None => entry,
            };
            loader.create(entry).await;
        }
    }
    loader.finish().await
}
