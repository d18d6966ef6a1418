//! What can be asked, and who may ask it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::token::Token;
use super::{Board, Order, Refused, metrics};

/// Orders are a few words.
const BODY: usize = 64 * 1024;

#[derive(Clone)]
struct Shared {
    board: Arc<dyn Board>,
    token: Arc<Token>,
}

/// All routes. On loopback everybody may ask whether the sync is ready, as whoever starts it there wants to.
pub(super) fn router(board: Arc<dyn Board>, token: Token, loopback: bool) -> Router {
    let shared = Shared { board, token: Arc::new(token) };
    let order = |order| post(move |state, body| take(order, state, body));
    let ready = Router::new().route("/readyz", get(readyz));
    let closed = Router::new()
        .route("/status", get(status))
        .route("/metrics", get(show_metrics))
        .route("/cutover", order(Order::CutOver))
        .route("/rollback", order(Order::RollBack))
        .route("/cancel", order(Order::Cancel))
        .merge(if loopback { Router::new() } else { ready.clone() })
        .route_layer(middleware::from_fn_with_state(shared.clone(), only_with_the_token));
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .merge(if loopback { ready } else { Router::new() })
        .merge(closed)
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(shared)
}

async fn only_with_the_token(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::AUTHORIZATION);
    if named.is_some_and(|named| shared.token.is_named_by(named.as_bytes())) {
        return next.run(request).await;
    }
    let sentence = match named {
        Some(_) => "this is not the token of this sync; it is in the .control file beside its state",
        None => {
            "say Authorization: Bearer TOKEN; the token is in the .control file beside the state of this sync"
        }
    };
    let mut refusal = refused(StatusCode::UNAUTHORIZED, sentence);
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    refusal
}

async fn status(State(shared): State<Shared>) -> Response {
    document(StatusCode::OK, &shared.board.document())
}

async fn readyz(State(shared): State<Shared>) -> Response {
    match shared.board.readiness() {
        Ok(()) => document(StatusCode::OK, &json!({ "ready": true, "reasons": [] })),
        Err(reasons) => {
            document(StatusCode::SERVICE_UNAVAILABLE, &json!({ "ready": false, "reasons": reasons }))
        }
    }
}

async fn show_metrics(State(shared): State<Shared>) -> Response {
    let text = metrics::text(shared.board.status().as_ref(), shared.board.readiness().is_ok());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

async fn take(order: Order, State(shared): State<Shared>, body: Bytes) -> Response {
    let body = if body.is_empty() { Ok(json!({})) } else { serde_json::from_slice(&body) };
    match body.map(|body: Value| shared.board.order(order, body)) {
        Ok(Ok(taken)) => document(StatusCode::OK, &taken),
        Ok(Err(Refused { code, sentence })) => refused(code, &sentence),
        Err(error) => refused(StatusCode::BAD_REQUEST, &format!("the body is not JSON: {error}")),
    }
}

fn refused(code: StatusCode, sentence: &str) -> Response {
    document(code, &json!({ "error": sentence }))
}

fn document(code: StatusCode, value: &Value) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], format!("{value:#}\n")).into_response()
}
