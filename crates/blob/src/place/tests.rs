use super::*;
use proptest::prelude::*;

fn blob(text: &str) -> BlobPlace {
    match Place::parse(text) {
        Ok(Place::Blob(blob)) => blob,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn files() {
    for text in ["dump.rdb", "./x", "/abs/y.gz", "a b", "C:x", "az:", "üñ"] {
        assert_eq!(Place::parse(text), Ok(Place::File(text.into())), "{text}");
    }
}

#[test]
fn blobs() {
    for (text, account, path, url, shown) in [
        ("az://acc1/dumps/a/b.rdb", "acc1", "a/b.rdb", None, "az://acc1/dumps/a/b.rdb"),
        (
            "https://acc1.blob.core.windows.net/dumps/a%20b%2523.rdb?sv=1&sig=a%2Bb%3D",
            "acc1",
            "a b%23.rdb",
            Some("https://acc1.blob.core.windows.net"),
            "https://acc1.blob.core.windows.net/dumps/a%20b%2523.rdb",
        ),
        (
            "HTTPS://Acc1.Blob.Core.UsGovCloudApi.net/dumps/X",
            "acc1",
            "X",
            Some("https://acc1.blob.core.usgovcloudapi.net"),
            "https://acc1.blob.core.usgovcloudapi.net/dumps/X",
        ),
        (
            "https://acc1.blob.core.chinacloudapi.cn/dumps/X",
            "acc1",
            "X",
            Some("https://acc1.blob.core.chinacloudapi.cn"),
            "https://acc1.blob.core.chinacloudapi.cn/dumps/X",
        ),
        (
            "https://acc1.z07.blob.storage.azure.net/dumps/X",
            "acc1",
            "X",
            Some("https://acc1.z07.blob.storage.azure.net"),
            "https://acc1.z07.blob.storage.azure.net/dumps/X",
        ),
        (
            "http://127.0.0.1:10000/devstoreaccount1/dumps/a//b?sig=x",
            "devstoreaccount1",
            "a//b",
            Some("http://127.0.0.1:10000/devstoreaccount1"),
            "http://127.0.0.1:10000/devstoreaccount1/dumps/a//b",
        ),
        (
            "http://[::1]:10000/devstoreaccount1/dumps/a",
            "devstoreaccount1",
            "a",
            Some("http://[::1]:10000/devstoreaccount1"),
            "http://[::1]:10000/devstoreaccount1/dumps/a",
        ),
        (
            "https://azurite/devstoreaccount1/dumps/a",
            "devstoreaccount1",
            "a",
            Some("https://azurite/devstoreaccount1"),
            "https://azurite/devstoreaccount1/dumps/a",
        ),
    ] {
        let blob = blob(text);
        assert_eq!((blob.account(), blob.container(), blob.path()), (account, "dumps", path), "{text}");
        assert_eq!(blob.endpoint.as_ref().map(|endpoint| endpoint.url(account)).as_deref(), url, "{text}");
        assert_eq!(blob.to_string(), shown);
    }
    let with_sas = blob("az://acc1/dumps/x?sv=1&sig=a%2Bb%3D");
    assert_eq!(with_sas.sas.unwrap().expose()[1], ("sig".to_owned(), "a+b=".to_owned()));
}

#[test]
fn refused() {
    for (text, part) in [
        ("", "empty"),
        ("-", "standard input"),
        ("folder/", "folder"),
        ("s3://bucket/key", "neither az nor https"),
        ("file:///x", "without file://"),
        ("az://account", "no blob"),
        ("az://account/dumps", "no blob"),
        ("az://account/dumps/", "no blob"),
        ("az://account/dumps/a/", "no blob"),
        ("az://Account/dumps/x", "storage account"),
        ("az://account/D/x", "container"),
        ("az://account/dumps/a%2", "percent"),
        ("az://account/dumps/a%zz", "percent"),
        ("az://account/dumps/a%%41", "percent"),
        ("az://account/dumps/a/../b", "dots"),
        ("az://account/dumps/a/%2e%2E/b", "dots"),
        ("az://account/dumps//b", "empty"),
        ("az://account/dumps/a%0Ab", "control"),
        ("https://account.blob.core.windows.net/dumps/x?snapshot=2026&sig=c0ffee", "snapshots"),
        ("https://account.blob.core.windows.net/dumps/x?comp=list&sig=c0ffee", "other fields"),
        ("https://account.blob.core.windows.net/dumps/x?sv=1", "no sig="),
        ("https://account.blob.core.windows.net/dumps/x#c0ffee", "fragment"),
        ("https://c0ffee@account.blob.core.windows.net/dumps/x", "user"),
        ("https://account.dfs.core.windows.net/dumps/x", "dfs"),
        ("https://example.com/dumps/x?sig=c0ffee", "no storage account's"),
        ("http://account.blob.core.windows.net/dumps/x", "https:// only"),
        ("http://10.0.0.1:10000/devstoreaccount1/dumps/x", "emulator on this machine"),
        ("account.blob.core.windows.net/dumps/x?sig=c0ffee", "without https://"),
        ("devstoreaccount1/dumps/x?sv=1&sig=c0ffee", "without https://"),
    ] {
        let error = Place::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
        assert!(!error.contains("c0ffee"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_safe_and_what_is_shown_parses_back(text in "(az://|https://|http://)?[a-z0-9.:/?&=%#@ -]{0,60}") {
        if let Ok(place) = Place::parse(&text) {
            let shown = place.to_string();
            let again = Place::parse(&shown).unwrap();
            prop_assert_eq!(again.to_string(), shown);
        }
    }

    #[test]
    fn signatures_are_never_shown(path in "[a-zA-Z0-9 +%&=]{1,20}", junk in "[a-z=&%?]{0,10}") {
        let path = percent::path(&path).to_string();
        for text in [
            format!("https://account.blob.core.windows.net/dumps/{path}?{junk}&sig=c0ffee"),
            format!("az://account/dumps/{path}?sig=c0ffee&{junk}"),
        ] {
            match Place::parse(&text) {
                Ok(place) => {
                    prop_assert!(!place.to_string().contains("c0ffee"));
                    let debug = format!("{:?}", place);
                    prop_assert!(!debug.contains("c0ffee"));
                }
                Err(error) => prop_assert!(!error.to_string().contains("c0ffee")),
            }
        }
    }
}
