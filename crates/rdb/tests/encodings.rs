//! Encodings that the fixtures have no file of, built by hand, and damage of every kind.

mod support;

use bytes::Bytes;
use proptest::prelude::*;
use rdb::decode::{self, Decoder, Element};
use rdb::file::{Checksum, Event, Limits, Reader};
use rdb::{Problem, StreamId, TypeCode, Value, Version};

use support::{IN_PARTS, elements, events, keys, pieces};

/// A string of up to 63 bytes with its length.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    assert!(length < 64);
    [&[length], bytes].concat()
}

/// A listpack of cells that are texts of up to 63 bytes or small numbers.
enum Cell {
    Text(&'static str),
    Number(u8),
}

fn listpack(cells: &[Cell]) -> Vec<u8> {
    let mut pack = vec![0; 4];
    pack.extend(u16::try_from(cells.len()).expect("few").to_le_bytes());
    for cell in cells {
        let start = pack.len();
        match cell {
            Cell::Text(text) => {
                pack.push(0x80 | text.len() as u8);
                pack.extend(text.as_bytes());
            }
            Cell::Number(number) => pack.push(*number),
        }
        pack.push((pack.len() - start) as u8);
    }
    pack.push(0xff);
    let size = pack.len() as u32;
    pack[..4].copy_from_slice(&size.to_le_bytes());
    pack
}

/// In pieces of every size the same, and refused wherever it is cut and when something follows.
fn checked(code: TypeCode, version: Version, body: &[u8]) -> Vec<Element> {
    let body = Bytes::copy_from_slice(body);
    let whole = elements(code, version, std::slice::from_ref(&body)).expect("it is whole");
    for size in 1..body.len().min(40) {
        assert_eq!(elements(code, version, &pieces(&body, size)).as_ref(), Ok(&whole));
    }
    for length in 0..body.len() {
        let error = elements(code, version, &[body.slice(..length)]).expect_err("cut off");
        assert_eq!((error.problem, error.offset), (Problem::Truncated, length as u64));
    }
    let more = Bytes::from([&body[..], &[0]].concat());
    assert!(decode::value_of_version(code, version, &more).is_err());

    // The reader finds the same end.
    let events = events(&[file(version, &[&[code.0], &string(b"key")[..], &body].concat())], IN_PARTS);
    assert_eq!(keys(&events.expect("a file"))[0].body(), body);
    whole
}

/// A file of that version without a checksum.
fn file(version: Version, records: &[u8]) -> Bytes {
    let head = if version.is_valkey() { "VALKEY0" } else { "REDIS00" };
    let head = format!("{head}{:02}", version.0);
    [head.as_bytes(), records, &[255], &[0; 8]].concat().into()
}

fn of_redis(code: TypeCode, body: &[u8]) -> Vec<Element> {
    checked(code, Version::NEWEST_OF_REDIS, body)
}

fn field(name: &'static str, value: &'static str, expires_at_ms: Option<u64>) -> Element {
    Element::Field(rdb::Field { name: name.into(), value: value.into(), expires_at_ms })
}

#[test]
fn hashes_of_redis_7_4_count_from_their_first_expiry() {
    let mut body = 1_000_u64.to_le_bytes().to_vec();
    body.push(3);
    for (expires, name) in [(1, b"a"), (0, b"b"), (51, b"c")] {
        body.push(expires);
        body.extend(string(name));
        body.extend(string(b"v"));
    }
    let expected = [field("a", "v", Some(1000)), field("b", "v", None), field("c", "v", Some(1050))];
    assert_eq!(of_redis(TypeCode::HASH_METADATA, &body), expected);

    let pack = listpack(&[
        Cell::Text("a"),
        Cell::Text("v"),
        Cell::Number(100),
        Cell::Text("b"),
        Cell::Number(7),
        Cell::Number(0),
    ]);
    let body = [&100_u64.to_le_bytes()[..], &string(&pack)].concat();
    assert_eq!(
        of_redis(TypeCode::HASH_LISTPACK_EX, &body),
        [field("a", "v", Some(100)), field("b", "7", None)]
    );
}

#[test]
fn a_time_that_overflows_is_damage() {
    let mut body = u64::MAX.to_le_bytes().to_vec();
    body[7] = 0x7f;
    body.extend([1, 0x81, 255, 255, 255, 255, 255, 255, 255, 255, 1, b'a', 1, b'v']);
    let error = decode::value(TypeCode::HASH_METADATA, &body.into()).expect_err("no such time");
    assert!(matches!(error.problem, Problem::Malformed(_)));
}

#[test]
fn code_22_is_another_type_in_valkey() {
    let mut body = vec![2];
    for (name, at) in [(b"a", -1_i64), (b"b", 500)] {
        body.extend(string(name));
        body.extend(string(b"v"));
        body.extend(at.to_le_bytes());
    }
    let expected = [field("a", "v", None), field("b", "v", Some(500))];
    assert_eq!(checked(TypeCode::HASH_METADATA_PRE_GA, Version::VALKEY_9, &body), expected);

    let preview = [&[1, 0x41, 0xf4], &string(b"a")[..], &string(b"v")].concat();
    assert_eq!(of_redis(TypeCode::HASH_METADATA_PRE_GA, &preview), [field("a", "v", Some(500))]);

    let error = decode::value_of_version(TypeCode::HASH_METADATA, Version::VALKEY_9, &preview.into());
    assert_eq!(error.expect_err("unknown there").problem, Problem::UnknownCode(24));
}

#[test]
fn quicklists_hold_large_items_by_themselves() {
    let body = [&[2, 1][..], &string(b"large"), &[2], &string(&listpack(&[Cell::Number(5)]))].concat();
    let expected = [Element::Item("large".into()), Element::Item("5".into())];
    assert_eq!(of_redis(TypeCode::LIST_QUICKLIST_2, &body), expected);
    let error = decode::value(TypeCode::LIST_QUICKLIST_2, &vec![1, 3, 0].into()).expect_err("no container");
    assert!(matches!(error.problem, Problem::Malformed(_)));
}

#[test]
fn zipmaps_have_unused_bytes_and_long_values() {
    let long = [b'x'; 300];
    let mut map = [&[2, 1, b'a', 1, 2, b'v', 0, 0, 1, b'b', 254][..], &300_u32.to_le_bytes(), &[0]].concat();
    map.extend(long);
    map.push(255);
    let mut body = vec![0x41, (map.len() - 256) as u8];
    body.extend(map);
    let long = std::str::from_utf8(&long).expect("letters");
    let expected = [field("a", "v", None), {
        Element::Field(rdb::Field {
            name: "b".into(),
            value: Bytes::copy_from_slice(long.as_bytes()),
            expires_at_ms: None,
        })
    }];
    assert_eq!(of_redis(TypeCode::HASH_ZIPMAP, &body), expected);
}

#[test]
fn old_scores_know_the_infinities() {
    let body = [&[3, 1, b'a', 254, 1, b'b', 255, 1, b'c', 3], &b"1.5"[..]].concat();
    let scored = |name: &'static str, score| Element::Scored(name.into(), score);
    let expected = [scored("a", f64::INFINITY), scored("b", f64::NEG_INFINITY), scored("c", 1.5)];
    assert_eq!(of_redis(TypeCode::ZSET, &body), expected);
    for nan in [&[1, 1, b'a', 253][..], &[1, 1, b'a', 3, b'n', b'a', b'n']] {
        assert!(decode::value(TypeCode::ZSET, &Bytes::copy_from_slice(nan)).is_err());
    }
    let nan = [&[1, 1, b'a'][..], &f64::NAN.to_le_bytes()].concat();
    assert!(decode::value(TypeCode::ZSET_2, &nan.into()).is_err());
}

/// A stream of three entries, of which one is deleted, with a group; as encoding 1 to 5.
fn stream(edition: u8) -> Vec<u8> {
    use Cell::{Number, Text};
    let node = listpack(&[
        Number(2),
        Number(1),
        Number(1),
        Text("f"),
        Number(0),
        // With the fields of the node.
        Number(2),
        Number(0),
        Number(0),
        Number(7),
        Number(4),
        // With the fields of the node, and deleted.
        Number(3),
        Number(1),
        Number(0),
        Text("x"),
        Number(4),
        // With its own.
        Number(0),
        Number(2),
        Number(1),
        Number(1),
        Text("g"),
        Text("w"),
        Number(6),
    ]);
    let raw_id = |ms: u64, seq: u64| [ms.to_be_bytes(), seq.to_be_bytes()].concat();
    let mut body = [&[1][..], &string(&raw_id(1000, 5)), &[0x40, node.len() as u8], &node].concat();
    // Length and last id.
    body.extend([2, 0x43, 0xea, 6]);
    if edition >= 2 {
        // First id, largest id deleted, entries added.
        body.extend([0x43, 0xe8, 5, 0x43, 0xe9, 5, 3]);
    }
    body.push(1);
    body.extend(string(b"group"));
    body.extend([0x43, 0xe8, 5]);
    if edition >= 2 {
        // Unknown: -1.
        body.push(0x81);
        body.extend([255; 8]);
    }
    body.push(1);
    body.extend([&raw_id(1000, 5)[..], &77_u64.to_le_bytes(), &[9]].concat());
    body.push(2);
    for (name, own) in [(&b"idle"[..], false), (b"busy", true)] {
        body.extend(string(name));
        body.extend(88_u64.to_le_bytes());
        if edition >= 3 {
            body.extend(if own { 99_i64 } else { -1 }.to_le_bytes());
        }
        body.push(u8::from(own));
        if own {
            body.extend(raw_id(1000, 5));
        }
    }
    if edition >= 5 {
        body.push(0);
    }
    if edition >= 4 {
        // Settings, one producer with one entry, sums.
        body.extend([10, 20, 1]);
        body.extend(string(b"producer"));
        body.push(1);
        body.extend(string(b"once"));
        body.extend([0x43, 0xe8, 5, 1, 0]);
    }
    body
}

#[test]
fn streams_of_every_encoding_hold_the_same() {
    let codes =
        [TypeCode::STREAM_1, TypeCode::STREAM_2, TypeCode::STREAM_3, TypeCode::STREAM_4, TypeCode::STREAM_5];
    for (code, edition) in codes.into_iter().zip(1..) {
        let body = stream(edition);
        of_redis(code, &body);
        let Ok(Value::Stream(stream)) = decode::value(code, &body.into()) else { panic!("a stream") };
        let entry = |ms, seq, name: &'static str, value: &'static str| rdb::Entry {
            id: StreamId { ms, seq },
            fields: vec![(name.into(), value.into())],
        };
        assert_eq!(stream.entries, [entry(1000, 5, "f", "7"), entry(1002, 6, "g", "w")]);
        assert_eq!((stream.facts.length, stream.facts.last_id), (2, StreamId { ms: 1002, seq: 6 }));
        let later = edition >= 2;
        assert_eq!(stream.facts.entries_added, later.then_some(3));
        assert_eq!(stream.facts.first_id, later.then_some(StreamId { ms: 1000, seq: 5 }));
        assert_eq!(stream.facts.max_deleted_id, later.then_some(StreamId { ms: 1001, seq: 5 }));
        let [group] = &stream.groups[..] else { panic!("a group") };
        assert_eq!((&group.name[..], group.entries_read), (&b"group"[..], None));
        let [idle, busy] = &group.consumers[..] else { panic!("two consumers") };
        assert_eq!((&idle.name[..], idle.seen_at_ms, idle.active_at_ms), (&b"idle"[..], 88, None));
        assert_eq!((&busy.name[..], busy.active_at_ms), (&b"busy"[..], (edition >= 3).then_some(99)));
        let [pending] = group.pending[..] else { panic!("an entry") };
        assert_eq!((pending.delivered_at_ms, pending.deliveries, pending.consumer), (77, 9, 1));
    }
}

#[test]
fn pending_entries_have_one_owner() {
    let mut body = stream(1);
    // The last id is that of the consumer's entry.
    let last = body.len() - 1;
    body[last] = 6;
    let error = decode::value(TypeCode::STREAM_1, &body.into()).expect_err("nobody owns it");
    assert!(matches!(error.problem, Problem::Malformed(_)));
}

#[test]
fn arrays_pass_through_and_are_not_decoded() {
    let elements =
        [&[4, 1, 9][..], &[0, 0], &string(b"text"), &[5, 1], &[0; 8], &[6, 2], &[1; 8], &[7, 3, 1, b's']];
    let body = elements.concat();
    let file = file(Version::NEWEST_OF_REDIS, &[&[28, 1, b'k'], &body[..]].concat());
    let events = events(&pieces(&file, 3), Limits::default()).expect("a file");
    assert_eq!(keys(&events)[0].body(), body);
    let error = decode::value(TypeCode::ARRAY, &body.into()).expect_err("not known");
    assert_eq!((error.problem, error.of_type), (Problem::UnknownCode(28), Some(TypeCode::ARRAY)));
}

#[test]
fn modules_are_passed_through_by_their_parts() {
    let parts =
        [&[1, 5][..], &[2, 0x40, 200], &[3, 0, 0, 0, 0], &[4], &[0; 8], &[5, 2, b'h', b'i'], &[0]].concat();
    let body = [&[0x81], &0x1234_u64.to_be_bytes()[..], &parts].concat();
    assert_eq!(of_redis(TypeCode::MODULE_2, &body), [Element::Module(body.clone().into())]);
    let unknown_part = [&[1, 6][..], &[0]].concat();
    assert!(decode::value(TypeCode::MODULE_2, &unknown_part.into()).is_err());
    // Of the preview of Redis 4.0: without opcodes.
    let error =
        events(&[file(Version(8), &[6, 1, b'k', 1, 0])], Limits::default()).expect_err("no known end");
    assert!(matches!(error.problem, Problem::Malformed(_)) && error.of_type.is_none());
}

#[test]
fn tells_and_passes_what_newer_servers_write_between_keys() {
    let key = [&[0][..], &string(b"k"), &string(b"v")].concat();
    let metadata = [&[1][..], b"cls1", &[5], &string(b"note"), &[0]].concat();
    let redis = file(Version(13), &[&[243], &metadata[..], &key].concat());
    let told = events(&pieces(&redis, 2), Limits::default()).expect("a file");
    assert!(matches!(&told[1], Event::KeyMetadata(bytes) if *bytes == metadata));
    assert_eq!(keys(&told).len(), 1);
    assert_eq!(told.last(), Some(&Event::End(Checksum::Absent)));

    let import = [&[243][..], &string(&[b'j'; 40]), &[1, 0, 0x7f, 0xff]].concat();
    let slot = [244, 5, 1, 0];
    let valkey = file(Version::VALKEY_9, &[&import[..], &slot, &key].concat());
    let told = events(&pieces(&valkey, 2), Limits::default()).expect("a file");
    assert_eq!(told[..2], [Event::Version(Version(80)), Event::Slot { slot: 5, keys: 1, expires: 0 }]);
    assert_eq!(keys(&told).len(), 1);

    let preview = [&[246][..], &string(b"lib"), &string(b"LUA"), &[1], &string(b"about"), &string(b"code")];
    let told = events(&[file(Version(10), &preview.concat())], Limits::default()).expect("a file");
    assert_eq!(told[1], Event::Function("#!LUA name=lib\ncode".into()));
}

#[test]
fn expiry_use_and_database_belong_to_the_next_key() {
    let mut records = vec![254, 3, 252];
    records.extend(1_234_567_890_123_u64.to_le_bytes());
    records.extend([248, 60, 0, 1, b'a', 1, b'v', 253]);
    records.extend(1_000_i32.to_le_bytes());
    records.extend([249, 7, 0, 1, b'b', 1, b'v', 0, 1, b'c', 1, b'v']);
    let keys = keys(&events(&[file(Version(9), &records)], Limits::default()).expect("a file"));
    let told = |index: usize| {
        let key = &keys[index].key;
        (keys[index].db, key.expires_at_ms, key.idle_s, key.frequency)
    };
    assert_eq!(told(0), (3, Some(1_234_567_890_123), Some(60), None));
    assert_eq!(told(1), (3, Some(1_000_000), None, Some(7)));
    assert_eq!(told(2), (3, None, None, None));
}

#[test]
fn heads_decide_what_is_read() {
    let refused = |bytes: &'static [u8]| {
        events(&[Bytes::from_static(bytes)], Limits::default()).expect_err("no file").problem
    };
    assert_eq!(refused(b""), Problem::Truncated);
    assert_eq!(refused(b"REDIS"), Problem::Truncated);
    assert_eq!(refused(b"RX"), Problem::NoMagic);
    assert_eq!(refused(b"\x1f\x8b\x08"), Problem::NoMagic);
    assert_eq!(refused(b"REDIS00x9"), Problem::NoMagic);
    assert_eq!(refused(b"REDIS0015"), Problem::UnknownVersion(15));
    assert_eq!(refused(b"REDIS0080"), Problem::UnknownVersion(80));
    assert_eq!(refused(b"VALKEY011"), Problem::UnknownVersion(11));
    assert_eq!(refused(b"VALKEY082"), Problem::UnknownVersion(82));
    let unknown = refused(b"REDIS0009\xfe\x00\xf0");
    assert_eq!(unknown, Problem::UnknownCode(0xf0));
}

