//! Prices of today, through the real binary and a real server in the place of Azure's.

mod api;
mod plans;

use std::process::{Command, Output};
use std::time::{Duration, Instant};

use api::{Answer, Api, Asked, answer, endless, nowhere, page, with_header};
use serde_json::{Value, json};
use testkit::tls;

/// Runs the binary with these variables and none else.
fn redferry(variables: &[(&str, &str)], arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().envs(variables.iter().copied()).args(arguments.split_whitespace());
    command.output().expect("the binary runs")
}

#[track_caller]
fn document(arguments: &str, code: i32) -> Value {
    document_with(&[], arguments, code)
}

#[track_caller]
fn document_with(variables: &[(&str, &str)], arguments: &str, code: i32) -> Value {
    let output = redferry(variables, &format!("{arguments} --output json"));
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments}: {out}{said}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[track_caller]
fn has(text: &Value, words: &str) {
    assert!(text.as_str().is_some_and(|text| text.contains(words)), "nothing about {words:?} in {text:#}");
}

const P2: &str = "price --sku P2 --region WestUS2";
const BOTH: &[(&str, f64)] = &[("P2", 0.555), ("B10", 0.3)];

fn today() -> Value {
    document("dates", 0)["today"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_of_today_come_from_every_page() {
    let api = Api::start(|_, asked| match asked.value("$skip") {
        None => page("westus2", &BOTH[..1], Some("/api/retail/prices?$filter=the%20same&$skip=1")),
        Some(_) => page("westus2", &BOTH[1..], None),
    })
    .await;
    let before = today();
    let found = document(&format!("{P2} --prices live --price-api {}", api.url), 0);
    assert_eq!((&found["source_monthly"], &found["target_monthly"]), (&json!(810.3), &json!(438.0)));
    assert_eq!((&found["prices"], &found["notes"]), (&json!("live"), &json!([])));
    assert!([before, today()].contains(&found["priced_at"]), "{found:#}");
    let [first, second] = &api.asked()[..] else { panic!("{:?}", api.asked()) };
    // To the letter what Azure documents, with spaces as every server reads them.
    let filter = "serviceName eq 'Redis Cache' and armRegionName eq 'westus2' and type eq 'Consumption'";
    let query = [("currencyCode", "'USD'"), ("$filter", filter)];
    assert_eq!(first.query, query.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(first.uri.starts_with("/api/retail/prices?") && !first.uri.contains('+'), "{}", first.uri);
    assert_eq!(second.value("$filter"), Some("the same"));
    let said = redferry(&[("REDFERRY_PRICE_API", &api.url)], P2);
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.contains("from the retail price API of 20") && said.contains("810.30 USD"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sold_is_told() {
    let api = Api::start(|_, asked| match asked.value("$filter") {
        Some(filter) if filter.contains("westus2") => page("westus2", &BOTH[..1], None),
        _ => page("", &[], None),
    })
    .await;
    let with = |arguments: &str| document(&format!("{arguments} --prices live --price-api {}", api.url), 2);
    let nothing = with("price --sku P2 --region atlantis");
    has(&nothing["error"], "P2 is not sold in atlantis: the retail price API has nothing of Redis there");
    let half = with(P2);
    has(&half["error"], "B10 is not sold in westus2");
    assert_eq!(half["source_monthly"], json!(810.3));
    // What there is not at all is asked of nobody.
    let asked = api.asked().len();
    has(&with("price --sku P9 --region westus2")["error"], "no SKU \"P9\"");
    has(&with("price --sku P2 --region westus2 --shards 31")["error"], "1 to 30");
    assert_eq!(api.asked().len(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_api_is_asked_again() {
    let api = Api::start(|number, _| match number {
        0 => with_header(429, "retry-after", "2"),
        1 => answer(503, ""),
        _ => page("westus2", BOTH, None),
    })
    .await;
    let began = Instant::now();
    let found = document(&format!("{P2} --prices live --price-api {}", api.url), 0);
    assert_eq!((&found["prices"], api.asked().len()), (&json!("live"), 3));
    assert!(began.elapsed() >= Duration::from_secs(2), "asked again after {:?}", began.elapsed());
}

/// What the command says to an API that answers so, and how often it asked.
async fn failed(answers: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static) -> (Value, usize) {
    let api = Api::start(answers).await;
    let began = Instant::now();
    let document = document(&format!("{P2} --prices live --price-api {}", api.url), 5);
    assert!(began.elapsed() < Duration::from_secs(60), "{:?} for {document:#}", began.elapsed());
    has(&document["error"], "the retail price API at http://127.0.0.1:");
    (document["error"].clone(), api.asked().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_trouble_has_its_words() {
    let body = |status: u16, body: &'static str| move |_: usize, _: &Asked| answer(status, body);
    for (status, text, words) in [
        (200, "", "not understood: EOF"),
        (200, "<html><body>Sign in to the network</body></html>", "not understood"),
        (200, "{\"Items\": null}", "must have Items"),
        (200, "{\"Error\": {\"Code\": \"BadRequest\"}}", "must have Items"),
        (200, "{\"Items\": [], \"NextPageLink\": \"http://[\"}", "NextPageLink is no URL"),
        (404, "<html>", "it answers 404 Not Found; check the network"),
        (407, "", "407 Proxy Authentication Required"),
    ] {
        has(&failed(body(status, text)).await.0, words);
    }
    let refusal =
        "{\"Error\": {\"Code\": \"BadRequest\", \"Message\": \"Invalid OData \\u001b[31mparameters\"}}";
    for status in [400, 404] {
        let (error, asked) = failed(body(status, refusal)).await;
        has(&error, "BadRequest: Invalid OData \\u{1b}[31mparameters; check region and currency");
        assert_eq!(asked, 1, "a refusal stays one");
    }
    has(&failed(body(400, "{\"Error\": \"Invalid OData\"}")).await.0, "400 Bad Request, Invalid OData");
    has(&failed(|_, _| answer(200, &b"{\"Items\": \"\xff\"}"[..])).await.0, "no UTF-8");
    let (error, asked) = failed(|_, _| with_header(429, "retry-after", "3600")).await;
    has(&error, "429 Too Many Requests and asks to wait 3600 s");
    assert_eq!(asked, 1);
    let (error, asked) = failed(|_, _| answer(500, "")).await;
    has(&error, "500 Internal Server Error");
    assert!(asked > 2, "asked {asked} times");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_an_end() {
    has(&failed(|_, _| endless(true)).await.0, "larger than 8 MiB");
    has(&failed(|_, _| endless(false)).await.0, "no whole answer within 10 s");
    let (error, asked) = failed(|_, _| page("westus2", BOTH, Some("?$skip=1"))).await;
    has(&error, "more than 20 pages");
    assert_eq!(asked, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_is_asked() {
    let other = Api::start(|_, _| page("westus2", BOTH, None)).await;
    let elsewhere = other.url.replace("/api/retail/prices", "");
    let to = other.url.clone();
    let (error, _) = failed(move |_, _| with_header(302, "location", &to)).await;
    has(&error, &format!("it sends on to {elsewhere}, which is not followed"));
    let to = other.url.clone();
    let (error, _) = failed(move |_, _| page("westus2", BOTH, Some(&format!("{to}?secret=1")))).await;
    has(&error, &format!("its next page is at {elsewhere}, which is not followed"));
    assert!(other.asked().is_empty(), "{:?}", other.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_api_the_snapshot_answers_and_says_why() {
    let nowhere = nowhere();
    let m10 = document(&format!("price --sku M10 --region westus2 --price-api {nowhere}"), 0);
    assert_eq!((&m10["prices"], &m10["priced_at"]), (&json!("snapshot"), &json!("2026-02")));
    assert_eq!(m10["source_monthly"], json!(449.68));
    has(&m10["notes"][0], "those are of the snapshot of 2026-02: the retail price API at http://127.0.0.1:");
    has(&m10["notes"][0], "no connection: Connection refused");
    // What neither knows is a failure and no wrong question.
    let p2 = document(&format!("{P2} --price-api {nowhere}"), 5);
    has(&p2["error"], "Connection refused");
    has(&p2["error"], "the snapshot has no price for P2 in westus2");
    // Whoever insists is told what to do.
    let live = document(&format!("{P2} --prices live --price-api {nowhere}"), 5);
    has(&live["error"], "Connection refused");
    has(&live["error"], "--prices snapshot");
    // A question that is refused is not answered by something older.
    let body = "{\"Error\": {\"Code\": \"BadRequest\", \"Message\": \"no such currency\"}}";
    let api = Api::start(move |_, _| answer(400, body)).await;
    let refused = document(&format!("price --sku M10 --region westus2 --price-api {}", api.url), 5);
    has(&refused["error"], "no such currency");
    // An answer that is none may come from whoever guards the network.
    let api = Api::start(|_, _| answer(200, "<html>")).await;
    let m10 = document(&format!("price --sku M10 --region westus2 --price-api {}", api.url), 0);
    has(&m10["notes"][0], "not understood");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_shows_a_certificate() {
    let authority = tls::authority();
    let ca = authority.ca.to_str().unwrap();
    let api = Api::start_tls(&authority.server, |_, _| page("westus2", BOTH, None)).await;
    let live = format!("{P2} --prices live --price-api {}", api.url);
    assert_eq!(document_with(&[("SSL_CERT_FILE", ca)], &live, 0)["prices"], "live");
    let foreign = Api::start_tls(&authority.foreign, |_, _| page("westus2", BOTH, None)).await;
    let live = format!("{P2} --prices live --price-api {}", foreign.url);
    has(&document_with(&[("SSL_CERT_FILE", ca)], &live, 5)["error"], "certificate");
    assert!(foreign.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_is_used() {
    let proxy = Api::start(|_, _| page("westus2", BOTH, None)).await;
    let address = proxy.url.replace("/api/retail/prices", "");
    let live = format!("{P2} --prices live --price-api http://prices.invalid/retail?api-version=1");
    let found = document_with(&[("http_proxy", &address)], &live, 0);
    assert_eq!(found["prices"], "live");
    let asked = &proxy.asked()[0];
    assert!(asked.uri.starts_with("http://prices.invalid/retail?api-version=1&"), "{}", asked.uri);
}

#[test]
fn where_the_api_is_must_be_a_url() {
    let refused = |url: &str| document(&format!("{P2} --price-api {url}"), 2)["error"].clone();
    has(&refused("prices.azure.com"), "https://prices.azure.com/api/retail/prices");
    has(&refused("ftp://prices.azure.com/"), "https or http");
    let with_password = refused("https://me:sesame@mirror/");
    has(&with_password, "takes no user and no password");
    assert!(!with_password.to_string().contains("sesame"), "{with_password}");
}

#[test]
fn a_file_called_live_is_written_with_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let answer = json!({ "Items": [{ "meterName": "M10 Cache Instance", "armRegionName": "westus2", "retailPrice": 2.0 }] });
    std::fs::write(folder.path().join("live"), answer.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_redferry"));
    command.env_clear().env("REDFERRY_PRICE_API", nowhere()).current_dir(&folder);
    command.args("price --sku M10 --region westus2 --output json --prices ./live".split(' '));
    let output = command.output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["prices"], &document["source_monthly"]), (&json!("file"), &json!(2920.0)));
}
