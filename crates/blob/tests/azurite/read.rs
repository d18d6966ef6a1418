//! Reading blobs: exact bytes, whatever happens to the connection.

use std::io::Write;
use std::time::{Duration, Instant};

use blob::{Access, Kind, Network, ReadOptions, Reader, Secret};
use flate2::Compression;
use flate2::write::GzEncoder;
use testkit::Azurite;
use testkit::azurite::Sas;
use testkit::relay::{Relay, Way};

use crate::support::{CONTAINER, assert_same, content, key, open, place, read, rest, told};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn blobs_of_every_kind() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container(CONTAINER);
    let large = content(1, 20 << 20);
    for (name, bytes) in [("empty", &b""[..]), ("one", b"R"), ("half-magic", b"\x1f"), ("large", &large)] {
        azurite.put_blob(CONTAINER, name, bytes);
        let reader = open(&azurite.url(CONTAINER, name), &key()).await.unwrap();
        assert_eq!((reader.size(), reader.is_gzip()), (Some(bytes.len() as u64), false), "{name}");
        assert_same(&rest(reader).await.unwrap(), bytes, name);
    }

    let mut members = gzip(&large[..5_000_000]);
    members.extend(gzip(b""));
    members.extend(gzip(&large[5_000_000..]));
    for (name, bytes) in [("dump.rdb.gz", gzip(&large)), ("members", members.clone())] {
        azurite.put_blob(CONTAINER, name, &bytes);
        let reader = open(&azurite.url(CONTAINER, name), &key()).await.unwrap();
        assert_eq!((reader.size(), reader.is_gzip()), (Some(bytes.len() as u64), true), "{name}");
        assert_same(&rest(reader).await.unwrap(), &large, name);
    }

    // Pages are padded with zeros. Those behind gzip belong to nothing, the others are the caller's business.
    let size = azurite.put_page_blob(CONTAINER, "pages", &large[..9_000_001]);
    let found = read(&azurite.url(CONTAINER, "pages"), &key()).await.unwrap();
    assert_eq!((found.len(), size), (9_000_448, 9_000_448));
    assert_same(&found[..9_000_001], &large[..9_000_001], "pages");
    assert!(found[9_000_001..].iter().all(|byte| *byte == 0));
    azurite.put_page_blob(CONTAINER, "pages.gz", &members);
    assert_same(&read(&azurite.url(CONTAINER, "pages.gz"), &key()).await.unwrap(), &large, "pages.gz");

    azurite.put_blob(CONTAINER, "cut.gz", &members[..members.len() - 1]);
    let error = read(&azurite.url(CONTAINER, "cut.gz"), &key()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Damaged);
    assert!(told(&error).contains("ends early"), "{}", told(&error));

    azurite.put_blob(CONTAINER, "folder/a%20b%2Bc%26.rdb", b"named");
    assert_eq!(read(&azurite.url(CONTAINER, "folder/a%20b%2Bc%26.rdb"), &key()).await.unwrap(), b"named");

    let through_variables = Access::from_variables(|name| {
        let text = format!(
            "DefaultEndpointsProtocol=http;AccountName={};AccountKey={};BlobEndpoint=http://127.0.0.1:{}/{0};",
            testkit::azurite::ACCOUNT,
            testkit::azurite::KEY,
            azurite.port()
        );
        (name == "AZURE_STORAGE_CONNECTION_STRING").then_some(text)
    });
    assert_eq!(read("az://devstoreaccount1/dumps/one", &through_variables).await.unwrap(), b"R");
    let sas = azurite.sas(Sas { container: CONTAINER, blob: None, permissions: "rl", expires_in: 3600 });
    let given = Access::sas(Secret::new(format!("?{sas}")));
    assert_eq!(read(&azurite.url(CONTAINER, "one"), &given).await.unwrap(), b"R");
}

