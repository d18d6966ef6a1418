//! Samples, the level that only counts, and what the reports say and keep to themselves.

use testkit::dataset::{self, Place};
use testkit::{Cluster, Server};

use super::Pair;
use super::commands::{on, run};
use super::findings::{differences, found};

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_finds_its_share() {
    const KEYS: u64 = 4000;
    const SPOILED: u64 = 2000;
    let (source, target) = (Server::acr().start(), Cluster::amr(2).start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, KEYS, 30).await;
    let pair = Pair::of(&source, &target);
    pair.copy(&[]);
    let key = |n: u64| format!("string:{}", n * 2);
    dataset::run(&target, (0..SPOILED).flat_map(|n| on(&key(n), "APPEND {key} x"))).await;
    let ended = pair.verify(&["--sample", "10%"]).expect(1);
    // A tenth is 200, with a standard deviation of 13: beyond 8 of them it is no chance.
    let seen = ended.number("value_differs");
    assert!((95..=305).contains(&seen), "{seen} of {SPOILED}");
    assert_eq!(differences(&ended), seen, "{ended:#?}");
    let compared = ended.number("keys_compared");
    assert!((250..=550).contains(&compared), "{compared} of {KEYS}");
    assert!(found(&ended).keys().all(|key| key[7..].parse::<u64>().is_ok_and(|n| n % 2 == 0)));
    let (code, text) = pair.as_text(&["--sample", "10%", "--until-stable", "0s"]);
    assert_eq!(code, 1);
    assert!(text.contains("confidence") && text.contains('%'), "nothing about confidence in: {text}");
    // All of them is all of them.
    let ended = pair.verify(&["--sample", "100%"]).expect(1);
    assert_eq!((ended.number("value_differs"), ended.number("keys_compared")), (SPOILED, KEYS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_of_equal_caches_is_equal_and_says_how_sure_that_is() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::mixed(&source.access(), 5000, 91).await;
    let pair = Pair::of(&source.access(), &target.access());
    pair.copy(&[]);
    for sample in ["1%", "0.5%", "50%"] {
        let ended = pair.expect_equal(&["--sample", sample]);
        assert!(ended.number("keys_compared") < 3500, "{ended:#?}");
    }
    let (code, text) = pair.as_text(&["--sample", "5%"]);
    assert_eq!(code, 0);
    assert!(text.contains("confidence") && text.contains('%'), "nothing about confidence in: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn counting_sees_other_totals_and_nothing_else() {
    let (source, target) = (Server::acr().start(), Server::plain7().start());
    let (source, target) = (source.access(), target.access());
    for (db, count) in [(0, 300), (5, 200)] {
        dataset::strings(Place::db(&source, db), count, 30).await;
    }
    let pair = Pair::of(&source, &target);
    pair.copy(&["--all-dbs"]);
    let count = ["--all-dbs", "--level", "count"];
    let ended = pair.verify(&count).expect(0);
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (500, 500));
    for field in ["missing", "extra", "value_differs", "ttl_differs", "group_differs"] {
        assert!(ended.report[field].is_null(), "{field} was not looked at: {ended:#?}");
    }
    // Other content is not seen.
    run(&target, "string:7", "APPEND {key} x").await;
    pair.verify(&count).expect(0);
    // One key less is, also when another database has one more.
    run(Place::db(&target, 5), "string:7", "DEL {key}").await;
    let ended = pair.verify(&count).expect(1);
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (500, 499));
    assert_eq!(ended.report["status"], "done_with_differences", "{ended:#?}");
    run(&target, "new", "SET {key} x").await;
    let ended = pair.verify(&count).expect(1);
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (500, 500));
}

#[tokio::test(flavor = "multi_thread")]
async fn prefixes_tell_where_the_differences_are() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 100, 30).await;
    dataset::hashes(&source, 100, 3).await;
    let pair = Pair::of(&source, &target);
    pair.copy(&[]);
    for n in 0..7 {
        run(&target, &format!("string:{n}"), "DEL {key}").await;
        run(&target, &format!("extra:{n}"), "SET {key} x").await;
    }
    for n in 0..5 {
        run(&target, &format!("hash:{n}"), "HSET {key} new x").await;
    }
    run(&target, "string:50", "EXPIRE {key} 5000").await;
    let ended = pair.verify(&[]).expect(1);
    let prefixes = ended.report["prefixes"].as_array().unwrap();
    let of = |prefix: &str| {
        let found = prefixes
            .iter()
            .find(|entry| entry["prefix"].as_str().is_some_and(|name| name.starts_with(prefix)));
        found.unwrap_or_else(|| panic!("nothing about {prefix} in {prefixes:?}"))
    };
    assert_eq!((&of("string")["missing"], &of("string")["ttl"]), (&7.into(), &1.into()), "{prefixes:?}");
    assert_eq!((&of("extra")["extra"], &of("hash")["value"]), (&7.into(), &5.into()), "{prefixes:?}");
    let kinds = ended.report["differences"].as_object().unwrap();
    let total: u64 = kinds.values().filter_map(serde_json::Value::as_u64).sum();
    assert!(total >= 20, "{kinds:?}");
}

