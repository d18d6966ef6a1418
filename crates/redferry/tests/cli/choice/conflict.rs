//! Keys that the target has already.

use testkit::{Server, compare, dataset};

use crate::support::Redferry;

/// A source with 100 keys and a target with two of them, other values, and a key of its own.
async fn pair() -> (Server, Server) {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::strings(&source.access(), 98, 20).await;
    source.command(&["RPUSH", "list", "source's"]);
    source.command(&["SET", "timed", "source's", "EX", "1000"]);
    target.command(&["SET", "string:5", "target's"]);
    target.command(&["SET", "list", "target's"]);
    target.command(&["SET", "own", "target's"]);
    (source, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn refuse_does_not_begin() {
    let (source, target) = pair().await;
    for options in [&[][..], &["--on-conflict", "refuse"]] {
        Redferry::between(&source.access(), &target.access())
            .copy(options)
            .expect(3)
            .expect_said("the target holds 3 keys")
            .expect_said("--on-conflict");
    }
    assert_eq!(target.command(&["DBSIZE"]), testkit::server::Reply::Integer(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_keeps_the_targets() {
    let (source, target) = pair().await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let ended = redferry.copy(&["--on-conflict", "skip", "--show-keys"]).expect(1);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_skipped")), (98, 2), "{ended:#?}");
    assert_eq!(ended.report["causes"]["target_has_key"], 2);
    let mut named: Vec<_> = ended.report["examples"]["target_has_key"].as_array().unwrap().clone();
    named.sort_by_key(ToString::to_string);
    assert_eq!(named, ["list", "string:5"]);
    assert_eq!(target.command(&["GET", "string:5"]).text(), "target's");
    assert_eq!(target.command(&["GET", "list"]).text(), "target's");
    let options = compare::Options::default()
        .only(|_, key| key != b"string:5" && key != b"list")
        .only_on_target(|_, key| ![&b"string:5"[..], b"list", b"own"].contains(&key));
    compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
    // A second run finds everything there.
    let ended = redferry.copy(&["--on-conflict", "skip"]).expect(1);
    assert_eq!((ended.number("keys_copied"), ended.number("keys_skipped")), (0, 100), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn replace_takes_the_sources() {
    let (source, target) = pair().await;
    let redferry = Redferry::between(&source.access(), &target.access());
    for _ in 0..2 {
        let ended = redferry.copy(&["--on-conflict", "replace"]).expect(0);
        assert_eq!(ended.number("keys_copied"), 100, "{ended:#?}");
        let options = compare::Options::default().only_on_target(|_, key| key != b"own");
        compare::caches(&source.access(), &target.access(), &options).await.assert_equal();
    }
    assert_eq!(target.command(&["GET", "own"]).text(), "target's", "what only the target has stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_written_by_others_meanwhile() {
    for (way, code, survives) in [("skip", 1, true), ("refuse", 0, false)] {
        let (source, target) = (Server::acr().start(), Server::amr().start());
        dataset::strings(&source.access(), 20_000, 20).await;
        let redferry = Redferry::between(&source.access(), &target.access());
        let child = redferry.start_copy(&["--max-keys-per-sec", "20000", "--on-conflict", way]);
        std::thread::sleep(std::time::Duration::from_millis(600));
        // A key that the copy has not come to yet.
        let mut late = (0..20_000).map(|n| format!("string:{n}"));
        let late = late.find(|key| target.command(&["SET", key, "target's", "NX"]).text() == "OK");
        let late = late.expect("the copy was over before anybody could interfere");
        let ended = child.wait().expect(code);
        let refused = ended.report["causes"]["target_has_key"].as_u64().unwrap_or(0);
        assert_eq!(refused, u64::from(survives), "{ended:#?}");
        assert_eq!(target.command(&["GET", &late]).text() == "target's", survives, "--on-conflict {way}");
    }
}
