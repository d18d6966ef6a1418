//! Files of all versions, with what the tests of Redis' own librdb expect of them.

mod support;

use bytes::Bytes;
use rdb::decode;
use rdb::file::{Checksum, Event, Limits};
use rdb::{Entry as StreamEntry, Kind, Problem, Stream, StreamId, TypeCode, Value, Version, dump};
use serde_json::{Map, Value as Json, json};

use support::{IN_PARTS, elements, events, fixture, fixtures, keys, pieces, split};

/// Files that must be refused, and why.
const REFUSED: [(&str, Problem); 2] =
    [("future_v19.rdb", Problem::UnknownVersion(99)), ("invalid_chksum_v8.rdb", Problem::Checksum)];

/// What a file of expectations says of a file's keys.
enum Level {
    /// The values.
    Values,
    /// The values of some keys.
    Some,
    /// The payloads.
    Raw,
    /// The payloads of some keys.
    SomeRaw,
    /// The strings that the values are stored as, uncompressed.
    Stored,
}

use Level::{Raw, SomeRaw, Stored, Values};

const EXPECTED: &[(&str, &str, Level)] = &[
    ("cluster_slot_info.rdb", "cluster_slot_info.json", Values),
    ("function2.rdb", "function2.json", Values),
    ("hash_v3.rdb", "hash_data.json", Values),
    ("hash_v3.rdb", "hash_struct.json", Values),
    ("hash_v3.rdb", "plain_hash_data.json", Values),
    ("hash_v3.rdb", "plain_hash_struct.json", Values),
    ("hash_v3.rdb", "hash_raw.json", Raw),
    ("hash_with_expire_v12.rdb", "hash_ex_v12_data.json", Values),
    ("hash_lp_with_hexpire_v12.rdb", "hash_lp_ex_v12_data.json", Values),
    ("hash_lp_v11.rdb", "hash_lp_v11_data.json", Values),
    ("hash_lp_v11.rdb", "hash_lp_v11_struct.json", Stored),
    ("hash_lp_v11.rdb", "hash_lp_v11_raw.json", Raw),
    ("hash_zl_v6.rdb", "hash_zl_v6_data.json", Values),
    ("hash_zl_v6.rdb", "hash_zl_v6_struct.json", Stored),
    ("hash_zl_v6.rdb", "hash_zl_v6_raw.json", Raw),
    ("hash_zm_v2.rdb", "hash_zm_v2_data.json", Values),
    ("hash_zm_v2.rdb", "hash_zm_v2_struct.json", Stored),
    ("hash_zm_v2.rdb", "hash_zm_v2_raw.json", Raw),
    ("mem_policy_lfu.rdb", "mem_policy_lfu.json", Values),
    ("mem_policy_lru.rdb", "mem_policy_lru.json", Values),
    ("module.rdb", "module_raw.json", Raw),
    ("module_aux.rdb", "module_aux_data.json", Values),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_data.json", Values),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_no_aux.json", Values),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_struct.json", Stored),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_raw.json", Raw),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_2filters.json", Level::Some),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_subset_list.json", Level::Some),
    ("multiple_lists_strings.rdb", "multiple_lists_strings_subset_str.json", SomeRaw),
    ("plain_list_v6.rdb", "plain_list_v6_data.json", Values),
    ("plain_list_v6.rdb", "plain_list_v6_raw.json", Raw),
    ("plain_set_v6.rdb", "plain_set_v6_data.json", Values),
    ("plain_set_v6.rdb", "plain_set_v6_struct.json", Values),
    ("plain_set_v6.rdb", "plain_set_v6_raw.json", Raw),
    ("plain_zset_2_v11.rdb", "plain_zset_2_v11_data.json", Values),
    ("plain_zset_2_v11.rdb", "plain_zset_2_v11_struct.json", Values),
    ("plain_zset_2_v11.rdb", "plain_zset_2_v11_raw.json", Raw),
    ("plain_zset_v6.rdb", "plain_zset_v6_data.json", Values),
    ("plain_zset_v6.rdb", "plain_zset_v6_struct.json", Values),
    ("plain_zset_v6.rdb", "plain_zset_v6_raw.json", Raw),
    ("quicklist.rdb", "quicklist_data.json", Values),
    ("quicklist.rdb", "quicklist_struct.json", Stored),
    ("quicklist.rdb", "quicklist_raw.json", Raw),
    ("quicklist2_v11.rdb", "single_list_data.json", Values),
    ("quicklist2_v11.rdb", "single_list_struct.json", Stored),
    ("quicklist2_v11.rdb", "single_list_raw.json", Raw),
    ("set_is_v11.rdb", "set_is_v11_data.json", Values),
    ("set_is_v11.rdb", "set_is_v11_struct.json", Stored),
    // By its name raw, by what it holds as stored.
    ("set_is_v11.rdb", "set_is_v11_raw.json", Stored),
    ("set_lp_v11.rdb", "set_lp_v11_data.json", Values),
    ("set_lp_v11.rdb", "set_lp_v11_struct.json", Stored),
    ("set_lp_v11.rdb", "set_lp_v11_raw.json", Stored),
    ("set_not_expired_v11.rdb", "set_not_expired.json", Values),
    ("single_key.rdb", "single_key_data.json", Values),
    ("single_key.rdb", "single_key_struct.json", Values),
    ("single_key.rdb", "single_key_raw.json", Raw),
    ("stream_v11.rdb", "stream_data_with_meta.json", Values),
    ("string_int_encoded.rdb", "string_int_encoded.json", Values),
    ("ziplist_v3.rdb", "ziplist_data.json", Values),
    ("ziplist_v3.rdb", "ziplist_struct.json", Stored),
    ("ziplist_v3.rdb", "ziplist_raw.json", Raw),
    ("zset_lp_v11.rdb", "zset_lp_v11_data.json", Values),
    ("zset_lp_v11.rdb", "zset_lp_v11_struct.json", Stored),
    ("zset_lp_v11.rdb", "zset_lp_v11_raw.json", Raw),
    ("zset_zl_v6.rdb", "zset_zl_v6_data.json", Values),
    ("zset_zl_v6.rdb", "zset_zl_v6_struct.json", Stored),
    ("zset_zl_v6.rdb", "zset_zl_v6_raw.json", Raw),
];