#[test]
fn errors_say_where() {
    let file = file(Version(9), &[0, 1, b'k', 1, b'v', 100]);
    let error = events(&[file], Limits::default()).expect_err("no such type");
    assert_eq!((error.problem, error.offset, error.of_type), (Problem::UnknownCode(100), 14, None));
}

#[test]
fn declared_lengths_take_no_memory() {
    // A terabyte that never comes, as plain string, count and LZF.
    let huge = |head: &[u8]| [head, &[0x81, 0, 0, 1, 0, 0, 0, 0, 0]].concat();
    for code in [0, 1, 2, 3, 4, 5, 14, 15, 16, 18, 19, 21, 22, 23] {
        let error = decode::value(TypeCode(code), &huge(&[]).into()).expect_err("it never comes");
        assert!(matches!(error.problem, Problem::Truncated | Problem::TooLong(_)), "{code}: {error}");
        assert!(events(&[file(Version(12), &huge(&[code, 1, b'k']))], Limits::default()).is_err());
    }
    let lzf = huge(&[0xc3, 4]);
    assert!(decode::value(TypeCode::STRING, &[&lzf[..], b"1234"].concat().into()).is_err());
    // A key's name above the limit.
    let limits = Limits { text: 1000, ..Limits::default() };
    let error = events(&[file(Version(12), &huge(&[0]))], limits).expect_err("too long");
    assert_eq!(error.problem, Problem::TooLong(1 << 40));
}

