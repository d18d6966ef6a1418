//! Caches with nothing in them, names that break tools, and command lines that make no sense.

use testkit::{Access, Cluster, Server, dataset};

use super::Pair;
use super::commands::run;
use super::equal::put_off_expiries;
use super::findings::{each, found};
use crate::support::{Ended, Redferry};

fn totals(ended: &Ended) -> [u64; 3] {
    ["keys_source", "keys_target", "keys_compared"].map(|field| ended.number(field))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_on_either_side() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let pair = Pair::of(&source.access(), &target.access());
    for level in ["full", "quick"] {
        assert_eq!(totals(&pair.expect_equal(&["--level", level])), [0, 0, 0]);
    }
    let ended = pair.verify(&["--level", "count"]).expect(0);
    assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (0, 0));
    assert_eq!(totals(&pair.expect_equal(&["--sample", "10%"])), [0, 0, 0]);
    let (source, target) = (Cluster::acr(2).start(), Cluster::amr(2).start());
    assert_eq!(totals(&Pair::of(&source.access(), &target.access()).expect_equal(&[])), [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_on_one_side() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    dataset::mixed(&source.access(), 2000, 71).await;
    put_off_expiries(&source.access()).await;
    let pair = Pair::of(&source.access(), &target.access());
    for level in ["full", "quick"] {
        let ended = pair.verify(&["--level", level]).expect(1);
        assert_eq!((ended.number("missing"), ended.number("extra")), (2000, 0), "{ended:#?}");
        assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (2000, 0), "{ended:#?}");
        assert_eq!(found(&ended).len(), 2000);
    }
    pair.verify(&["--level", "count"]).expect(1);
    pair.copy(&[]);
    source.command(&["FLUSHALL"]);
    for level in ["full", "quick"] {
        let ended = pair.verify(&["--level", level]).expect(1);
        assert_eq!((ended.number("missing"), ended.number("extra")), (0, 2000), "{ended:#?}");
        assert_eq!((ended.number("keys_source"), ended.number("keys_target")), (0, 2000), "{ended:#?}");
    }
    pair.verify(&["--level", "count"]).expect(1);
}

