//! Many keys of the kinds that caches mostly hold.

use super::loader::{Entry, Loader};
use super::random::Random;
use super::{Place, Summary};

/// `n` strings `string:0`, `string:1`, ... of `size` random bytes, without a time to live.
pub async fn strings(place: impl Into<Place>, n: u64, size: usize) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let mut random = Random::new(n ^ size as u64);
    for i in 0..n {
        let key = format!("string:{i}");
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(random.bytes(size));
        loader.count("string");
        loader.push(key.as_bytes(), command).await;
    }
    loader.finish().await
}

/// `n` hashes `hash:0`, ... of `fields` fields with 10 to 40 random bytes each.
pub async fn hashes(place: impl Into<Place>, n: u64, fields: usize) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let mut random = Random::new(n ^ fields as u64);
    for i in 0..n {
        loader.create(hash(&mut random, format!("hash:{i}"), fields)).await;
    }
    loader.finish().await
}

/// `n` keys `mixed:0`, ... as a usual cache holds them: 60 % strings, 20 % hashes, the rest lists, sets, sorted
/// sets and some streams. A third of them has between a minute and a week to live.
pub async fn mixed(place: impl Into<Place>, n: u64, seed: u64) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let mut random = Random::new(seed);
    for i in 0..n {
        let key = format!("mixed:{i}");
        let size = 1 + random.below(30) as usize;
        let mut entry = match random.below(100) {
            0..60 => {
                let length = 10 + random.below(490) as usize;
                Entry::new("string", key).run("SET", [random.bytes(length)])
            }
            60..80 => hash(&mut random, key, size),
            80..87 => Entry::new("list", key).run("RPUSH", (0..size).map(|_| short(&mut random))),
            87..94 => Entry::new("set", key).run("SADD", (0..size).map(|_| random.bits().to_string())),
            94..99 => {
                let pairs =
                    (0..size).flat_map(|_| [random.below(100_000).to_string(), random.bits().to_string()]);
                Entry::new("zset", key).run("ZADD", pairs.collect::<Vec<_>>())
            }
            _ => (0..size).fold(Entry::new("stream", key), |entry, n| {
                let id = format!("{}-{n}", 1_700_000_000_000 + i);
                entry.run("XADD", [id.into_bytes(), b"field".to_vec(), short(&mut random)])
            }),
        };
        if random.below(3) == 0 {
            let milliseconds = 60_000 + random.below(7 * 24 * 3_600_000);
            entry = entry.run("PEXPIRE", [milliseconds.to_string()]);
        }
        loader.create(entry).await;
    }
    loader.finish().await
}

fn hash(random: &mut Random, key: String, fields: usize) -> Entry {
    let pairs = (0..fields).flat_map(|field| [format!("field{field}").into_bytes(), short(random)]);
    let pairs: Vec<_> = pairs.collect();
    Entry::new("hash", key).run("HSET", pairs)
}

fn short(random: &mut Random) -> Vec<u8> {
    let length = 10 + random.below(31) as usize;
    random.bytes(length)
}
