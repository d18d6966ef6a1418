//! The values of old and new files, together in one file for each server.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use rdb::file::{Event, Key, Limits, Reader, Writer};
use rdb::{Kind, Unfit, Value, decode, dump, transcode};

use crate::fleet::{self, Ship};
use crate::payloads::kind;
use crate::typed::{assert_same, read};

/// Payloads of all values in all files that can be read, but of modules.
fn payloads() -> Vec<(String, Bytes)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut payloads = Vec::new();
    for entry in fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("a fixture").path();
        if path.extension().is_none_or(|extension| extension != "rdb") {
            continue;
        }
        let mut reader = Reader::new(Limits::default());
        reader.feed(fs::read(&path).expect("a fixture").into());
        reader.finish();
        let mut version = None;
        // Some of the files are to be refused, at their end or at once.
        while let Ok(Some(event)) = reader.next() {
            match (event, version) {
                (Event::Version(found), _) => version = Some(found),
                (Event::Part { bytes, .. }, Some(version)) => {
                    let footer = dump::footer([&bytes[..]], version);
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    let name = format!("{file}:{}", payloads.len());
                    payloads.push((name, Bytes::from([&bytes[..], &footer].concat())));
                }
                _ => {}
            }
        }
    }
    payloads.retain(|(_, payload)| rdb::TypeCode(payload[0]).kind() != Some(Kind::Module));
    payloads
}

#[test]
fn values_of_all_files_pass_into_one_file_for_each_server() {
    let payloads = payloads();
    assert!(payloads.len() > 100, "{}", payloads.len());
    let folder = tempfile::tempdir().expect("a folder");
    for (name, builder) in fleet::builders() {
        let to = Ship::launch(name, builder.clone()).writes;
        let mut writer = Writer::new(to);
        let mut expected: Vec<(&str, Value, _)> = Vec::new();
        for (key, payload) in &payloads {
            let payload = match transcode(payload, to) {
                Ok((payload, _)) => payload,
                // In these files they have expired long ago.
                Err(Unfit::FieldExpiry(_)) => continue,
                Err(other) => panic!("{key} for {name}: {other}"),
            };
            let opened = dump::open(&payload).expect("a whole payload");
            let body = payload.slice_ref(opened.body);
            let value = decode::value_of_version(opened.code, to, &body).expect("a whole value");
            if matches!(&value, Value::Hash(fields) if fields.iter().any(|field| field.expires_at_ms.is_some()))
            {
                continue;
            }
            let head = Key {
                name: Bytes::copy_from_slice(key.as_bytes()),
                code: opened.code,
                expires_at_ms: None,
                idle_s: None,
                frequency: None,
            };
            writer.key(&head, &body);
            expected.push((key, value, opened.code));
        }
        writer.end();
        let path = folder.path().join("dump.rdb");
        fs::write(&path, writer.take()).expect("a file");
        let mut ship = Ship::launch(name, builder.arg("dir", &folder.path().to_string_lossy()));
        ship.server.program().check_rdb(&path).unwrap_or_else(|error| panic!("{error:#}"));
        for (key, value, code) in expected {
            let found = read(&mut ship.connection, key, kind(&value));
            let (value, found) = (without_minus_0(value), without_minus_0(found));
            assert_same(&value, &found, code, &format!("{key} on {name}"));
        }
    }
}

/// Since 7.0 servers make 0 of -0 when they put a small sorted set from its long form into its compact one.
fn without_minus_0(mut value: Value) -> Value {
    if let Value::Zset(members) = &mut value {
        members.iter_mut().for_each(|(_, score)| *score += 0.0);
    }
    value
}