/// Without `--show-keys` no key is named, on the terminal, in the document or in the file.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_named_only_when_asked_for() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    run(&source, "patient-4711", "SET {key} Zq7-value-of-the-source").await;
    let pair = Pair::of(&source, &target);
    pair.copy(&[]);
    run(&target, "patient-4711", "SET {key} Zq7-value-of-the-target").await;
    run(&target, "visitor-4712", "SET {key} Zq7-value-of-the-target").await;
    let secret = ["patient-4711", "visitor-4712", "Zq7-value", "testkit-secret"];
    let options = ["--until-stable", "0s", "--report", "silent.html"];
    let (code, text) = pair.as_text(&options);
    assert_eq!(code, 1);
    let file = std::fs::read_to_string(pair.redferry.folder().join("silent.html")).unwrap();
    let ended = pair.redferry.run("verify", &options).expect(1);
    assert!(ended.report["examples"].is_null(), "{ended:#?}");
    for secret in secret {
        for text in [&text, &file, &ended.report.to_string(), &ended.said] {
            assert!(!text.contains(secret), "{secret} is told in: {text}");
        }
    }
    let options = ["-vv", "--until-stable", "0s", "--show-keys", "--report", "open.html"];
    let (_, text) = pair.as_text(&options);
    let file = std::fs::read_to_string(pair.redferry.folder().join("open.html")).unwrap();
    for text in [&text, &file] {
        assert!(text.contains("patient-4711") && text.contains("visitor-4712"), "no key named in: {text}");
        assert!(!text.contains("Zq7-value") && !text.contains("testkit-secret"), "too much in: {text}");
    }
    // No more than asked for, of each kind.
    dataset::run(&target, (0..50).flat_map(|n| on(&format!("more:{n}"), "SET {key} x"))).await;
    let ended = pair.verify(&["--show-keys", "3"]).expect(1);
    assert_eq!(ended.number("extra"), 51, "{ended:#?}");
    let shown = found(&ended);
    assert_eq!(shown.values().filter(|kinds| kinds.contains("extra")).count(), 3, "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_one_file_and_harmless() {
    const NAMES: [&str; 4] =
        ["<script>alert(1)</script>", "a\"onload=\"x", "&amp;'", "<img\u{a0}src=https://example.invalid/x>"];
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    for name in NAMES {
        run(&source, name, "SET {key} Zq7<b>value").await;
    }
    dataset::mixed(&source, 300, 92).await;
    let pair = Pair::of(&source, &target);
    pair.copy(&["--match", "mixed:*"]);
    for n in 0..20 {
        run(&target, &format!("extra:{n}"), "SET {key} Zq7<b>value").await;
    }
    pair.verify(&["--report", "report.html"]).expect(1);
    let page = std::fs::read_to_string(pair.redferry.folder().join("report.html")).unwrap();
    let lower = page.to_lowercase();
    assert!(lower.starts_with("<!doctype html>") && lower.contains("</html>"), "no page: {page}");
    // Nothing is loaded from anywhere, neither by the page nor by a name in it.
    for loading in ["src=\"", "src='", "@import", "url(http", "<link", "<iframe", "<img", "<object"] {
        assert!(!lower.contains(loading), "{loading} in {page}");
    }
    assert!(!lower.contains("href=\"http") && !lower.contains("<script>alert"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"), "the name is shown as text: {page}");
    assert!(page.contains("a&quot;onload=&quot;x") || page.contains("a&#34;onload=&#34;x"), "{page}");
    assert!(page.contains("&amp;amp;"), "{page}");
    assert!(
        !page.contains("Zq7") && !page.contains("testkit-secret"),
        "values and secrets are nobody's: {page}"
    );
    assert!(page.contains("20") && page.contains("extra"), "{page}");
    // A run that ends well has a page too, and an old one is replaced.
    pair.verify(&["--repair", "--delete-extra"]).expect(0);
    pair.verify(&["--report", "report.html"]).expect(0);
    let page = std::fs::read_to_string(pair.redferry.folder().join("report.html")).unwrap();
    assert!(!page.contains("alert(1)"), "{page}");
}

/// A page that cannot be written is said before all the work.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_written() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let pair = Pair::of(&source.access(), &target.access());
    let ended = pair.verify(&["--report", "no-such-folder/report.html"]);
    assert!(ended.code != 0, "{ended:#?}");
    ended.expect_said("report.html");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_gets_the_same_numbers() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    dataset::strings(&source, 1234, 30).await;
    let pair = Pair::of(&source, &target);
    pair.copy(&[]);
    let (code, text) = pair.as_text(&[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("1,234") || text.contains("1234"), "{text}");
    for n in 0..17 {
        run(&target, &format!("string:{n}"), "DEL {key}").await;
    }
    let (code, text) = pair.as_text(&["--until-stable", "0s"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("17") && text.contains("missing"), "{text}");
}