#[test]
fn a_large_string_passes_in_pieces() {
    const SIZE: usize = 5 << 20;
    let body = [&[0x80], &(SIZE as u32).to_be_bytes()[..]].concat();
    let mut decoder = Decoder::new(TypeCode::STRING);
    decoder.feed(body.clone().into());
    let limits = Limits { whole: 1 << 20, ..Limits::default() };
    let mut reader = Reader::new(limits);
    reader.feed(b"REDIS0012\x00\x01k".as_slice().into());
    reader.feed(body.into());
    let piece = Bytes::from(vec![b'x'; 10_000]);
    let (mut told, mut passed, mut sent) = (0, 0, 0);
    while sent < SIZE {
        let piece = piece.slice(..piece.len().min(SIZE - sent));
        sent += piece.len();
        decoder.feed(piece.clone());
        reader.feed(piece);
        while let Some(Element::Text(text)) = decoder.next().expect("a string") {
            told += text.len();
        }
        while let Some(event) = reader.next().expect("a file") {
            if let Event::Part { bytes, .. } = event {
                passed += bytes.len();
            }
        }
        // Nothing is held back.
        assert_eq!(told, sent);
        assert_eq!(passed, 1 + 5 + sent);
    }
    assert!(decoder.is_done());
}

proptest! {
    /// Any bytes are a value or an error, and the same in pieces of any size.
    #[test]
    fn any_bytes_are_a_value_or_an_error(
        code in 0_u8..30,
        body in proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(255), 0..4_u8, any::<u8>()], 0..60),
        size in 1..20_usize,
    ) {
        let body = Bytes::from(body);
        for version in [Version::NEWEST_OF_REDIS, Version::VALKEY_9] {
            let whole = elements(TypeCode(code), version, std::slice::from_ref(&body));
            let cut = elements(TypeCode(code), version, &pieces(&body, size));
            prop_assert_eq!(whole.map_err(|error| error.problem), cut.map_err(|error| error.problem));
        }
        let file = file(Version(12), &[&[code, 1, b'k'], &body[..]].concat());
        let whole = events(std::slice::from_ref(&file), Limits::default());
        prop_assert_eq!(whole, events(&pieces(&file, size), IN_PARTS));
    }
}
