//! Many caches at once.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use testkit::{Server, tls};

use super::{assess, clean, document, file, found, resource, used};

/// The resource of a server of this machine.
fn at(name: &str, host: &str, tls_port: Option<u16>, plaintext_port: Option<u16>) -> Value {
    let change = [
        ("hostName", json!(host)),
        ("sslPort", json!(tls_port)),
        ("port", json!(plaintext_port)),
        ("enableNonSslPort", json!(plaintext_port.is_some())),
    ];
    serde_json::from_str(&resource(name, &change)).unwrap()
}

/// A port that nobody listens on.
fn closed() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn metrics(memory: f64) -> String {
    let data = json!([{"timeStamp": "1", "maximum": memory, "average": memory}]);
    json!({"value": [{"name": {"value": "usedmemory"}, "timeseries": [{"data": data}]}]}).to_string()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        file(folder.path(), name, content);
    }
    folder
}

fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().unwrap()
}

fn list(folder: &Path, caches: &[Value]) -> String {
    file(folder, "list.json", &json!(caches).to_string())
}

fn notes(cache: &Value) -> String {
    cache["notes"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_resources_is_read_live_where_it_is_asked_for() {
    let carts = Server::acr().policy("volatile-lru").password(Some("carts-sesame")).start();
    let orders = Server::acr().tls(true).password(Some("orders-sesame")).start();
    clean(&carts.access()).await;
    used(&orders.access()).await;
    let work = tempfile::tempdir().unwrap();
    let fleet = list(
        work.path(),
        &[
            at("carts", "127.0.0.1", None, Some(carts.access().port)),
            at("orders", "localhost", Some(orders.tls_access().port), Some(1)),
            at("gone", "127.0.0.1", Some(closed()), None),
        ],
    );
    // By the name of the cache, in other capitals, and by its host.
    let passwords = folder(&[("Carts", "carts-sesame\n"), ("localhost", "orders-sesame"), (".hidden", "")]);
    let index = work.path().join("my fleet.html");
    let ca = tls::authority().ca.to_str().unwrap();
    let options = ["--fleet", &fleet, "--source-passwords", path(&passwords), "--ca", ca];
    let not_asked = document(None, &["--fleet", &fleet], 0);
    assert!(notes(&not_asked["caches"][1]).contains("the live cache was not read"), "{not_asked:#}");
    assert_eq!(not_asked["totals"]["read"], 0);

    let reports = ["--connect", "--report", index.to_str().unwrap()];
    let output = assess(None, &[&options[..], &reports, &["--output", "json"]].concat());
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [carts, orders, gone] = &document["caches"].as_array().unwrap()[..] else { panic!("{document:#}") };
    found(carts, "plaintext_clients", "warning", "enableNonSslPort");
    assert_eq!(carts["counts"], json!({"blocker": 0, "warning": 1, "note": 0}), "{carts:#}");
    assert!(
        notes(carts).contains("metrics were not given") && !notes(carts).contains("live cache"),
        "{carts:#}"
    );
    assert_eq!((&carts["name"], carts.get("error")), (&json!("carts"), None));
    found(orders, "several_databases", "blocker", "database 3");
    assert!(orders["address"].as_str().unwrap().starts_with("localhost:"));
    // Planned from the resource alone, and says so.
    assert_eq!((&gone["name"], &gone["sku"]), (&json!("gone"), &json!("B0")));
    assert!(gone["error"].as_str().unwrap().contains("127.0.0.1"), "{gone:#}");
    assert!(notes(gone).contains("the live cache could not be read: "), "{gone:#}");
    assert!(document["error"].as_str().unwrap().contains("not read, and planned without gone"));
    let totals = &document["totals"];
    assert_eq!((&totals["caches"], &totals["planned"], &totals["read"]), (&json!(3), &json!(3), &json!(2)));
    assert_eq!((&totals["blocked"], &totals["blockers"]), (&json!(1), &orders["counts"]["blocker"]));
    assert_eq!(document["warnings"], json!([]));

    let page = std::fs::read_to_string(&index).unwrap();
    for name in ["carts", "orders", "gone"] {
        assert!(page.contains(&format!("<a href=\"my%20fleet-{name}.html\">{name}</a>")), "{page}");
        let report = std::fs::read_to_string(work.path().join(format!("my fleet-{name}.html"))).unwrap();
        assert!(report.contains(&format!("Move of {name} to Azure Managed Redis")));
        assert!(!report.contains("sesame") && !report.contains("top-secret"));
    }
    assert!(page.contains("Something must be done first for 1 of 3 caches"), "{page}");
    assert!(page.contains("What could not be read") && !page.contains("sesame"), "{page}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("sesame"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_not_right_is_told_of_its_cache_only() {
    let source = Server::acr().password(Some("right-sesame")).start();
    clean(&source.access()).await;
    let work = tempfile::tempdir().unwrap();
    let port = Some(source.access().port);
    let mut nowhere = at("nowhere", "", None, None);
    nowhere["hostName"] = Value::Null;
    let fleet = list(
        work.path(),
        &[
            at("none", "127.0.0.1", None, port),
            at("wrong", "127.0.0.1", None, port),
            at("empty", "127.0.0.1", None, port),
            at("right", "127.0.0.1", None, port),
            at("strange", "me@127.0.0.1", None, port),
            nowhere,
        ],
    );
    let passwords = folder(&[
        ("wrong", "wrong-sesame"),
        ("empty", ""),
        ("right", "right-sesame"),
        ("strange", "right-sesame"),
        ("rigth", "right-sesame"),
    ]);
    let options = ["--fleet", &fleet, "--connect", "--source-passwords", path(&passwords)];
    let document = document(None, &options, 5);
    let caches = document["caches"].as_array().unwrap();
    let error = |at: usize| caches[at]["error"].as_str().unwrap_or_default();
    assert!(error(0).contains("password") && error(1).contains("password"), "{:?}", (error(0), error(1)));
    assert!(error(2).contains("--fleet: the password file") && error(2).contains("is empty"), "{}", error(2));
    assert_eq!(error(3), "");
    assert!(error(4).contains("is no name of a host"), "{}", error(4));
    assert!(error(5).contains("hostName"), "{}", error(5));
    assert!(caches.iter().all(|cache| cache["sku"] == "B0"), "{document:#}");
    assert_eq!(document["totals"]["read"], 1);
    let warnings = document["warnings"].as_array().unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].as_str().unwrap().contains("rigth fits no cache"),
        "{warnings:?}"
    );
    assert!(!document.to_string().contains("sesame"), "{document:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_have_their_own_passwords_and_files() {
    let (own, other) = (
        Server::acr().password(Some("own-sesame")).start(),
        Server::acr().tls(true).password(Some("other-sesame")).start(),
    );
    clean(&own.access()).await;
    clean(&other.access()).await;
    let addresses = format!(
        "{}\n{}\nredis://:secret-sesame@:1\nredis://127.0.0.1:{}\n",
        own.access().url_with_password(),
        other.tls_access().url(),
        closed()
    );
    let work = tempfile::tempdir().unwrap();
    let fleet = file(work.path(), "fleet", &addresses);
    let passwords = folder(&[("localhost", "other-sesame")]);
    // What is known of the resource is planned from, even if nobody answers.
    let arm = list(work.path(), &[at("gone", "127.0.0.1", None, None)]);
    let ca = tls::authority().ca.to_str().unwrap();
    let mut options = vec!["--fleet", &fleet, "--source-passwords", path(&passwords), "--ca", ca];
    let without = document(None, &options, 5);
    let caches = without["caches"].as_array().unwrap();
    assert!(caches[0].get("error").is_none() && caches[1].get("error").is_none(), "{without:#}");
    assert_eq!((&caches[2]["name"], &without["totals"]["planned"]), (&json!("line 3"), &json!(2)));
    assert_eq!(caches[3]["sku"], Value::Null);
    let text = assess(None, &options);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let row = text.lines().find(|line| line.starts_with("line 3 ")).unwrap_or_else(|| panic!("{text}"));
    assert_eq!(row.split_whitespace().skip(2).collect::<Vec<_>>(), ["-"; 9], "{text}");
    assert!(text.contains("4: 2 planned, 2 of them read live") && !text.contains("sesame"), "{text}");
    options.extend(["--arm", &arm]);
    let with = document(None, &options, 5);
    assert_eq!((&with["caches"][3]["name"], &with["caches"][3]["sku"]), (&json!("gone"), &json!("B0")));
    assert!(with["caches"][3]["error"].as_str().unwrap().contains("127.0.0.1"), "{with:#}");
}

#[test]
fn every_cache_has_its_metrics() {
    let work = tempfile::tempdir().unwrap();
    let caches = ["orders", "carts", "none"]
        .map(|name| serde_json::from_str(&resource(name, &[])).expect("a resource"));
    let fleet = list(work.path(), &caches);
    let (of_orders, of_carts) = (metrics(40e9), metrics(1e9));
    let files = folder(&[
        ("orders.json", &of_orders),
        ("carts.redis.cache.windows.net.json", &of_carts),
        ("order.json", &of_orders),
    ]);
    let document = document(None, &["--fleet", &fleet, "--metrics", path(&files)], 0);
    let peak = |at: usize| document["caches"][at]["size"]["peak_bytes"].clone();
    assert_eq!([peak(0), peak(1), peak(2)], [json!(40_000_000_000_u64), json!(1_000_000_000), Value::Null]);
    assert!(!notes(&document["caches"][0]).contains("metrics were not given"));
    assert!(notes(&document["caches"][2]).contains("metrics were not given"));
    let warnings = document["warnings"].as_array().unwrap();
    assert!(
        warnings.len() == 1 && warnings[0].as_str().unwrap().contains("order.json fits no"),
        "{warnings:?}"
    );
    let text = assess(None, &["--fleet", &fleet, "--metrics", path(&files)]);
    assert!(
        String::from_utf8_lossy(&text.stdout).contains("order.json fits no cache of the list"),
        "{text:?}"
    );

    let refused = |arguments: &[&str], words: &str| {
        let document = super::document(None, arguments, 2);
        assert!(document["error"].as_str().unwrap().contains(words), "{document:#}");
    };
    let single = file(work.path(), "one.json", &of_orders);
    refused(&["--fleet", &fleet, "--metrics", &single], "a folder with a file for each cache");
    let broken = folder(&[("carts.json", "{}")]);
    refused(&["--fleet", &fleet, "--metrics", path(&broken)], "carts.json");
    refused(&["--fleet", &fleet, "--source-passwords", path(&files)], "with --connect only");
    refused(&["--fleet", &fleet, "--connect", "--source-passwords", "/nowhere"], "/nowhere");
    refused(&["--fleet", &fleet, "--source-passwords", ".", "--source-password-file", "x"], "cannot be used");
    refused(&["--arm", &fleet, "--connect"], "--fleet");
    refused(&["--arm", &fleet, "--source-passwords", "."], "--fleet");
}

#[test]
fn the_totals_are_those_of_the_caches_that_have_a_price() {
    let work = tempfile::tempdir().unwrap();
    let item = |sku: &str, price: f64| json!({"meterName": format!("{sku} Cache Instance"), "armRegionName": "eastus2", "retailPrice": price});
    let prices = json!({"Items": [item("C0", 0.0221), item("B0", 0.017), item("B1", 0.034)]});
    let prices = file(work.path(), "prices.json", &prices.to_string());
    let cache = |name: &str, change: &[(&str, Value)]| serde_json::from_str(&resource(name, change)).unwrap();
    let c1 = json!({"name": "Standard", "family": "C", "capacity": 1});
    let caches: [Value; 4] = [
        cache("a", &[]),
        cache("b", &[("subnetId", json!("/x/subnets/redis"))]),
        cache("one|[x]", &[("sku", c1)]),
        cache("far", &[("location", json!("Atlantis"))]),
    ];
    let fleet = list(work.path(), &caches);
    let index = work.path().join("fleet.md");
    let options = ["--fleet", &fleet, "--prices", &prices, "--report", index.to_str().unwrap()];
    let document = document(None, &options, 1);
    let totals = &document["totals"];
    // 32.27 for each C0, 24.82 for each B0 and 49.64 for B1; C1 has no price, and nothing is sold in Atlantis.
    assert_eq!(totals["source"], json!({"monthly": 64.54, "caches": 2}), "{document:#}");
    assert_eq!(totals["target"], json!({"monthly": 99.28, "caches": 3}), "{document:#}");
    assert_eq!(totals["difference"], json!({"monthly": -14.9, "caches": 2}));
    assert_eq!((&totals["currency"], &totals["blocked"]), (&json!("USD"), &json!(1)));
    assert_eq!(
        (&totals["prices"], &totals["priced_at"]),
        (&json!("file"), &document["caches"][0]["price"]["priced_at"])
    );
    let text = String::from_utf8(assess(None, &options).stdout).unwrap();
    assert!(text.contains("the oldest, from the file"), "{text}");
    assert!(text.contains("price now  64.54 USD a month, of 2 of 4 caches"), "{text}");
    assert!(text.contains("difference  -14.90 USD a month, of 2 of 4 caches"), "{text}");
    let page = std::fs::read_to_string(&index).unwrap();
    assert!(page.contains("| [a](fleet-a.md) | standard C0 | B0 | NoCluster |"), "{page}");
    assert!(page.contains("| [one\\|\\[x\\]](fleet-one--x-.md) | standard C1 |"), "{page}");
    assert!(
        page.contains("| 64.54 USD a month") || page.contains("64.54 USD a month, of 2 of 4 caches"),
        "{page}"
    );
    assert!(work.path().join("fleet-one--x-.md").exists() && work.path().join("fleet-far.md").exists());
}

/// A listener that takes connections and never says a word; it hands them over as they come.
fn silent() -> (u16, mpsc::Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if sender.send(stream.unwrap()).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

/// The next connection, once something was said on it.
fn asked(streams: &mpsc::Receiver<TcpStream>) -> TcpStream {
    let mut stream = streams.recv_timeout(Duration::from_secs(60)).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert!(stream.read(&mut [0; 16]).expect("something") > 0);
    stream
}

#[test]
fn four_caches_are_read_at_a_time_and_an_interruption_ends_it() {
    let (port, streams) = silent();
    let work = tempfile::tempdir().unwrap();
    let fleet = file(work.path(), "fleet", &format!("redis://127.0.0.1:{port}\n").repeat(6));
    let report = work.path().join("plan.md");
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().args(["assess", "--fleet", &fleet, "--output", "json"]);
    command.args(["--report", report.to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let held: Vec<TcpStream> = (0..4).map(|_| asked(&streams)).collect();
    assert!(streams.recv_timeout(Duration::from_secs(1)).is_err(), "a fifth while four were not answered");
    let began = Instant::now();
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!((output.status.code(), output.status.signal()), (Some(4), None), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["error"].as_str().unwrap().contains("nothing was written"), "{document:#}");
    assert!(!report.exists() && held.len() == 4);
    let written: Vec<_> = std::fs::read_dir(work.path()).unwrap().collect();
    assert_eq!(written.len(), 1, "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_has_the_order_of_the_list() {
    let (port, streams) = silent();
    let source = Server::acr().start();
    clean(&source.access()).await;
    let work = tempfile::tempdir().unwrap();
    let fast = || at("fast", "127.0.0.1", None, Some(source.access().port));
    let fleet = list(work.path(), &[at("slow", "127.0.0.1", None, Some(port)), fast(), fast()]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().env("REDFERRY_SOURCE_PASSWORD", source.access().password.unwrap());
    command.args(["assess", "--fleet", &fleet, "--connect", "--output", "json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first answers after the others are through.
    let held = asked(&streams);
    let slowlogs = || super::commandstats(&source.command(&["INFO", "commandstats"]).text());
    let deadline = Instant::now() + Duration::from_secs(60);
    while slowlogs().get("slowlog").copied().unwrap_or(0) < 2 {
        assert!(Instant::now() < deadline, "the others were not read meanwhile");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop((held, streams));
    let output = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> =
        document["caches"].as_array().unwrap().iter().filter_map(|cache| cache["name"].as_str()).collect();
    assert_eq!((names, output.status.code()), (vec!["slow", "fast", "fast"], Some(5)), "{document:#}");
    assert!(document["caches"][0]["error"].is_string() && document["totals"]["read"] == 2, "{document:#}");
}