#[tokio::test]
async fn broken_connections() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container(CONTAINER);
    let bytes = content(2, 12 << 20);
    azurite.put_blob(CONTAINER, "plain", &bytes);
    azurite.put_blob(CONTAINER, "gz", &gzip(&bytes));
    let sas =
        azurite.sas(Sas { container: CONTAINER, blob: Some("plain"), permissions: "r", expires_in: 3600 });

    let seed = std::env::var("BLOB_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) << 16 | u64::from(azurite.port()));
    println!("BLOB_SEED={seed}");
    let relay = Relay::to("127.0.0.1", azurite.port());
    relay.cut_randomly(seed, 2_000_000);
    for (name, query, login) in
        [("plain", "", key()), ("gz", "", key()), ("plain", sas.as_str(), Access::from_variables(|_| None))]
    {
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{mark}{query}", azurite.url_through(relay.port(), CONTAINER, name));
        assert_same(&read(&url, &login).await.unwrap(), &bytes, name);
    }
    assert!(relay.accepted() > 6, "only {} connections: nothing was cut", relay.accepted());

    // At exactly one byte, again and again; and just before the end.
    relay.heal();
    relay.cut_after(Way::ToClient, 6 << 20);
    let before = relay.accepted();
    let url = azurite.url_through(relay.port(), CONTAINER, "plain");
    assert_same(&read(&url, &key()).await.unwrap(), &bytes, "every 6 MiB");
    assert_eq!(relay.accepted() - before, 3);

    // A reader that takes its time is waited for, in little memory.
    relay.heal();
    let mut reader = open(&url, &key()).await.unwrap();
    let mut found = reader.next().await.unwrap().unwrap().to_vec();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(reader.fetched() < 8 << 20, "{} bytes wait to be read", reader.fetched());
    relay.cut();
    found.extend(rest(reader).await.unwrap());
    assert_same(&found, &bytes, "taken slowly");

    stalled(&relay, &url, &bytes).await;
    replaced(&azurite, &relay, &url).await;
}

/// A connection that stays open and silent is given up for another one, and in the end with an error.
async fn stalled(relay: &Relay, url: &str, bytes: &[u8]) {
    relay.heal();
    let network = Network { give_up: Duration::from_secs(2), ..Network::default() };
    let mut reader = Reader::open(&place(url), &key(), ReadOptions { network }).await.unwrap();
    let mut found = reader.next().await.unwrap().unwrap().to_vec();
    relay.stall(true);
    let begun = Instant::now();
    let error = loop {
        match reader.next().await {
            Ok(Some(chunk)) => found.extend_from_slice(&chunk),
            Ok(None) => panic!("the end, through a stalled connection"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(told(&error).contains("silent"), "{}", told(&error));
    assert_same(&found, &bytes[..found.len()], "before the stall");
    relay.heal();
}

/// Another version of the blob is never read on from the middle.
async fn replaced(azurite: &Azurite, relay: &Relay, url: &str) {
    for change in [Change::Replace, Change::Shorten, Change::Delete] {
        azurite.put_blob(CONTAINER, "plain", &content(3, 12 << 20));
        relay.heal();
        relay.cut_after(Way::ToClient, 8 << 20);
        let mut reader = open(url, &key()).await.unwrap();
        let mut count = reader.next().await.unwrap().unwrap().len();
        relay.refuse(true);
        match change {
            Change::Replace => azurite.put_blob(CONTAINER, "plain", &content(4, 12 << 20)),
            Change::Shorten => azurite.put_blob(CONTAINER, "plain", b"short"),
            Change::Delete => azurite.delete_blob(CONTAINER, "plain"),
        }
        relay.heal();
        let error = loop {
            match reader.next().await {
                Ok(Some(chunk)) => count += chunk.len(),
                Ok(None) => panic!("the end, of two versions of the blob"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), Kind::Changed, "{error}");
        assert!(told(&error).contains("replaced or deleted while"), "{}", told(&error));
        assert!(count <= 8 << 20);
    }
}

#[derive(Clone, Copy)]
enum Change {
    Replace,
    Shorten,
    Delete,
}