/// Keys are named as text, also those that are none.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_any_bytes() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    let mut names: Vec<Vec<u8>> = (0..=255).map(|byte| vec![byte]).collect();
    names.extend((0..=255).map(|byte| vec![b'n', byte, byte, b'{', byte, b'}']));
    names.extend([Vec::new(), b"{}".to_vec(), b"\r\n".to_vec(), "schl\u{fc}ssel".into(), vec![0; 70_000]]);
    let mut long = vec![b'L'; 500_000];
    long[250_000..250_256].copy_from_slice(&(0..=255).collect::<Vec<u8>>());
    names.push(long.clone());
    let commands = |what: &'static str| {
        let typed = |name: &Vec<u8>| (name.clone(), redis::cmd("APPEND").arg(name).arg(what).clone());
        names.iter().map(typed).collect::<Vec<_>>()
    };
    dataset::run(&source, commands("value")).await;
    let pair = Pair::of(&source, &target);
    assert_eq!(pair.copy(&[]).number("keys_copied"), names.len() as u64);
    for options in [&[][..], &["--scan-count", "3"], &["--big-key", "1"], &["--level", "quick"]] {
        let ended = pair.expect_equal(options);
        assert_eq!(totals(&ended), [names.len() as u64; 3], "{options:?}");
    }
    // All of them wrong, all of them counted. The report shows the beginning of a long name only.
    dataset::run(&target, commands("!")).await;
    let ended = pair.verify(&[]).expect(1);
    assert_eq!(ended.number("value_differs"), names.len() as u64, "{}", ended.said);
    let shown = found(&ended);
    assert_eq!(shown.len(), names.len(), "no two names are shown in the same way");
    for expected in ["a", "~", "\\u{0}", "\\n", "\\xff", "schl\u{fc}ssel", ""] {
        assert!(shown.contains_key(expected), "{expected:?} is not among {:?}", shown.keys());
    }
    assert!(shown.keys().any(|name| name.starts_with("LLLL") && name.ends_with("... (500000 bytes)")));
    assert!(shown.keys().all(|name| name.len() < 2000));
    // The same by existence.
    let delete = names.iter().map(|name| (name.clone(), redis::cmd("DEL").arg(name).clone()));
    dataset::run(&target, delete).await;
    assert_eq!(pair.verify(&[]).expect(1).number("missing"), names.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_and_itself() {
    let server = Server::plain7().start();
    server.command(&["SET", "a", "x"]);
    let access = server.access();
    refused(Pair::of(&access, &access).verify(&[]));
    let other_name = Access { host: "localhost".into(), ..access.clone() };
    refused(Pair::of(&access, &other_name).verify(&[]));
    let cluster = Cluster::plain7(2).start();
    refused(
        Pair::of(&cluster.node_access(0), &cluster.node_access(1)).verify(&["--repair", "--delete-extra"]),
    );
}

#[track_caller]
fn refused(ended: Ended) {
    let ended = ended.expect(3).expect_said("same");
    assert_eq!((&ended.report["status"], &ended.report["exit_code"]), (&"refused".into(), &3.into()));
    assert!(ended.report["error"].as_str().is_some_and(|error| error.contains("same")), "{ended:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_never_shown() {
    let (source, target) = (Server::acr().start(), Server::amr().start());
    let (source, target) = (source.access(), target.access());
    let right = source.password.clone().unwrap();
    for (passwords, side) in [(["wrong-S3cret", &right], "source"), ([&right, "wrong-S3cret"], "target")] {
        let redferry = Redferry::between(&source, &target).with_passwords(passwords[0], passwords[1]);
        let ended = redferry.run("verify", &["-vv"]).expect(5).expect_said("credentials were refused");
        assert!(ended.said.contains(side), "{ended:#?}");
        assert!(!ended.said.contains("S3cret") && !ended.report.to_string().contains("S3cret"), "{ended:#?}");
        assert_eq!(ended.report["status"], "failed", "{ended:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there() {
    let source = Server::acr().start();
    let gone = {
        let server = Server::plain7().start();
        server.access()
    };
    let ended = Pair::of(&source.access(), &gone).verify(&["--give-up-after", "1s"]);
    assert!(matches!(ended.code, 4 | 5), "{ended:#?}");
    assert!(ended.expect_said("target").report["error"].is_string());
    let ended = Pair::of(&gone, &source.access()).verify(&["--give-up-after", "1s"]);
    assert!(matches!(ended.code, 4 | 5), "{ended:#?}");
    ended.expect_said("source");
}

#[tokio::test(flavor = "multi_thread")]
async fn command_lines_that_make_no_sense() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let pair = Pair::of(&source.access(), &target.access());
    let wrong: [&[&str]; 12] = [
        &["--level", "some"],
        &["--sample", "0%"],
        &["--sample", "101%"],
        &["--sample", "ten"],
        &["--sample", "-1%"],
        &["--delete-extra"],
        &["--dry-run"],
        &["--repair", "--level", "count"],
        &["--ttl-tolerance", "soon"],
        &["--until-stable", "-1s"],
        &["--big-key", "lots"],
        &["--match"],
    ];
    for options in wrong {
        let ended = pair.verify(options).expect(2);
        assert_eq!(ended.report["status"], "usage", "{options:?}: {ended:#?}");
        assert!(
            ended.report["error"].as_str().is_some_and(|error| !error.is_empty()),
            "{options:?}: {ended:#?}"
        );
    }
}

/// Users who may read everything but not write are enough on both sides.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_right_to_read_only() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    dataset::mixed(&source.access(), 500, 72).await;
    Pair::of(&source.access(), &target.access()).copy(&[]);
    let reader = |server: &Server| {
        server.command(&[
            "ACL",
            "SETUSER",
            "reader",
            "on",
            ">pw",
            "~*",
            "-@all",
            "+@read",
            "+@connection",
            "+info",
        ]);
        server.command(&[
            "ACL", "SETUSER", "reader", "+cluster", "+time", "+select", "+multi", "+exec", "+watch",
            "+unwatch",
        ]);
        Access { user: Some("reader".into()), password: Some("pw".into()), ..server.access() }
    };
    let (from, to) = (reader(&source), reader(&target));
    let pair = Pair::of(&from, &to);
    let child = pair.start(&[]);
    let ended = child.wait().expect(0);
    assert_eq!(ended.number("keys_compared"), ended.number("keys_source"), "{ended:#?}");
    run(&target.access(), "mixed:1", "DEL {key}").await;
    let ended = pair.start(&[]).wait().expect(1);
    assert_eq!(found(&ended).into_keys().collect::<Vec<_>>(), ["mixed:1"]);
}

/// A key that one side will not show is neither equal nor different, and the run does not end well.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_be_read() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    for n in 0..50 {
        run(&source.access(), &format!("open:{n}"), "SET {key} x").await;
    }
    run(&source.access(), "closed:1", "SET {key} x").await;
    Pair::of(&source.access(), &target.access()).copy(&[]);
    target.command(&["ACL", "SETUSER", "reader", "on", ">pw", "~open:*", "+@all"]);
    let to = Access { user: Some("reader".into()), password: Some("pw".into()), ..target.access() };
    let pair = Pair::of(&source.access(), &to);
    let ended = pair.start(&[]).wait().expect(1);
    assert_eq!(found(&ended), found_as(&[("closed:1", "not_compared")]), "{ended:#?}");
    assert_eq!(ended.number("not_compared"), 1, "{ended:#?}");
}

fn found_as(
    keys: &[(&str, &'static str)],
) -> std::collections::BTreeMap<String, std::collections::BTreeSet<String>> {
    let owned =
        |kinds: std::collections::BTreeSet<&'static str>| kinds.into_iter().map(str::to_owned).collect();
    each(keys).into_iter().map(|(key, kinds)| (key, owned(kinds))).collect()
}
