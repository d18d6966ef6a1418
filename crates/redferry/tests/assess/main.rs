//! `redferry assess` against real servers: what was used is found with its evidence, a clean cache has no findings, and
//! the source is only read.

mod fleet;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use testkit::access::Access;
use testkit::{Cluster, Server};

/// Runs the binary with the source's password in the environment, where it belongs.
fn assess(access: Option<&Access>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().arg("assess").args(arguments);
    if let Some(access) = access {
        command.args(["--source", &access.url()]);
        command.envs(access.password.iter().map(|password| ("REDFERRY_SOURCE_PASSWORD", password)));
    }
    command.output().expect("the binary runs")
}

#[track_caller]
fn document(access: Option<&Access>, arguments: &[&str], code: i32) -> Value {
    let output = assess(access, &[arguments, &["--output", "json"]].concat());
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{said}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// The finding, with these words in its evidence.
#[track_caller]
fn found(document: &Value, id: &str, severity: &str, evidence: &str) {
    let findings = document["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["id"] == id);
    let finding = finding.unwrap_or_else(|| panic!("no {id} in {findings:#?}"));
    assert_eq!(finding["severity"], severity, "{finding:#}");
    assert!(finding["evidence"].as_str().unwrap().contains(evidence), "{finding:#}");
    assert!(!finding["remedy"].as_str().unwrap().is_empty());
}

fn no_findings(document: &Value) {
    assert_eq!(document["findings"], json!([]), "{document:#}");
    assert_eq!(document["counts"]["blocker"], 0);
}

/// Sends these commands, one connection for all; an error of the server fails the test.
async fn send(access: &Access, commands: &[&str]) {
    let mut connection = access.connect().await;
    for line in commands {
        let mut words = line.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| _ = command.arg(word));
        let _: redis::Value =
            command.query_async(&mut connection).await.unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

/// A source that was used in every way that matters later.
async fn used(access: &Access) {
    send(
        access,
        &[
            "SET user:1001:profile top-secret-value",
            "SET user:1002:profile another-secret",
            "SADD tags:a x",
            "SADD tags:b y",
            "SUNION tags:a tags:b",
            "EVAL return(1) 0",
            "KEYS nothing*",
            "XADD events:1 * field value",
            "XINFO STREAM events:1",
            "PUBLISH news hello",
        ],
    )
    .await;
    let mut connection = access.connect().await;
    let _: () =
        redis::pipe().atomic().cmd("INCR").arg("counter:1").query_async(&mut connection).await.unwrap();
    let mut third = access.connect_db(3).await;
    let _: () = redis::cmd("SET").arg("billing:1").arg("x").query_async(&mut third).await.unwrap();
}

async fn clean(access: &Access) {
    let mut connection = access.connect().await;
    for number in 0..50 {
        let mut set = redis::cmd("SET");
        set.arg(format!("session:{number}")).arg("value").arg("EX").arg(1000);
        let _: () = set.query_async(&mut connection).await.unwrap();
    }
}

fn file(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The resource of a cache in which nothing is of concern.
fn resource(name: &str, change: &[(&str, Value)]) -> String {
    let mut resource = json!({
        "name": name, "type": "Microsoft.Cache/Redis", "location": "East US 2",
        "id": format!("/subscriptions/1/resourceGroups/shop/providers/Microsoft.Cache/Redis/{name}"),
        "hostName": format!("{name}.redis.cache.windows.net"),
        "sku": {"name": "Standard", "family": "C", "capacity": 0}, "minimumTlsVersion": "1.2",
        "disableAccessKeyAuthentication": true, "redisConfiguration": {"maxmemory-policy": "volatile-lru"},
    });
    for (field, value) in change {
        resource[*field] = value.clone();
    }
    resource.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_is_found_with_its_evidence() {
    let source = Server::acr().policy("volatile-lru").start();
    used(&source.access()).await;
    let document = document(Some(&source.access()), &[], 1);
    found(&document, "several_databases", "blocker", "database 3: 1 keys");
    found(&document, "commands_blocked", "blocker", "SELECT");
    found(&document, "lua_scripts", "note", "EVAL once");
    found(&document, "transactions", "note", "MULTI once, EXEC once");
    found(&document, "multi_key", "note", "SUNION once");
    found(&document, "keys_command", "note", "KEYS once");
    found(&document, "version_changes", "note", "XINFO once");
    found(&document, "pubsub", "note", "PUBLISH once");
    found(&document, "keys_without_ttl", "warning", "do not expire");
    assert_eq!((&document["sku"], &document["clustering_policy"]), (&json!("B0"), &json!("NoCluster")));
    assert_eq!(document["strategy"], "sync");
    let runbook = document["runbook"].to_string();
    assert!(
        runbook.contains("redferry sync --source redis://127.0.0.1:") && runbook.contains("--prefix-by-db"),
        "{runbook}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn config_and_notifications_are_found_where_config_is_allowed() {
    let source = Server::plain6().arg("notify-keyspace-events", "KEA").start();
    clean(&source.access()).await;
    send(&source.access(), &["CONFIG GET maxmemory"]).await;
    let document = document(Some(&source.access()), &[], 0);
    found(&document, "commands_changed", "warning", "CONFIG");
    found(&document, "keyspace_notifications", "warning", "notify-keyspace-events");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_cache_has_no_findings_and_is_only_read() {
    let source = Server::acr().policy("volatile-lru").start();
    clean(&source.access()).await;
    let folder = tempfile::tempdir().unwrap();
    let arm = file(folder.path(), "arm.json", &resource("orders", &[]));
    let calls = || commandstats(&source.command(&["INFO", "commandstats"]).text());
    let changes = || {
        let info = source.command(&["INFO", "persistence"]).text();
        info.lines().find(|line| line.starts_with("rdb_changes_since_last_save")).map(str::to_owned)
    };
    let (before, changed) = (calls(), changes());
    // Twice: what redferry itself sends is nothing to be found by the next run.
    no_findings(&document(Some(&source.access()), &["--arm", &arm], 0));
    let second = document(Some(&source.access()), &["--arm", &arm], 0);
    no_findings(&second);
    assert_eq!(second["name"], "orders");
    let grown: Vec<String> = calls()
        .into_iter()
        .filter(|(name, calls)| before.get(name) != Some(calls))
        .map(|(name, _)| name)
        .collect();
    let allowed = ["auth", "client", "cluster", "info", "memory", "ping", "pttl", "scan", "slowlog", "type"];
    assert!(grown.iter().all(|name| allowed.contains(&name.as_str())), "the source was sent {grown:?}");
    assert!(grown.contains(&"scan".to_owned()) && grown.contains(&"slowlog".to_owned()), "{grown:?}");
    assert_eq!(changes(), changed);
}

fn commandstats(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_report_has_a_password_a_value_or_a_key() {
    let source = Server::acr().start();
    used(&source.access()).await;
    let folder = tempfile::tempdir().unwrap();
    let (html, md) = (folder.path().join("plan.html"), folder.path().join("plan.md"));
    let reports = ["--report", html.to_str().unwrap(), "--report", md.to_str().unwrap()];
    let output = assess(Some(&source.access()), &[&reports[..], &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = assess(Some(&source.access()), &[]);
    let said = [output.stdout, output.stderr, text.stdout, text.stderr].concat();
    let password = source.access().password.unwrap();
    let pages = [std::fs::read_to_string(&html).unwrap(), std::fs::read_to_string(&md).unwrap()];
    for page in pages.iter().map(String::as_str).chain([String::from_utf8_lossy(&said).as_ref()]) {
        for secret in [password.as_str(), "top-secret", "another-secret", "1001", "user:1002", "counter:1"] {
            assert!(!page.contains(secret), "{secret:?} is in {page}");
        }
    }
    let [html, md] = pages;
    assert!(
        html.contains("user:")
            && html.contains("<svg")
            && !html.contains("<script")
            && !html.contains("http://")
    );
    assert!(html.contains("Times to live") && html.contains("commands_blocked"), "{html}");
    assert!(md.contains("(`several_databases`)") && md.contains("## Runbook"), "{md}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_bounded_and_spread_over_databases() {
    let source = Server::acr().start();
    for database in [0, 5] {
        let mut connection = source.access().connect_db(database).await;
        let mut pipe = redis::pipe();
        (0..400).for_each(|number| _ = pipe.cmd("RPUSH").arg(format!("job:{number}")).arg("x").ignore());
        let _: () = pipe.query_async(&mut connection).await.unwrap();
    }
    let looked_at = || {
        let calls = commandstats(&source.command(&["INFO", "commandstats"]).text());
        calls.get("type").copied().unwrap_or(0)
    };
    // SCAN gives whole buckets, so it often gives more than it is asked for.
    for keys in [1, 3, 6, 10, 25, 100] {
        let before = looked_at();
        let document = document(Some(&source.access()), &["--sample", &keys.to_string()], 1);
        assert_eq!(looked_at() - before, keys, "keys that were looked at");
        let notes = document["notes"].to_string();
        assert!(notes.contains(&format!("those of {keys} of 800 keys")), "{notes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_nodes_of_a_cluster_are_read() {
    let source = Cluster::acr(2).start();
    let mut connection = source.access().connect_cluster().await;
    for number in 0..60 {
        let mut set = redis::cmd("SET");
        set.arg(format!("{{tag{number}}}:session")).arg("value").arg("EX").arg(1000);
        let _: () = set.query_async(&mut connection).await.unwrap();
    }
    let document = document(Some(&source.access()), &[], 0);
    assert_eq!(document["clustering_policy"], "OSSCluster");
    assert_eq!(document["estimates"]["keys"], 60);
    assert!(
        !document["notes"].to_string().contains("of 60 keys"),
        "all were looked at: {}",
        document["notes"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_tells_nothing_is_not_taken_for_its_neighbour() {
    let source = Cluster::plain6(3).start();
    let mut connection = source.access().connect_cluster().await;
    for number in 0..90 {
        let mut push = redis::cmd("RPUSH");
        push.arg(format!("job:{number}")).arg("x");
        let _: () = push.query_async(&mut connection).await.unwrap();
    }
    // The first node is left with one key, all others keep theirs.
    let of_first = source.admin(0, &["EVAL", "return redis.call('KEYS', '*')", "0"]);
    let testkit::server::Reply::Array(of_first) = of_first else { panic!("{of_first:?}") };
    for key in &of_first[1..] {
        let _: () = redis::cmd("DEL").arg(key.text()).query_async(&mut connection).await.unwrap();
    }
    source.admin(0, &["ACL", "SETUSER", "default", "-info"]);
    let document = document(Some(&source.access()), &["--sample", "1000"], 0);
    let notes = document["notes"].to_string();
    assert!(notes.contains("refused INFO (NOPERM)"), "{notes}");
    // Every key of the nodes that told how many they have was looked at.
    assert_eq!(document["estimates"]["keys"], 90 - of_first.len(), "{document:#}");
    assert!(!notes.contains("prefixes are those of"), "{notes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_a_note() {
    let source =
        Server::plain6().arg("rename-command", "SLOWLOG \"\"").arg("rename-command", "MEMORY \"\"").start();
    clean(&source.access()).await;
    let document = document(Some(&source.access()), &[], 0);
    let notes = document["notes"].to_string();
    assert!(
        notes.contains("refused SLOWLOG GET (ERR)") && notes.contains("refused MEMORY USAGE (ERR)"),
        "{notes}"
    );
}

#[test]
fn the_resource_alone_makes_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let arm = file(
        folder.path(),
        "arm.json",
        &resource("orders", &[("subnetId", json!("/x/subnets/redis")), ("zones", json!(["1"]))]),
    );
    let document = document(None, &["--arm", &arm], 1);
    found(&document, "vnet_injection", "blocker", "redis");
    found(&document, "zone_pinning", "note", "1");
    assert_eq!(document["sku"], "B0");
    assert_eq!(document["address"], Value::Null);
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command
        .env_clear()
        .args(["assess", "--arm", "-", "--output", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), resource("x", &[]).as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn bad_input_has_a_clear_answer() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str], words: &str| {
        let document = document(None, arguments, 2);
        assert!(document["error"].as_str().unwrap().contains(words), "{document:#}");
    };
    let arm = |change: &[(&str, Value)]| file(folder.path(), "arm.json", &resource("orders", change));
    refused(&["--arm", &arm(&[("sku", json!({"name": "Enterprise_E10", "capacity": 2}))])], "2027-03-31");
    refused(&["--arm", &arm(&[("type", json!("Microsoft.Web/sites"))])], "Microsoft.Web/sites is no cache");
    refused(
        &["--arm", &arm(&[("sku", json!({"name": "Basic", "capacity": "[parameters('c')]"}))])],
        "only a deployment resolves",
    );
    refused(&["--arm", &file(folder.path(), "x.json", "{")], "no JSON");
    std::fs::write(folder.path().join("latin1"), [b'{', 0xe9]).unwrap();
    refused(&["--arm", folder.path().join("latin1").to_str().unwrap()], "no UTF-8");
    refused(&["--arm", "/nowhere"], "/nowhere");
    refused(&["--metrics", &file(folder.path(), "m.json", "{}")], "az monitor metrics list");
    refused(&["--arm", &arm(&[]), "--report", "plan.pdf"], ".html or .md");
    refused(&["--arm", &arm(&[]), "--report", "/nowhere/plan.md"], "/nowhere/plan.md");
    refused(&["--fleet", &file(folder.path(), "empty", "# none\n")], "no cache in it");
    let list = file(folder.path(), "fleet", "redis://127.0.0.1:1\n");
    refused(&["--fleet", &list, "--app", "."], "cannot be used with");
    let enterprise = resource("big", &[("sku", json!({"name": "Enterprise_E10", "capacity": 2}))]);
    let resources = file(folder.path(), "list.json", &format!("[{}, {enterprise}]", resource("a", &[])));
    refused(&["--fleet", &list, "--arm", &resources], "entry 2");
    refused(&[], "--fleet FILE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_has_one_table_and_a_report_for_each() {
    let (one, other) = (Server::acr().policy("volatile-lru").start(), Server::acr().start());
    clean(&one.access()).await;
    used(&other.access()).await;
    let folder = tempfile::tempdir().unwrap();
    let list = format!(
        "# caches\n{}\n\n{}\nredis://:secret-word@127.0.0.1:1\n",
        one.access().url(),
        other.access().url()
    );
    let fleet = file(folder.path(), "fleet", &list);
    let report = folder.path().join("plan.md");
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().env("REDFERRY_SOURCE_PASSWORD", one.access().password.unwrap());
    command.args(["assess", "--fleet", &fleet, "--report", report.to_str().unwrap(), "--output", "json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let caches = document["caches"].as_array().unwrap();
    assert_eq!(caches.len(), 3);
    no_findings(&caches[0]);
    found(&caches[1], "several_databases", "blocker", "database 3");
    assert!(caches[2]["error"].as_str().unwrap().contains("127.0.0.1:1"), "{document:#}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret-word"));
    for name in ["plan-127.0.0.1.md", "plan-127.0.0.1-2.md"] {
        assert!(folder.path().join(name).exists(), "{name}");
    }
}

#[test]
fn the_document_has_the_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let data = json!([{"timeStamp": "1", "maximum": 50.0, "average": 20.0}]);
    let metric = json!({"name": {"value": "serverLoad"}, "timeseries": [{"data": data}]});
    let metrics = file(folder.path(), "metrics.json", &json!({"value": [metric]}).to_string());
    let arm = file(folder.path(), "arm.json", &resource("a", &[]).to_string());
    let document = document(None, &["--arm", &arm, "--metrics", &metrics], 0);
    let load = json!({"peak": 50.0, "p95": 50.0, "average": 20.0, "points": 1, "timeseries": 1});
    assert_eq!(document["metrics"]["server_load"], load);
}

#[test]
fn a_list_of_resources_is_a_fleet() {
    let folder = tempfile::tempdir().unwrap();
    let enterprise = resource("big", &[("sku", json!({"name": "Enterprise_E10", "capacity": 2}))]);
    let list = format!("[{}, {}]", resource("a", &[]), resource("b", &[("zones", json!(["1"]))]));
    let fleet = file(folder.path(), "list.json", &list);
    let both = document(None, &["--fleet", &fleet], 0);
    assert_eq!(both["caches"][1]["findings"][0]["id"], "zone_pinning");
    let fleet = file(folder.path(), "list.json", &format!("[{}, {enterprise}]", resource("a", &[])));
    let failed = document(None, &["--fleet", &fleet], 5);
    assert!(failed["caches"][1]["error"].as_str().unwrap().contains("out of scope"), "{failed:#}");
    let text = assess(None, &["--fleet", &fleet]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("sku"), "{text:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_applications_must_change_is_found_in_their_sources() {
    let source = Server::acr().start();
    clean(&source.access()).await;
    let folder = tempfile::tempdir().unwrap();
    let text = "import redis\ncache = redis.Redis(host='shop.redis.cache.windows.net', port=6380, ssl=True)\n\
         cache.mget('a', 'b')\n";
    std::fs::write(folder.path().join("cache.py"), text).unwrap();
    let path = folder.path().to_str().unwrap();
    let document = document(Some(&source.access()), &["--app", path], 0);
    found(&document, "application", "warning", "cache.py:2");
    // Without clustering any keys go together.
    assert_eq!(document["clustering_policy"], "NoCluster");
    assert!(!document["findings"].to_string().contains("cache.py:3"), "{document:#}");
}
