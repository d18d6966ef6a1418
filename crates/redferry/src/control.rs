//! How the other commands find a running sync and talk to it.

mod file;
mod find;

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use client::secret::Secret;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

pub(crate) use file::{Announced, beside};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(10);

/// No document of a sync is larger, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// A sync, as its file tells of it.
#[derive(Debug)]
pub(crate) struct Control {
    file: PathBuf,
    address: SocketAddr,
    token: Secret,
    process: u32,
}

/// Why a sync cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error(
        "no sync runs here: {} does not exist; name the state file of a running sync with --state, and mind that one \
         started with --listen off cannot be asked", .0.display()
    )]
    NoSuchFile(PathBuf),
    #[error(
        "no sync runs here: the folder {} has no redferry-sync-*.state.json.control; go to the folder where it was \
         started, or name its state file with --state", .0.display()
    )]
    NoneHere(PathBuf),
    #[error("more than one sync runs here; say which one is meant:{}", choices(.0))]
    SeveralHere(Vec<PathBuf>),
    #[error("{} cannot be read: {source}; run this as the user who started the sync", file.display())]
    Unreadable { file: PathBuf, source: std::io::Error },
    #[error("{} cannot be written: {source}", file.display())]
    Unwritable { file: PathBuf, source: std::io::Error },
    #[error("{} is no control file of this version of redferry: {why}", file.display())]
    Damaged { file: PathBuf, why: String },
    #[error(
        "the sync has ended: nobody answers at {address}, and process {process} has left {} behind; start the sync \
         again, or delete that file", file.display()
    )]
    Dead { file: PathBuf, address: SocketAddr, process: u32 },
    #[error("the sync at {address} cannot be reached: {why}")]
    Unreachable { address: SocketAddr, why: String },
    #[error("the sync at {address} has not answered for {} s; is process {process} stopped?", WITHIN.as_secs())]
    Silent { address: SocketAddr, process: u32 },
    #[error(
        "whoever answers at {address} does not take the token of {}: another program has that port now, or the file \
         is an old copy", file.display()
    )]
    WrongToken { address: SocketAddr, file: PathBuf },
    /// In the sync's own words.
    #[error("{sentence}")]
    Refused { code: StatusCode, sentence: String },
}

fn choices(states: &[PathBuf]) -> String {
    states.iter().map(|state| format!("\n  --state {}", state.display())).collect()
}

impl Control {
    /// Whether the sync has taken its file away, which it does when it ends.
    pub(crate) fn is_over(&self) -> bool {
        !self.file.exists()
    }

    /// Asks something, or gives an order with a body.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, ControlError> {
        let asked = tokio::time::timeout(WITHIN, self.exchange(method, path, body)).await;
        let (code, body) =
            asked.map_err(|_| ControlError::Silent { address: self.address, process: self.process })??;
        if code == StatusCode::UNAUTHORIZED {
            return Err(ControlError::WrongToken { address: self.address, file: self.file.clone() });
        }
        let document: Value = serde_json::from_slice(&body)
            .map_err(|_| self.unreachable(format!("it answers {code} and something that is not JSON")))?;
        if code.is_success() {
            return Ok(document);
        }
        let sentence = document["error"].as_str().map_or_else(|| format!("it answers {code}"), str::to_owned);
        Err(ControlError::Refused { code, sentence })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Bytes), ControlError> {
        let stream = TcpStream::connect(self.address).await.map_err(|error| match error.kind() {
            ErrorKind::ConnectionRefused => {
                let file = self.file.clone();
                ControlError::Dead { file, address: self.address, process: self.process }
            }
            _ => self.unreachable(error),
        })?;
        let (mut requests, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.unreachable(error))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token.expose()))
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))
            // The text of this error would show nothing, and what does not fit may be the token.
            .map_err(|_| self.damaged("its token cannot be sent"))?;
        let response: Response<Incoming> =
            requests.send_request(request).await.map_err(|error| self.unreachable(error))?;
        let (head, body) = response.into_parts();
        let body =
            Limited::new(body, LARGEST).collect().await.map_err(|error| self.unreachable(error))?.to_bytes();
        Ok((head.status, body))
    }

    fn unreachable(&self, why: impl ToString) -> ControlError {
        ControlError::Unreachable { address: self.address, why: why.to_string() }
    }

    fn damaged(&self, why: &str) -> ControlError {
        ControlError::Damaged { file: self.file.clone(), why: why.to_owned() }
    }
}
