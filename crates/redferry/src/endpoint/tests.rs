use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::{Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde_json::json;

use super::*;

/// Takes one order in two, and remembers all.
#[derive(Default)]
struct Notes {
    orders: Mutex<Vec<(Order, Value)>>,
}

impl Board for Notes {
    fn document(&self) -> Value {
        json!({ "phase": "following" })
    }

    fn status(&self) -> Option<engine::SyncStatus> {
        None
    }

    fn readiness(&self) -> Result<(), Vec<String>> {
        Err(vec!["a gap is open".into()])
    }

    fn order(&self, order: Order, body: Value) -> Result<Value, Refused> {
        self.orders.lock().unwrap().push((order, body));
        match order {
            Order::CutOver => Ok(json!({ "phase": "cutting_over" })),
            _ => Err(Refused { code: StatusCode::CONFLICT, sentence: "nothing to take back".into() }),
        }
    }
}

/// The routes, without a network.
struct Routes {
    board: Arc<Notes>,
    token: String,
    service: TowerToHyperService<axum::Router>,
}

impl Routes {
    fn new(loopback: bool) -> Routes {
        let (board, token) = (Arc::new(Notes::default()), Token::random().unwrap());
        let text = token.secret().expose().to_owned();
        let board_too: Arc<dyn Board> = Arc::<Notes>::clone(&board);
        let service = TowerToHyperService::new(routes::router(board_too, token, loopback));
        Routes { board, token: text, service }
    }

    async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response: Response<axum::body::Body> = self.service.call(request).await.unwrap();
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (code, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let (code, body) = self.ask(Method::POST, path, Some(&self.token), body).await;
        (code, serde_json::from_str(&body).unwrap_or(Value::Null))
    }
}

const CLOSED: [(Method, &str); 5] = [
    (Method::GET, "/status"),
    (Method::GET, "/metrics"),
    (Method::POST, "/cutover"),
    (Method::POST, "/rollback"),
    (Method::POST, "/cancel"),
];

#[tokio::test]
async fn without_the_token_nothing_is_told_and_no_order_taken() {
    let routes = Routes::new(true);
    let wrong = "0".repeat(32);
    for (method, path) in CLOSED {
        for token in [None, Some(&wrong[..]), Some("")] {
            let (code, body) = routes.ask(method.clone(), path, token, "").await;
            assert_eq!(code, 401, "{path} with {token:?}: {body}");
            assert!(body.contains(".control") && !body.contains(&routes.token), "{body}");
        }
    }
    assert!(routes.board.orders.lock().unwrap().is_empty());
    let (code, body) = routes.ask(Method::GET, "/status", Some(&routes.token), "").await;
    assert_eq!((code, body.contains("following")), (200, true), "{body}");
}

#[tokio::test]
async fn whoever_is_on_this_machine_may_ask_whether_it_is_ready_and_nobody_else() {
    for (loopback, ready) in [(true, 503), (false, 401)] {
        let routes = Routes::new(loopback);
        assert_eq!(routes.ask(Method::GET, "/healthz", None, "").await.0, 200);
        assert_eq!(routes.ask(Method::GET, "/readyz", None, "").await.0, ready, "loopback: {loopback}");
        let (code, body) = routes.ask(Method::GET, "/readyz", Some(&routes.token), "").await;
        assert_eq!((code, body.contains("a gap is open")), (503, true), "{body}");
    }
}

#[tokio::test]
async fn orders_are_passed_on_with_their_body_and_answered_in_the_boards_words() {
    let routes = Routes::new(true);
    let taken = routes.post("/cutover", r#"{"deadline_ms":500}"#).await;
    assert_eq!(taken, (200, json!({ "phase": "cutting_over" })));
    let refused = (409, json!({ "error": "nothing to take back" }));
    assert_eq!(routes.post("/rollback", "").await, refused);
    assert_eq!(routes.post("/cancel", "").await, refused);
    let expected = [
        (Order::CutOver, json!({ "deadline_ms": 500 })),
        (Order::RollBack, json!({})),
        (Order::Cancel, json!({})),
    ];
    assert_eq!(*routes.board.orders.lock().unwrap(), expected);
}

#[tokio::test]
async fn what_is_no_order_is_none() {
    let routes = Routes::new(true);
    assert_eq!(routes.post("/cutover", "{").await.0, 400);
    let long = format!("\"{}\"", "x".repeat(70_000));
    assert_eq!(routes.post("/cutover", &long).await.0, 413);
    assert_eq!(routes.ask(Method::GET, "/cutover", Some(&routes.token), "").await.0, 405);
    assert_eq!(routes.ask(Method::GET, "/", None, "").await.0, 404);
    assert!(routes.board.orders.lock().unwrap().is_empty());
}

async fn started(folder: &Path) -> (Endpoint, SocketAddr) {
    let file = folder.join("sync.control");
    let listen = Listen::At("127.0.0.1:0".parse().unwrap());
    let endpoint =
        Bound::to(listen).await.unwrap().unwrap().serve(&file, Arc::new(Notes::default())).unwrap();
    let told: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    (endpoint, told["address"].as_str().unwrap().parse().unwrap())
}

/// Sends something and reads until the endpoint closes the connection.
fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const HEALTHZ: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_hang_are_cut_off_and_others_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, address) = started(folder.path()).await;
    let half = "POST /healthz HTTP/1.1\r\nContent-Length: 5\r\n";
    let hang = |request: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    let few = [hang(""), hang(half), hang(&format!("{half}\r\n12"))];
    let began = Instant::now();
    assert!(exchange(address, HEALTHZ).starts_with("HTTP/1.1 200"));
    assert!(began.elapsed() < connections::WITHIN, "nobody is waited for");
    // As many as there are places: whoever comes now waits until these are over.
    let many: Vec<TcpStream> = (few.len()..connections::MOST).map(|_| hang(half)).collect();
    assert!(exchange(address, HEALTHZ).starts_with("HTTP/1.1 200"));
    for mut stream in few.into_iter().chain(many) {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // Closed, or reset where the rest of a request was not read.
        let closed = stream.read_to_end(&mut Vec::new());
        assert!(!closed.is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
    }
    endpoint.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_its_sync() {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, address) = started(folder.path()).await;
    assert!(exchange(address, HEALTHZ).starts_with("HTTP/1.1 200"));
    let _hanging = TcpStream::connect(address).unwrap();
    endpoint.end().await;
    assert!(TcpStream::connect(address).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file is gone");
    let (endpoint, address) = started(folder.path()).await;
    drop(endpoint);
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < end, "a dropped endpoint listens on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the file is gone");
}

#[test]
fn places_to_listen_at() {
    assert_eq!("off".parse(), Ok(Listen::Off));
    assert_eq!("[::1]:80".parse(), Ok(Listen::At(([0, 0, 0, 0, 0, 0, 0, 1], 80).into())));
    for wrong in ["", "localhost:80", "80", "127.0.0.1", "on"] {
        assert!(wrong.parse::<Listen>().is_err_and(|why| why.contains("127.0.0.1:0")), "{wrong:?}");
    }
    assert_eq!(from_here("0.0.0.0:80".parse().unwrap()), "127.0.0.1:80".parse().unwrap());
    assert_eq!(from_here("[::]:80".parse().unwrap()), "[::1]:80".parse().unwrap());
    assert_eq!(from_here("10.0.0.1:80".parse().unwrap()), "10.0.0.1:80".parse().unwrap());
}
