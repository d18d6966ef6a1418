//! What a running sync tells: `redferry status`, and the endpoint as monitoring sees it.

mod asking;
mod metrics;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;

use testkit::relay::Relay;
use testkit::server::Reply;
use testkit::{Cluster, Server, dataset};

use crate::support::Redferry;
use crate::sync::{plain, until, until_followed};
use asking::{Asked, asked, of_running};

fn text(redferry: &Redferry, options: &[&str]) -> String {
    let output = redferry.status_command(options).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_how_a_sync_stands() {
    let (source, target) = (Cluster::plain6(2).start(), Server::plain7().start());
    dataset::strings(&source.access(), 500, 20).await;
    let redferry = Redferry::between(&source.access(), &target.access());
    let child = redferry.start("sync", &[]);
    until("all keys arrive", || target.command(&["DBSIZE"]) == testkit::server::Reply::Integer(500));
    let mut ended = None;
    until("it follows", || {
        // The file may not be there yet, nor the last key acknowledged.
        let look = redferry.status(&[]);
        let is_so = look.report["phase"] == "following" && look.report["keys_carried"].as_u64() >= Some(500);
        ended = Some(look);
        is_so
    });
    let look = ended.unwrap().expect(0);
    assert_eq!(look.report["command"], "status", "{look:#?}");
    assert_eq!(look.report["direction"], "forward", "{look:#?}");
    assert_eq!(look.report["feed"], "tracking", "{look:#?}");
    let nodes = look.report["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "{look:#?}");
    assert!(nodes.iter().all(|node| node["heard"] == true), "{look:#?}");
    let settled: u64 = nodes.iter().map(|node| node["keys_settled"].as_u64().unwrap()).sum();
    assert!(
        settled >= 500 && nodes.iter().all(|node| node["keys_settled"].as_u64() > Some(100)),
        "{look:#?}"
    );
    assert!(look.report["gaps"].as_array().unwrap().iter().all(|gap| gap["reason"] == "beginning"));
    let view = text(&redferry, &[]);
    assert!(view.contains("following, forward") && view.contains("keys/s"), "{view}");
    for node in nodes {
        assert!(view.contains(node["node"].as_str().unwrap()), "{view}");
    }
    child.stop().expect(4);
}

#[test]
fn metrics_are_what_prometheus_reads_and_tell_what_the_document_tells() {
    let (source, target, redferry) = plain();
    (0..50).for_each(|n| drop(source.command(&["SET", &format!("key:{n}"), "x"])));
    let child = redferry.start("sync", &[]);
    until_followed(&source, &target);
    let running = of_running(&redferry);
    until("the metrics have every key", || {
        let scraped = running.get("/metrics");
        assert_eq!(scraped.code, 200, "{scraped:?}");
        assert_eq!(scraped.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let samples = metrics::samples(&scraped.body);
        samples.get("redferry_keys_carried_total").is_some_and(|keys| *keys >= 51.0)
            && samples["redferry_phase{phase=\"following\"}"] == 1.0
            && samples["redferry_ready"] == 1.0
    });
    // Nobody writes any more, so both tell the same.
    let document = redferry.status(&[]).expect(0);
    let samples = metrics::samples(&running.get("/metrics").body);
    let node = document.report["nodes"][0]["node"].as_str().unwrap();
    let settled = samples[&format!("redferry_keys_settled_total{{node=\"{node}\"}}")];
    assert_eq!(Some(settled as u64), document.report["nodes"][0]["keys_settled"].as_u64());
    assert_eq!(samples["redferry_changes_total"] as u64, document.number("changes"));
    assert_eq!(samples["redferry_gaps_total{reason=\"beginning\"}"], 1.0);
    assert_eq!(samples["redferry_gaps_open{reason=\"beginning\"}"], 0.0);
    assert_eq!(samples["redferry_refused_total{cause=\"target_forbids\"}"], 0.0);
    child.stop().expect(4);
}

#[test]
fn a_source_that_is_not_heard_is_not_ready_until_its_gap_is_healed() {
    let (source, target) = (Server::plain6().start(), Server::plain7().start());
    let relay = Relay::to("127.0.0.1", source.access().port);
    let redferry = Redferry::between(&source.access().via(relay.port()), &target.access());
    let child = redferry.start("sync", &[]);
    until_followed(&source, &target);
    let running = of_running(&redferry);
    let ready = || asked(running.address, "GET", "/readyz", None).code;
    until("it is ready", || ready() == 200);
    relay.refuse(true);
    relay.cut();
    until("it is not ready", || ready() == 503);
    let why: Asked = asked(running.address, "GET", "/readyz", None);
    assert_eq!(why.json()["ready"], false, "{why:?}");
    let reasons = why.json()["reasons"].to_string();
    assert!(reasons.contains("not heard") && reasons.contains("feed_lost"), "{why:?}");
    assert_eq!(asked(running.address, "GET", "/healthz", None).code, 200, "it works all the same");
    let look = redferry.status(&[]).expect(0);
    assert_eq!(look.report["nodes"][0]["heard"], false, "{look:#?}");
    assert!(text(&redferry, &[]).contains("NOT HEARD"));
    relay.refuse(false);
    until("it is ready again", || ready() == 200);
    let look = redferry.status(&[]).expect(0);
    assert!(look.report["gaps"].as_array().unwrap().len() >= 2, "{look:#?}");
    child.stop().expect(4);
}

#[test]
fn only_who_can_read_the_file_is_answered_and_the_token_is_nowhere_else() {
    let (source, target, redferry) = plain();
    let child = redferry.start("sync", &["-vv"]);
    until_followed(&source, &target);
    let running = of_running(&redferry);
    let mode = std::fs::metadata(&running.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", running.file.display());
    assert_eq!(running.token.len(), 32);
    for (method, path) in [("GET", "/status"), ("GET", "/metrics"), ("POST", "/cutover")] {
        for token in [None, Some("0".repeat(32))] {
            let refused = asked(running.address, method, path, token.as_deref());
            assert_eq!(refused.code, 401, "{path}: {refused:?}");
        }
    }
    assert_eq!(running.get("/status").code, 200);
    let look = redferry.status(&["-vv"]).expect(0);
    let good = std::fs::read_to_string(&running.file).unwrap();
    std::fs::write(&running.file, good.replace(&running.token, &"0".repeat(32))).unwrap();
    redferry.status(&[]).expect(5).expect_said("does not take the token");
    let ended = child.stop().expect(4);
    for said in [ended.said, ended.report.to_string(), look.said, look.report.to_string()] {
        assert!(!said.contains(&running.token), "{said}");
    }
    assert!(!running.file.exists(), "an ended sync has no file");
    redferry.status(&[]).expect(5).expect_said("no sync runs here");
}

#[test]
fn one_state_is_for_one_sync_and_what_a_killed_one_left_is_replaced() {
    let (source, target, redferry) = plain();
    let child = redferry.start("sync", &["--state", "mine.json"]);
    until_followed(&source, &target);
    redferry.run("sync", &["--state", "mine.json", "--adopt-target"]).expect(3).expect_said("mine.json");
    redferry.status(&[]).expect(5).expect_said("--state");
    redferry.status(&["--state", "mine.json"]).expect(0);
    child.kill();
    redferry.status(&["--state", "mine.json"]).expect(5).expect_said("has ended").expect_said("delete");
    let child = redferry.start("sync", &["--state", "mine.json", "--adopt-target"]);
    until("the new one answers", || redferry.status(&["--state", "mine.json"]).code == 0);
    child.stop().expect(4);
}

#[test]
fn without_a_sync_or_with_several_it_says_what_to_name() {
    let redferry = Redferry::between_addresses("localhost:1", "localhost:2");
    let none = redferry.status(&[]).expect(5).expect_said("no sync runs here").expect_said("--state");
    assert_eq!((&none.report["status"], none.report["error"].is_string()), (&"failed".into(), true));
    redferry
        .status(&["--state", "mine.json"])
        .expect(5)
        .expect_said("mine.json.control")
        .expect_said("--listen");
    for name in ["a", "b"] {
        let file = format!("redferry-sync-{name}.state.json.control");
        std::fs::write(redferry.folder().join(file), "{}").unwrap();
    }
    let several = redferry.status(&[]).expect(5).expect_said("redferry-sync-b.state.json");
    let several = several.expect_said("redferry-sync-a.state.json");
    assert!(!several.said.contains(".control"), "it is the state that is named: {}", several.said);
    let state = "redferry-sync-a.state.json";
    redferry.status(&["--state", state]).expect(5).expect_said("is no control file");
    redferry.status(&["--watch"]).expect(2).expect_said("--watch");
}

#[test]
fn a_process_that_stands_still_is_not_waited_for() {
    let (source, target, redferry) = plain();
    let mut child = redferry.start("sync", &[]);
    until_followed(&source, &target);
    child.signal("-STOP");
    let ended = redferry.status(&[]);
    child.signal("-CONT");
    ended.expect(5).expect_said("has not answered for 10 s").expect_said(&child.id().to_string());
    child.stop().expect(4);
}

#[test]
fn it_listens_where_it_is_told() {
    let (source, target, redferry) = plain();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    let refused = redferry.run("sync", &["--listen", &taken]).expect(2);
    refused.expect_said(&taken).expect_said("--listen off");
    redferry.run("sync", &["--listen", "localhost"]).expect(2).expect_said("127.0.0.1:0");
    let states = std::fs::read_dir(redferry.folder()).unwrap().filter_map(Result::ok);
    let states: Vec<_> =
        states.filter(|entry| entry.path().extension().is_some_and(|end| end == "json")).collect();
    assert!(
        states.is_empty() && target.command(&["DBSIZE"]) == Reply::Integer(0),
        "nothing was begun: {states:?}"
    );

    let child = redferry.start("sync", &["--listen", "off"]);
    until_followed(&source, &target);
    redferry.status(&[]).expect(5).expect_said("no sync runs here");
    child.stop().expect(4);

    let child = redferry.start("sync", &["--listen", "0.0.0.0:0", "--adopt-target"]);
    until("it answers", || redferry.status(&[]).code == 0);
    let running = of_running(&redferry);
    assert!(running.address.ip().is_loopback(), "an address to connect to: {}", running.address);
    assert_eq!(asked(running.address, "GET", "/healthz", None).code, 200);
    assert_eq!(asked(running.address, "GET", "/readyz", None).code, 401);
    assert_ne!(running.get("/readyz").code, 401);
    child.stop().expect(4).expect_said("WARNING").expect_said("plain HTTP");
}

#[test]
fn watching_ends_with_the_sync() {
    let (source, target, redferry) = plain();
    let child = redferry.start("sync", &[]);
    until_followed(&source, &target);
    let mut watching = redferry.status_command(&["--watch"]).spawn().unwrap();
    let mut shown = BufReader::new(watching.stdout.take().unwrap());
    let mut text = String::new();
    while text.matches("keys/s").count() < 2 {
        assert_ne!(shown.read_line(&mut text).unwrap(), 0, "it ended too early: {text}");
    }
    child.stop().expect(4);
    shown.read_to_string(&mut text).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(0), "{text}");
    assert!(text.ends_with("The sync has ended.\n") && !text.contains('\x1b'), "{text}");
}