fn read(name: &str) -> Vec<Event> {
    events(&[fixture(name)], Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn accepted() -> impl Iterator<Item = String> {
    fixtures().into_iter().filter(|name| !REFUSED.iter().any(|(refused, _)| refused == name))
}

/// An object without its braces, in which every character is a byte.
fn expectations(name: &str) -> Map<String, Json> {
    let text = String::from_utf8(fixture(name).to_vec()).expect("it is UTF-8");
    serde_json::from_str(&format!("{{{text}}}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn bytes(text: &Json) -> Bytes {
    let text = text.as_str().expect("a text");
    text.chars().map(|letter| u8::try_from(u32::from(letter)).expect("a byte")).collect()
}

#[test]
fn holds_what_is_expected() {
    for (file, name, level) in EXPECTED {
        let events = read(file);
        let keys = keys(&events);
        let mut expected = expectations(name);
        if let Some(Json::Object(aux)) = expected.remove("__aux__") {
            assert_eq!(aux_fields(&events), aux, "{name}");
        }
        for special in ["__func__", "__dbsize__", "__slotinfo__"] {
            expected.remove(special);
        }
        if !matches!(level, Level::Some | SomeRaw) {
            assert_eq!(keys.len(), expected.len(), "{name}");
        }
        for (key, expected) in expected {
            let entry = keys.iter().find(|entry| text(&entry.key.name) == key);
            let entry = entry.unwrap_or_else(|| panic!("{name}: {key:?} is not in {file}"));
            let value = decode::value(entry.code(), &entry.body()).expect("it is a value");
            match level {
                Values | Level::Some => assert_value(&value, &expected, name),
                Raw | SomeRaw => assert_eq!(entry.payload, bytes(&expected), "{name}: {key}"),
                Stored => match &expected {
                    Json::Array(blobs) => {
                        let body = stored(entry.code(), blobs);
                        assert_eq!(decode::value(entry.code(), &body), Ok(value), "{name}: {key}");
                    }
                    other => assert_value(&value, other, name),
                },
            }
        }
    }
}

fn aux_fields(events: &[Event]) -> Map<String, Json> {
    let fields = events.iter().filter_map(|event| match event {
        Event::Aux(name, value) => Some((text(name), Json::from(text(value)))),
        _ => None,
    });
    fields.collect()
}

/// A body with these strings uncompressed.
fn stored(code: TypeCode, blobs: &[Json]) -> Bytes {
    let mut body = Vec::new();
    if matches!(code, TypeCode::LIST_QUICKLIST | TypeCode::LIST_QUICKLIST_2) {
        body.push(u8::try_from(blobs.len()).expect("some blobs"));
    }
    for blob in blobs {
        if code == TypeCode::LIST_QUICKLIST_2 {
            body.push(2);
        }
        let blob = bytes(blob);
        body.push(0x80);
        body.extend(u32::try_from(blob.len()).expect("a short blob").to_be_bytes());
        body.extend(blob);
    }
    body.into()
}

fn assert_value(value: &Value, expected: &Json, name: &str) {
    let texts = |items: &[Bytes]| items.iter().map(|item| text(item)).collect::<Vec<_>>();
    match value {
        Value::String(string) => assert_eq!(&json!(text(string)), expected, "{name}"),
        Value::List(items) | Value::Set(items) => assert_eq!(&json!(texts(items)), expected, "{name}"),
        Value::Hash(fields) => {
            let fields = fields.iter().map(|field| (text(&field.name), json!(text(&field.value))));
            assert_eq!(&Json::Object(fields.collect()), expected, "{name}");
        }
        Value::Zset(members) => {
            let expected = expected.as_object().expect("an object");
            assert_eq!(members.len(), expected.len(), "{name}");
            for (member, score) in members {
                let expected: f64 = bytes_to_number(&expected[&text(member)]);
                // The expectations have 17 digits at most.
                assert!((score - expected).abs() <= expected.abs() * 1e-15 || *score == expected, "{name}");
            }
        }
        Value::Stream(stream) => assert_eq!(&stream_json(stream), expected, "{name}"),
        Value::Module(_) => panic!("{name}: modules are compared raw"),
    }
}

fn bytes_to_number(json: &Json) -> f64 {
    json.as_str().and_then(|text| text.parse().ok()).expect("a number")
}

fn id(id: StreamId) -> String {
    format!("{}-{}", id.ms, id.seq)
}

fn stream_json(stream: &Stream) -> Json {
    let entry = |entry: &StreamEntry| {
        let items = entry.fields.iter().map(|(name, value)| (text(name), json!(text(value))));
        json!({ "id": id(entry.id), "items": items.collect::<Map<_, _>>() })
    };
    let group = |group: &rdb::Group| {
        let consumer = |(index, consumer): (usize, &rdb::Consumer)| {
            let mut json = json!({
                "name": text(&consumer.name), "activeTime": consumer.active_at_ms, "seenTime": consumer.seen_at_ms,
            });
            let own = group.pending.iter().filter(|pending| pending.consumer == index);
            let own: Vec<_> = own.map(|pending| json!({ "id": id(pending.id) })).collect();
            if !own.is_empty() {
                json["pending"] = own.into();
            }
            json
        };
        let pending = group.pending.iter().map(|pending| {
            json!({ "sent": pending.delivered_at_ms, "id": id(pending.id), "count": pending.deliveries })
        });
        json!({
            "name": text(&group.name), "lastid": id(group.last_id), "entriesRead": group.entries_read,
            "pending": pending.collect::<Vec<_>>(),
            "consumers": group.consumers.iter().enumerate().map(consumer).collect::<Vec<_>>(),
        })
    };
    json!({
        "entries": stream.entries.iter().map(entry).collect::<Vec<_>>(),
        "length": stream.facts.length,
        "entriesAdded": stream.facts.entries_added,
        "firstID": stream.facts.first_id.map(id),
        "lastID": id(stream.facts.last_id),
        "maxDelEntryID": stream.facts.max_deleted_id.map(id),
        "groups": stream.groups.iter().map(group).collect::<Vec<_>>(),
    })
}

#[test]
fn tells_what_is_no_key() {
    let events = read("cluster_slot_info.rdb");
    assert!(events.contains(&Event::Version(Version(12))));
    assert!(events.contains(&Event::Slot { slot: 7638, keys: 1, expires: 0 }));
    assert!(events.contains(&Event::Sizes { keys: 1, expires: 0 }));
    assert_eq!(events.last(), Some(&Event::End(Checksum::Right)));

    let libraries: Vec<_> = read("function2.rdb")
        .into_iter()
        .filter_map(|event| if let Event::Function(code) = event { Some(json!(text(&code))) } else { None })
        .collect();
    let expected = expectations("function2.json");
    let expected = expected["__func__"].as_object().expect("an object");
    assert_eq!(libraries.iter().collect::<Vec<_>>(), expected.values().collect::<Vec<_>>());

    let keys_of = |name| keys(&read(name)).into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    assert!(keys_of("mem_policy_lfu.rdb").iter().all(|key| key.frequency.is_some() && key.idle_s.is_none()));
    assert!(keys_of("mem_policy_lru.rdb").iter().all(|key| key.idle_s.is_some() && key.frequency.is_none()));
    assert!(keys_of("set_expired_v11.rdb").iter().all(|key| key.expires_at_ms.is_some()));

    let expected = fixture("multiple_dbs_data.json");
    let expected: Vec<Map<String, Json>> = serde_json::from_slice(&expected).expect("it is JSON");
    let read = keys(&read("multiple_dbs.rdb"));
    assert_eq!(read.len(), expected.len());
    for entry in read {
        let value = decode::value(entry.code(), &entry.body()).expect("a value");
        assert_value(&value, &expected[entry.db as usize][&text(&entry.key.name)], "multiple_dbs");
    }
}

#[test]
fn keeps_what_modules_wrote() {
    let [key] = &keys(&read("module.rdb"))[..] else { panic!("one key") };
    let Ok(Value::Module(value)) = decode::value(key.code(), &key.body()) else { panic!("a module's") };
    assert_eq!(value, key.body());
    let id = u64::from_be_bytes(*value[1..].first_chunk().expect("an id"));
    assert_eq!(rdb::module_name(id), ("test__rdb".into(), 1));

    let aux: Vec<Bytes> = read("module_aux_v12.rdb")
        .into_iter()
        .filter_map(|event| if let Event::ModuleAux(bytes) = event { Some(bytes) } else { None })
        .collect();
    let [before, after] = &aux[..] else { panic!("aux before and behind the keys") };
    assert!(text(before).contains("auxiliary_data_before_keyspace"));
    assert!(text(after).contains("auxiliary_data_after_keyspace"));
    assert!(aux.iter().all(|aux| aux[0] == 0x81 && aux.last() == Some(&0)));
}

#[test]
fn fields_keep_their_expiry() {
    let times = |name| {
        let [key] = &keys(&read(name))[..] else { panic!("one key") };
        let Ok(Value::Hash(fields)) = decode::value(key.code(), &key.body()) else { panic!("a hash") };
        fields.into_iter().map(|field| (text(&field.name), field.expires_at_ms)).collect::<Vec<_>>()
    };
    let named = |name: &str, time| (name.to_owned(), time);
    // The times are in the files: of the year 4199, the latest that Redis takes.
    let plain = [
        named("field1", Some(0x3fff_ffff_e4a7)),
        named("field3", None),
        named("field2", Some(0x3fff_ffff_e24f)),
    ];
    assert_eq!(times("hash_with_expire_v12.rdb"), plain);
    let packed = [
        named("field2", Some(0x3fff_fffe_ee8f)),
        named("field1", Some(0x3fff_ffff_ffff)),
        named("field3", None),
    ];
    assert_eq!(times("hash_lp_with_hexpire_v12.rdb"), packed);
}

#[test]
fn the_commands_that_rebuild_a_stream_hold_its_entries() {
    let [key] = &keys(&read("stream_v11.rdb"))[..] else { panic!("one key") };
    let Ok(Value::Stream(stream)) = decode::value(key.code(), &key.body()) else { panic!("a stream") };
    for name in ["stream_v11_target_ver_6.2.resp", "stream_v11_target_ver_7.2.resp"] {
        let commands = commands(&fixture(name));
        let of = |verb: &'static str| commands.iter().filter(move |command| command[0] == verb);
        let added: Vec<Vec<String>> = of("XADD").map(|command| command[2..].to_vec()).collect();
        let expected = stream.entries.iter().map(|entry| {
            let fields = entry.fields.iter().flat_map(|(name, value)| [text(name), text(value)]);
            [id(entry.id)].into_iter().chain(fields).collect::<Vec<_>>()
        });
        assert_eq!(added, expected.collect::<Vec<_>>());
        let groups = of("XGROUP").filter(|command| command[1].eq_ignore_ascii_case("create"));
        let groups: Vec<_> = groups.map(|command| (command[3].clone(), command[4].clone())).collect();
        let expected = stream.groups.iter().map(|group| (text(&group.name), id(group.last_id)));
        assert_eq!(groups, expected.collect::<Vec<_>>());
        let claims = of("XCLAIM").count();
        assert_eq!(claims, stream.groups.iter().map(|group| group.pending.len()).sum::<usize>());
    }
}

fn commands(resp: &[u8]) -> Vec<Vec<String>> {
    let mut lines =
        std::str::from_utf8(resp).expect("it is UTF-8").split("\r\n").filter(|line| !line.is_empty());
    let mut commands = Vec::new();
    while let Some(head) = lines.next() {
        let count = head.strip_prefix('*').and_then(|count| count.parse().ok()).expect("a count");
        let argument = |_| lines.nth(1).expect("an argument").to_owned();
        commands.push((0..count).map(argument).collect());
    }
    commands
}

#[test]
fn refuses_what_must_be_refused() {
    for (name, problem) in REFUSED {
        let error = events(&[fixture(name)], Limits::default()).expect_err(name);
        assert_eq!(error.problem, problem, "{name}");
    }
}

#[test]
fn every_value_is_read_as_elements_and_as_payload() {
    for name in accepted() {
        let events = read(&name);
        for entry in keys(&events) {
            let whole = decode::value(entry.code(), &entry.body()).unwrap_or_else(|e| panic!("{name}: {e}"));
            let known = entry.code().kind().expect("a known kind");
            assert_eq!(known == Kind::Module, matches!(whole, Value::Module(_)));
            let at_once = elements(entry.code(), Version(12), &[entry.body()]).expect("elements");
            for size in [1, 2, 3, 7, 64] {
                let cut = elements(entry.code(), Version(12), &pieces(&entry.body(), size));
                assert_eq!(cut.as_ref(), Ok(&at_once), "{name} in pieces of {size}");
            }
            assert_eq!(at_once.len(), count_of(&whole));
            let footer = dump::footer([&entry.payload[..]], Version(12));
            let payload = [&entry.payload[..], &footer].concat();
            let opened = dump::open(&payload).expect("a payload");
            assert_eq!((opened.code, opened.body), (entry.code(), &entry.body()[..]));
        }
    }
}

fn count_of(value: &Value) -> usize {
    match value {
        Value::String(_) | Value::Module(_) => 1,
        Value::List(items) | Value::Set(items) => items.len(),
        Value::Zset(members) => members.len(),
        Value::Hash(fields) => fields.len(),
        Value::Stream(stream) => stream.entries.len() + 1 + stream.groups.len(),
    }
}

#[test]
fn pieces_of_any_size_give_the_same_events() {
    for name in accepted() {
        let file = fixture(&name);
        let whole = read(&name);
        assert_eq!(events(std::slice::from_ref(&file), IN_PARTS), Ok(whole.clone()), "{name}");
        for size in [1, 2, 3, 7, 64, 1000] {
            assert_eq!(
                events(&pieces(&file, size), Limits::default()),
                Ok(whole.clone()),
                "{name} by {size}"
            );
            assert_eq!(
                events(&pieces(&file, size), IN_PARTS),
                Ok(whole.clone()),
                "{name} by {size} in parts"
            );
        }
        let step = 1 + file.len() / 600;
        for at in (0..file.len()).step_by(step) {
            assert_eq!(events(&split(&file, at), Limits::default()), Ok(whole.clone()), "{name} at {at}");
            assert_eq!(events(&split(&file, at), IN_PARTS), Ok(whole.clone()), "{name} at {at} in parts");
        }
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused_wherever() {
    for name in accepted() {
        let file = fixture(&name);
        let step = 1 + file.len() / 2000;
        for length in (0..file.len()).step_by(step) {
            let error = events(&[file.slice(..length)], Limits::default()).expect_err(&name);
            assert_eq!((error.problem, error.offset), (Problem::Truncated, length as u64), "{name}");
        }
    }
}

#[test]
fn every_changed_bit_is_found() {
    for name in accepted() {
        let file = fixture(&name);
        let end = read(&name).pop();
        let step = 1 + file.len() / 300;
        for bit in (0..file.len() * 8).step_by(step) {
            let mut changed = file.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            let read = events(&[changed.into()], Limits::default());
            // Without a checksum some changes make another file that is right; none makes the reader panic.
            assert!(read.is_err() || end != Some(Event::End(Checksum::Right)), "{name}: bit {bit}");
        }
    }
}

#[test]
fn zeros_behind_the_end_are_padding_and_anything_else_is_not() {
    for name in accepted() {
        let file = fixture(&name);
        let whole = read(&name);
        let mut padded = file.to_vec();
        padded.resize(file.len().next_multiple_of(512) + 512, 0);
        let mut spoiled = padded.clone();
        assert_eq!(events(&[padded.into()], Limits::default()), Ok(whole));
        let last = spoiled.len() - 1;
        spoiled[last] = 1;
        let error = events(&pieces(&spoiled.into(), 100), Limits::default()).expect_err(&name);
        assert_eq!(error.offset, last as u64);
    }
}
