//! What a running sync tells, and what it can be told, over HTTP: a small server for scripts, monitoring and the other
//! commands.
//!
//! It shows what its [`Board`] has and decides nothing. Nothing that a client does or leaves undone holds up the sync:
//! every connection answers one request and has an end ([`connections`]).

mod connections;
mod listen;
mod metrics;
mod routes;
mod token;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::control::Announced;
use crate::exit::Exit;
pub(crate) use listen::Listen;
use token::Token;

/// What the endpoint shows, and whom it passes orders on to.
pub(crate) trait Board: Send + Sync + 'static {
    /// The document of `GET /status`; its field names never change once published.
    fn document(&self) -> Value;

    /// For `GET /metrics`; none before the sync has begun.
    fn status(&self) -> Option<engine::SyncStatus>;

    /// Whether every node is followed and no gap is open, or what is missing, in one sentence each.
    fn readiness(&self) -> Result<(), Vec<String>>;

    /// Takes an order, with what its body says. It must not wait: what comes of it is seen in the document.
    fn order(&self, order: Order, body: Value) -> Result<Value, Refused>;
}

/// What a sync can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    CutOver,
    RollBack,
    Cancel,
}

/// An order that is not taken.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: StatusCode,
    /// Why, for the one who gave it.
    pub(crate) sentence: String,
}

/// The endpoint of a sync, as long as this is held.
#[derive(Debug)]
pub(crate) struct Endpoint {
    announced: Announced,
    end: oneshot::Sender<()>,
    serving: Serving,
}

/// An address that is listened on, where nobody answers yet.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Listens where it is said; `None` when it is switched off.
    ///
    /// # Errors
    /// The address cannot be listened on (usage).
    pub(crate) async fn to(listen: Listen) -> Result<Option<Bound>, Exit> {
        let Listen::At(wanted) = listen else { return Ok(None) };
        let unusable = |error: std::io::Error| {
            Exit::usage(format!(
                "--listen {wanted} cannot be listened on: {error}; give another address or port with --listen, such \
                 as 127.0.0.1:0 for any free port of this machine, or switch it off with --listen off"
            ))
        };
        let listener = TcpListener::bind(wanted).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        if !address.ip().is_loopback() {
            eprintln!(
                "redferry: WARNING: --listen {wanted} is open to other machines and speaks plain HTTP; whoever \
                 listens in on the way can read the token and cut the applications over"
            );
        }
        Ok(Some(Bound { listener, address }))
    }

    /// Answers, and tells the other commands of it by a file.
    ///
    /// # Errors
    /// The file cannot be written (failed).
    pub(crate) fn serve(self, file: &Path, board: Arc<dyn Board>) -> Result<Endpoint, Exit> {
        let Bound { listener, address } = self;
        let token = Token::random()
            .map_err(|error| Exit::failed(format!("the system gives no random numbers: {error}")))?;
        let announced = Announced::write(file, from_here(address), token.secret())
            .map_err(|error| Exit::failed(error.to_string()))?;
        let router = routes::router(board, token, address.ip().is_loopback());
        let (end, ended) = oneshot::channel();
        let serving = Serving(tokio::spawn(connections::serve(listener, router, ended)));
        tracing::info!("http://{address} tells how the sync stands; its token is in {}", file.display());
        Ok(Endpoint { announced, end, serving })
    }
}

impl Endpoint {
    /// Takes no more requests, and waits a moment for those that are being answered.
    pub(crate) async fn end(mut self) {
        drop(self.announced);
        let _ = self.end.send(());
        let _ = (&mut self.serving.0).await;
    }
}

/// Ends the server when it is dropped.
#[derive(Debug)]
struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The address by which this machine reaches it: one that stands for all addresses is none to connect to.
fn from_here(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (std::net::Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (std::net::Ipv6Addr::LOCALHOST, v6.port()).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests;
