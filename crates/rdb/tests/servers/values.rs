//! Random values of every type, at and around the sizes where servers change the encoding.

use std::collections::BTreeSet;

use bytes::Bytes;
use rdb::{Consumer, Entry, Field, Group, Pending, Stream, StreamFacts, StreamId, Value};
use testkit::dataset::random::Random;

/// Numbers of elements: few, around the limits of the compact encodings, many.
const COUNTS: [u64; 10] = [1, 2, 7, 100, 128, 129, 512, 513, 900, 3000];

/// Somewhen in 2033, so that what expires then does not while a test runs.
const LATER: u64 = 2_000_000_000_000;

/// How many values [`value`] has to be asked for to give every type in every size.
pub const ALL: u64 = 6 * COUNTS.len() as u64;

/// The `turn`th value: types and sizes by turns.
pub fn value(random: &mut Random, turn: u64) -> Value {
    let count = COUNTS[(turn / 6) as usize % COUNTS.len()];
    match turn % 6 {
        0 => Value::String(text(random)),
        1 => Value::List((0..count).map(|_| text(random)).collect()),
        2 => Value::Set(distinct(random, count, 3)),
        3 => Value::Zset(distinct(random, count, 4).into_iter().map(|m| (m, score(random))).collect()),
        4 => Value::Hash(hash(random, count)),
        _ => Value::Stream(stream(random, count)),
    }
}

/// A hash of which some fields expire.
pub fn expiring_hash(random: &mut Random, turn: u64) -> Value {
    let mut fields = hash(random, COUNTS[turn as usize % COUNTS.len()]);
    for field in &mut fields {
        field.expires_at_ms = (random.below(3) > 0).then(|| LATER + random.below(1 << 40));
    }
    fields[0].expires_at_ms = Some(LATER);
    Value::Hash(fields)
}

fn hash(random: &mut Random, count: u64) -> Vec<Field> {
    let short = random.below(3) > 0;
    let mut field = |name| {
        let value = if short { short_text(random) } else { text(random) };
        Field { name, value, expires_at_ms: None }
    };
    let mut names = Random::new(count);
    distinct(&mut names, count, 4).into_iter().map(&mut field).collect()
}

/// Texts that servers keep in other ways than others.
fn text(random: &mut Random) -> Bytes {
    match random.below(12) {
        0 => Bytes::from(random.bytes(60 + random.clone().below(10) as usize)),
        1 => Bytes::from(b"abcdefgh".repeat(1 + random.below(200) as usize)),
        2 if random.below(20) == 0 => Bytes::from(random.bytes(8_150 + random.clone().below(100) as usize)),
        3 if random.below(20) == 0 => Bytes::from(random.bytes(16_370 + random.clone().below(20) as usize)),
        4 if random.below(40) == 0 => Bytes::from(b"0123456789ABCDEF".repeat(5_000)),
        _ => short_text(random),
    }
}

/// At most 64 bytes: what compact encodings take.
fn short_text(random: &mut Random) -> Bytes {
    match random.below(10) {
        0 => Bytes::new(),
        1 => Bytes::from(random.bytes(64)),
        2 => Bytes::from("a".repeat(random.clone().below(65) as usize)),
        3 => Bytes::from_static(
            [&b"007"[..], b"-0", b"+1", b" 1", b"1e3", b"-", b"0x1"][random.below(7) as usize],
        ),
        4..=6 => Bytes::from(number(random).to_string()),
        _ => Bytes::from(random.bytes(random.clone().below(30) as usize)),
    }
}

/// Of every width in bits, and the ends of the widths.
fn number(random: &mut Random) -> i64 {
    let bits = random.below(64) as u32;
    let number = (random.bits() as i64) >> bits;
    match random.below(4) {
        0 => i64::MAX >> bits,
        1 => i64::MIN >> bits,
        2 => (i64::MAX >> bits).wrapping_add(1),
        _ => number,
    }
}

/// Members that differ; one time in `integers` they are all integers.
fn distinct(random: &mut Random, count: u64, integers: u64) -> Vec<Bytes> {
    let only_integers = random.below(integers) == 0;
    let short = random.below(3) > 0;
    let mut members = BTreeSet::new();
    while (members.len() as u64) < count {
        let member = if only_integers {
            Bytes::from(number(random).to_string())
        } else if short {
            short_text(random)
        } else {
            text(random)
        };
        // Of some kinds of text there are not many; numbers make them differ.
        let member = if members.contains(&member) { Bytes::from(random.bits().to_string()) } else { member };
        members.insert(member);
    }
    members.into_iter().collect()
}

