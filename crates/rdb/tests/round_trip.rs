//! What is written for any version is read as the same value.

use bytes::Bytes;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use rdb::{Consumer, Entry, Field, Group, Pending, Stream, StreamFacts, StreamId, TypeCode, Value, Version};
use rdb::{decode, dump, encode};

fn text() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..70).prop_map(Bytes::from),
        3 => any::<i64>().prop_flat_map(|n| (0..64u32).prop_map(move |bits| (n >> bits).to_string().into())),
        1 => (any::<u8>(), 0..9000usize).prop_map(|(byte, times)| vec![byte; times].into()),
        1 => "[-+ 0-9]{0,4}".prop_map(Bytes::from),
    ]
}

fn id() -> impl Strategy<Value = StreamId> {
    (any::<u64>(), any::<u64>()).prop_map(|(ms, seq)| StreamId { ms, seq })
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let fields = prop_oneof![
        vec((text(), text()), 1..4),
        text().prop_map(|text| vec![
            (Bytes::from_static(b"a"), text.clone()),
            (Bytes::from_static(b"b"), text)
        ]),
    ];
    btree_map(id(), fields, 0..150)
        .prop_map(|entries| entries.into_iter().map(|(id, fields)| Entry { id, fields }).collect())
}

fn group() -> impl Strategy<Value = Group> {
    let consumer = (text(), 0..1u64 << 62, proptest::option::of(0..1u64 << 62));
    let pending = btree_map(id(), (0..1u64 << 62, any::<u64>(), any::<prop::sample::Index>()), 0..20);
    (text(), id(), proptest::option::of(0..u64::MAX), vec(consumer, 1..4), pending).prop_map(
        |(name, last_id, entries_read, consumers, pending)| Group {
            name,
            last_id,
            entries_read,
            pending: pending
                .into_iter()
                .map(|(id, (delivered_at_ms, deliveries, consumer))| {
                    let consumer = consumer.index(consumers.len());
                    Pending { id, delivered_at_ms, deliveries, consumer }
                })
                .collect(),
            consumers: consumers
                .into_iter()
                .map(|(name, seen_at_ms, active_at_ms)| Consumer { name, seen_at_ms, active_at_ms })
                .collect(),
        },
    )
}

fn stream() -> impl Strategy<Value = Value> {
    (entries(), id(), id(), any::<u64>(), vec(group(), 0..3)).prop_map(
        |(entries, last_id, max_deleted_id, added, groups)| {
            let facts = StreamFacts {
                length: entries.len() as u64,
                last_id,
                first_id: Some(entries.first().map(|entry| entry.id).unwrap_or_default()),
                max_deleted_id: Some(max_deleted_id),
                entries_added: Some(added),
            };
            Value::Stream(Stream { entries, facts, groups })
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    let score =
        any::<u64>().prop_map(f64::from_bits).prop_filter("no server has it", |score| !score.is_nan());
    let score = prop_oneof![score, any::<i32>().prop_map(f64::from)];
    let hash = |expiry: BoxedStrategy<Option<u64>>| {
        btree_map(text(), (text(), expiry), 1..140).prop_map(|fields| {
            let field = |(name, (value, expires_at_ms))| Field { name, value, expires_at_ms };
            Value::Hash(fields.into_iter().map(field).collect())
        })
    };
    prop_oneof![
        text().prop_map(Value::String),
        vec(text(), 1..300).prop_map(Value::List),
        btree_set(text(), 1..140).prop_map(|members| Value::Set(members.into_iter().collect())),
        btree_set(any::<i64>(), 1..520)
            .prop_map(|members| Value::Set(members.into_iter().map(|n| n.to_string().into()).collect())),
        btree_map(text(), score, 1..140).prop_map(|members| Value::Zset(members.into_iter().collect())),
        hash(Just(None).boxed()),
        hash(proptest::option::of(1..1u64 << 46).boxed()),
        stream(),
    ]
}

/// What is left of a value in a form, in an order of its own.
fn kept(mut value: Value, code: TypeCode) -> Value {
    match &mut value {
        Value::Set(members) => members.sort(),
        Value::Hash(fields) => fields.sort_by(|a, b| a.name.cmp(&b.name)),
        Value::Zset(members) => members.sort_by(|a, b| a.0.cmp(&b.0)),
        Value::Stream(stream) => {
            for group in &mut stream.groups {
                if code == TypeCode::STREAM_1 {
                    group.entries_read = None;
                }
                if code != TypeCode::STREAM_3 {
                    group.consumers.iter_mut().for_each(|consumer| consumer.active_at_ms = None);
                }
            }
            if code == TypeCode::STREAM_1 {
                let StreamFacts { length, last_id, .. } = stream.facts;
                stream.facts = StreamFacts { length, last_id, ..StreamFacts::default() };
            }
        }
        Value::String(_) | Value::List(_) | Value::Module(_) => {}
    }
    value
}

fn bits(value: &Value) -> Vec<u64> {
    match value {
        Value::Zset(members) => members.iter().map(|(_, score)| score.to_bits()).collect(),
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
    #[test]
    fn written_and_read(value in value()) {
        for version in [9, 10, 11, 12, 13, 80] {
            let version = Version(version);
            let expires = matches!(&value, Value::Hash(fields) if fields.iter().any(|f| f.expires_at_ms.is_some()));
            let holds = !expires || (12..80).contains(&version.0);
            let payload = encode::payload(&value, version);
            prop_assert_eq!(payload.is_ok(), holds);
            let Ok(payload) = payload else { continue };
            let opened = dump::open(&payload).expect("a whole payload");
            let body = Bytes::copy_from_slice(opened.body);
            let read = decode::value_of_version(opened.code, version, &body).expect("a whole value");
            let (expected, read) = (kept(value.clone(), opened.code), kept(read, opened.code));
            prop_assert_eq!(&expected, &read);
            prop_assert_eq!(bits(&expected), bits(&read));
        }
    }
}
