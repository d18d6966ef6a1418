//! Everything that a storage account refuses, and how it is told.

use std::time::{Duration, Instant};

use blob::{Access, Kind, Secret};
use testkit::Azurite;
use testkit::azurite::Sas;

use crate::support::{CONTAINER, key, read, told, write, write_options};

#[tokio::test]
async fn refusals() {
    let Some(azurite) = Azurite::start() else { return };
    azurite.create_container(CONTAINER);
    azurite.put_blob(CONTAINER, "there", b"x");
    azurite.put_page_blob(CONTAINER, "pages", b"x");
    let there = azurite.url(CONTAINER, "there");
    let new = azurite.url(CONTAINER, "new");
    let nothing = Access::from_variables(|_| None);
    let sas = |permissions, expires_in, blob| {
        azurite.sas(Sas { container: CONTAINER, blob, permissions, expires_in })
    };

    let missing = [
        (azurite.url(CONTAINER, "missing"), Kind::NotFound, "no such blob"),
        (azurite.url("nowhere", "x"), Kind::NoContainer, "no container nowhere"),
    ];
    for (url, kind, part) in &missing {
        let error = read(url, &key()).await.unwrap_err();
        assert_eq!(error.kind(), *kind, "{error}");
        assert!(told(&error).contains(part), "{}", told(&error));
        assert_eq!(error.place(), url);
    }
    let error =
        write(&azurite.url("nowhere", "x"), &key(), b"x", write_options(false, false)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoContainer, "{error}");

    let other_key = Access::shared_key(Secret::new("c0ffee00c0ffee00c0ffee00"));
    let wrong_signature = sas("rcw", 3600, None).replace("sig=", "sig=AA");
    let begun = Instant::now();
    for (query, login, reads, part) in [
        (String::new(), &other_key, true, "key is wrong"),
        (String::new(), &other_key, false, "key is wrong"),
        (sas("r", -60, None), &nothing, true, "expired, at 20"),
        (sas("cw", -60, None), &nothing, false, "expired, at 20"),
        (sas("cw", 3600, None), &nothing, true, "sp=cw lacks r"),
        (sas("l", 3600, None), &nothing, true, "sp=l lacks r"),
        (sas("r", 3600, None), &nothing, false, "sp=r lacks w"),
        (sas("r", 3600, Some("another")), &nothing, true, "for another blob"),
        (wrong_signature.clone(), &nothing, true, "copied incompletely"),
        (wrong_signature, &nothing, false, "copied incompletely"),
        // The SAS in the URL wins.
        (sas("r", -60, None), &key(), true, "expired"),
    ] {
        let (url, mark) = (if reads { &there } else { &new }, if query.is_empty() { "" } else { "?" });
        let url = format!("{url}{mark}{query}");
        let error = if reads {
            read(&url, login).await.unwrap_err()
        } else {
            write(&url, login, b"x", write_options(false, false)).await.unwrap_err()
        };
        assert_eq!(error.kind(), Kind::Refused, "{part}: {error}");
        assert!(told(&error).contains(part), "{part}: {}", told(&error));
        assert_eq!(error.place(), if reads { &there } else { &new });
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "refusals are not repeated: {:?}", begun.elapsed());

    for overwrite in [false, true] {
        let error =
            write(&azurite.url(CONTAINER, "pages"), &key(), b"x", write_options(false, overwrite)).await;
        let kind = if overwrite { Kind::Unsuitable } else { Kind::AlreadyExists };
        assert_eq!(error.unwrap_err().kind(), kind);
    }
    let error = read(&there, &Access::shared_key(Secret::new("c0ffee!"))).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoCredentials, "{error}");
    assert!(told(&error).contains("not base64"), "{}", told(&error));
    // Tokens do not go over plain HTTP, not even to an emulator.
    let error = read(&there, &nothing).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoCredentials, "{error}");
    assert!(told(&error).contains("https:// only"), "{}", told(&error));
    assert_eq!(azurite.list_blobs(CONTAINER), ["pages", "there"]);
}

#[tokio::test]
async fn nobody_there() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let network = blob::Network { give_up: Duration::from_millis(600), ..blob::Network::default() };
    let begun = Instant::now();
    let url = format!("http://127.0.0.1:{port}/devstoreaccount1/dumps/x");
    let options = blob::ReadOptions { network };
    let error = blob::Reader::open(&crate::support::place(&url), &key(), options).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unreachable, "{error}");
    assert!(told(&error).contains("refused"), "{}", told(&error));
    assert!(begun.elapsed() > Duration::from_millis(500) && begun.elapsed() < Duration::from_secs(5));
}
