//! Writing blobs: whole or not there.

use std::time::Duration;

use blob::{Access, Kind, Writer};
use bytes::Bytes;
use testkit::Azurite;
use testkit::azurite::Sas;
use testkit::relay::{Relay, Way};

use crate::support::{CONTAINER, assert_same, content, key, place, read, told, write, write_options};

#[tokio::test]
async fn round_trips() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container(CONTAINER);
    let large = content(5, 20 << 20);
    for (name, bytes) in [("empty", &b""[..]), ("one", b"R"), ("large", &large)] {
        for gzip in [false, true] {
            let name = format!("{name}-{gzip}");
            let url = azurite.url(CONTAINER, &name);
            let summary = write(&url, &key(), bytes, write_options(gzip, false)).await.unwrap();
            let stored = azurite.get_blob(CONTAINER, &name).unwrap();
            assert_eq!(
                (summary.written, summary.stored),
                (bytes.len() as u64, stored.len() as u64),
                "{name}"
            );
            assert_eq!(stored.starts_with(b"\x1f\x8b"), gzip);
            if !gzip {
                assert_same(&stored, bytes, &name);
            }
            assert_same(&read(&url, &key()).await.unwrap(), bytes, &name);
        }
    }

    let url = azurite.url(CONTAINER, "one-false");
    let error = write(&url, &key(), b"other", write_options(false, false)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::AlreadyExists, "{error}");
    assert_eq!(azurite.get_blob(CONTAINER, "one-false").unwrap(), b"R");
    write(&url, &key(), b"other", write_options(false, true)).await.unwrap();
    assert_eq!(azurite.get_blob(CONTAINER, "one-false").unwrap(), b"other");

    // Who may not read is told at the end that there is something.
    let sas = azurite.sas(Sas { container: CONTAINER, blob: None, permissions: "cw", expires_in: 3600 });
    let nothing = Access::from_variables(|_| None);
    let created = format!("{}?{sas}", azurite.url(CONTAINER, "created"));
    write(&created, &nothing, b"by SAS", write_options(false, false)).await.unwrap();
    assert_eq!(azurite.get_blob(CONTAINER, "created").unwrap(), b"by SAS");
    let error = write(&created, &nothing, b"again", write_options(false, false)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::AlreadyExists, "{}", told(&error));
    assert_eq!(azurite.get_blob(CONTAINER, "created").unwrap(), b"by SAS");

    // Somebody else was faster while this upload was on its way.
    let url = azurite.url(CONTAINER, "race");
    let mut writer = Writer::create(&place(&url), &key(), write_options(false, false)).await.unwrap();
    writer.write(Bytes::from_static(b"slow")).await.unwrap();
    azurite.put_blob(CONTAINER, "race", b"fast");
    let error = writer.finish().await.unwrap_err();
    assert_eq!(error.kind(), Kind::AlreadyExists, "{error}");
    assert_eq!(azurite.get_blob(CONTAINER, "race").unwrap(), b"fast");
}

#[tokio::test]
async fn interrupted_uploads() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container(CONTAINER);
    azurite.put_blob(CONTAINER, "old", b"old");
    let large = content(6, 20 << 20);

    // Dropped in the middle: nothing, or what was there before.
    for (name, overwrite) in [("new", false), ("old", true)] {
        let place = place(&azurite.url(CONTAINER, name));
        let mut writer = Writer::create(&place, &key(), write_options(false, overwrite)).await.unwrap();
        writer.write(Bytes::from(large.clone())).await.unwrap();
        drop(writer);
    }
    assert_eq!(azurite.list_blobs(CONTAINER), ["old"]);
    assert_eq!(azurite.get_blob(CONTAINER, "new"), None);
    assert_eq!(azurite.get_blob(CONTAINER, "old").unwrap(), b"old");

    // Cut connections: whole all the same. 12 MB carry a block of 8 MiB and not two.
    let relay = Relay::to("127.0.0.1", azurite.port());
    relay.cut_after(Way::ToServer, 12_000_000);
    let url = azurite.url_through(relay.port(), CONTAINER, "cut");
    write(&url, &key(), &large, write_options(false, false)).await.unwrap();
    assert_same(&azurite.get_blob(CONTAINER, "cut").unwrap(), &large, "cut");
    assert!(relay.accepted() > 2, "nothing was cut");

    // A lost reply to the very last request: the blob is there, and known to be this one.
    relay.heal();
    let url = azurite.url_through(relay.port(), CONTAINER, "lost");
    let mut writer = Writer::create(&place(&url), &key(), write_options(false, false)).await.unwrap();
    let before = relay.bytes(Way::ToClient);
    writer.write(Bytes::from(large[..8 << 20].to_vec())).await.unwrap();
    while relay.bytes(Way::ToClient) == before {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // The block is through, so the next reply is the one to the block list.
    relay.lose_next_reply();
    writer.finish().await.unwrap();
    assert_same(&azurite.get_blob(CONTAINER, "lost").unwrap(), &large[..8 << 20], "lost");
    let lists = azurite
        .log()
        .lines()
        .filter(|line| line.contains("PUT /devstoreaccount1/dumps/lost?comp=blocklist"))
        .count();
    assert_eq!(lists, 2, "the reply was not lost");

    // Nobody answers any more: an error, and nothing under the name.
    relay.heal();
    let url = azurite.url_through(relay.port(), CONTAINER, "gone");
    let mut options = write_options(false, false);
    options.network.give_up = Duration::from_secs(1);
    let mut writer = Writer::create(&place(&url), &key(), options).await.unwrap();
    relay.cut();
    relay.refuse(true);
    let mut failed = None;
    for _ in 0..8 {
        if let Err(error) = writer.write(Bytes::from(large.clone())).await {
            failed = Some(error);
            break;
        }
    }
    assert_eq!(failed.expect("160 MB went nowhere").kind(), Kind::Unreachable);
    assert!(writer.write(Bytes::from_static(b"x")).await.is_err());
    assert!(writer.finish().await.is_err());
    assert_eq!(azurite.get_blob(CONTAINER, "gone"), None);
}