fn score(random: &mut Random) -> f64 {
    const ODD: [f64; 12] = [
        0.0,
        -0.0,
        0.1,
        f64::INFINITY,
        f64::NEG_INFINITY,
        5e-324,
        f64::MIN_POSITIVE,
        f64::MAX,
        9_007_199_254_740_992.0,
        -4_503_599_627_370_496.0,
        1e21,
        17_179_869_184.000_004,
    ];
    match random.below(4) {
        0 => ODD[random.below(12) as usize],
        1 => number(random) as f64,
        2 => random.fraction() * 1000.0,
        _ => Some(f64::from_bits(random.bits())).filter(|score| !score.is_nan()).unwrap_or(7.0),
    }
}

fn stream(random: &mut Random, count: u64) -> Stream {
    let count = if random.below(8) == 0 { 0 } else { count };
    let names = [short_text(random), short_text(random), Bytes::from_static(b"name")];
    let same = random.below(2) == 0;
    let mut id = StreamId { ms: random.below(1 << 42), seq: random.below(10) };
    let mut entries = Vec::new();
    for _ in 0..count {
        id = next(random, id);
        let fields = if same { 2 } else { 1 + random.below(4) };
        let fields = (0..fields).map(|n| {
            let name = if same { n as usize } else { random.below(3) as usize };
            let value = if random.below(50) == 0 { text(random) } else { short_text(random) };
            // Redis and Valkey do not agree on how such a value is written.
            let value = if value.len() == 16_378 { value.slice(1..) } else { value };
            (names[name].clone(), value)
        });
        entries.push(Entry { id, fields: fields.collect() });
    }
    let first_id = entries.first().map(|entry| entry.id);
    let last_id = if random.below(2) == 0 { id } else { next(random, id) };
    let max_deleted_id = if random.below(2) == 0 { StreamId::default() } else { id };
    let facts = StreamFacts {
        length: count,
        last_id,
        first_id: Some(first_id.unwrap_or_default()),
        max_deleted_id: Some(max_deleted_id),
        entries_added: Some(count + random.below(1000)),
    };
    let groups = (0..random.below(4)).map(|n| group(random, n, &entries, &facts)).collect();
    Stream { entries, facts, groups }
}

/// A stream of three entries; the value in the second one has so many bytes.
pub fn stream_around(random: &mut Random, length: usize) -> Value {
    let value = Bytes::from(random.bytes(length));
    let entry = |seq, value: &Bytes| Entry {
        id: StreamId { ms: 1, seq },
        fields: vec![(Bytes::from_static(b"name"), value.clone())],
    };
    let around = Bytes::from_static(b"around");
    let facts = StreamFacts {
        length: 3,
        last_id: StreamId { ms: 1, seq: 3 },
        first_id: Some(StreamId { ms: 1, seq: 1 }),
        max_deleted_id: Some(StreamId::default()),
        entries_added: Some(3),
    };
    Value::Stream(Stream {
        entries: vec![entry(1, &around), entry(2, &value), entry(3, &around)],
        facts,
        groups: vec![],
    })
}

fn next(random: &mut Random, id: StreamId) -> StreamId {
    match random.below(3) {
        0 => StreamId { ms: id.ms, seq: id.seq + 1 + random.below(1000) },
        1 => StreamId { ms: id.ms + 1, seq: random.below(10) },
        _ => StreamId { ms: id.ms + 1 + random.below(1 << 20), seq: random.bits() >> 20 },
    }
}

fn group(random: &mut Random, number: u64, entries: &[Entry], facts: &StreamFacts) -> Group {
    let consumers: Vec<_> = (0..random.below(5))
        .map(|n| {
            let seen_at_ms = 1_700_000_000_000 + random.below(1 << 30);
            let active_at_ms = (random.below(2) == 0).then(|| seen_at_ms - random.below(1000));
            let name = [&n.to_string().into_bytes()[..], &short_text(random)].concat();
            Consumer { name: name.into(), seen_at_ms, active_at_ms }
        })
        .collect();
    let mut pending = Vec::new();
    if !consumers.is_empty() {
        for entry in entries.iter().filter(|_| random.below(3) == 0).collect::<Vec<_>>() {
            pending.push(Pending {
                id: entry.id,
                delivered_at_ms: 1_700_000_000_000 + random.below(1 << 30),
                deliveries: 1 + number_of_deliveries(random),
                consumer: random.below(consumers.len() as u64) as usize,
            });
        }
    }
    Group {
        name: format!("group {number}").into(),
        last_id: entries.get(entries.len() / 2).map_or(facts.last_id, |entry| entry.id),
        entries_read: (random.below(2) == 0).then(|| random.below(facts.entries_added.unwrap_or(0) + 1)),
        consumers,
        pending,
    }
}

fn number_of_deliveries(random: &mut Random) -> u64 {
    if random.below(10) == 0 { random.below(1 << 40) } else { random.below(20) }
}
