//! Connections of the endpoint. Each answers one request and is over after a fixed time, whatever its client does, so a
//! client that hangs before, in or after its request takes one of a few places for that time and nothing else.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// More wait until one of these is over.
pub(super) const MOST: usize = 64;

/// How long a connection may take, from its first byte to its last.
pub(super) const WITHIN: Duration = Duration::from_secs(5);

/// Longer header fields than this are refused: bytes.
const HEADERS: usize = 16 * 1024;

/// How long requests under way are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// Answers until it is told that the sync has ended.
pub(super) async fn serve(listener: TcpListener, router: Router, mut ended: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MOST => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(answer(stream, router.clone()));
                }
                Err(error) => {
                    tracing::debug!("the endpoint cannot take a connection: {error}");
                    // Too many open files do not go away at once.
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = &mut ended => break,
        }
    }
    drop(listener);
    let _ = timeout(FAREWELL, connections.join_all()).await;
}

async fn answer(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.keep_alive(false).max_buf_size(HEADERS);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(WITHIN, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a request to the endpoint failed: {error}"),
        Err(_) => tracing::debug!("a request to the endpoint took longer than {} s", WITHIN.as_secs()),
    }
}
