//! What can go wrong with a connection: which side, which node, what happened, what to do.

use std::fmt;
use std::io;
use std::time::Duration;

use resp::DecodeError;

use crate::peer::Peer;
use crate::reply::{self, ReplyKind};
use crate::tls::{TlsError, TlsFault};

/// A failure of one node of one side.
#[derive(Debug)]
pub struct Error {
    /// Where it happened.
    pub peer: Peer,
    /// What happened.
    pub kind: Box<Kind>,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Kind {
    /// The host's name has no address.
    Resolve(io::Error),
    /// The TCP connection was not made.
    Connect(io::Error),
    /// The connection was not made, or not answered, within this time.
    ConnectTimeout(Duration),
    /// TLS was not agreed on.
    Tls(TlsFault),
    /// The TLS settings themselves are wrong.
    TlsSettings(TlsError),
    /// The server closed the connection before it answered anything, on a connection without TLS.
    ClosedBeforeAnswer,
    /// The server refused the credentials.
    Auth(ReplyKind, String),
    /// The server answered a command with an error.
    Reply {
        /// The command.
        command: &'static str,
        /// What kind of error.
        kind: ReplyKind,
        /// The server's words.
        text: String,
    },
    /// The server sent something that is not RESP.
    Protocol(DecodeError),
    /// The server answered with a value of another shape than the command has.
    Shape {
        /// The command.
        command: &'static str,
    },
    /// The server closed the connection.
    Closed,
    /// The connection broke.
    Io(io::Error),
    /// No answer within this time, though one was due.
    Silent(Duration),
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// A new connection may work; nothing is wrong with the settings.
    Reconnect,
    /// The settings are wrong, or the server will not have us: somebody has to act.
    Operator,
}

impl Error {
    /// An error reply of the server, or a reply of an unexpected shape.
    pub fn from_reply(peer: &Peer, command: &'static str, reply: &resp::Value) -> Error {
        match reply {
            resp::Value::Error(text) => peer.error(Kind::Reply {
                command,
                kind: reply::ReplyKind::of(text),
                text: String::from_utf8_lossy(text).into_owned(),
            }),
            _ => peer.error(Kind::Shape { command }),
        }
    }

    /// Whether trying again can help.
    pub fn recovery(&self) -> Recovery {
        match &*self.kind {
            Kind::Resolve(_)
            | Kind::Connect(_)
            | Kind::ConnectTimeout(_)
            | Kind::Closed
            | Kind::ClosedBeforeAnswer
            | Kind::Io(_)
            | Kind::Silent(_) => Recovery::Reconnect,
            Kind::Reply { kind, .. } | Kind::Auth(kind, _) => match kind {
                ReplyKind::Loading
                | ReplyKind::MasterDown
                | ReplyKind::ClusterDown
                | ReplyKind::TryAgain
                | ReplyKind::Busy
                | ReplyKind::MaxClients
                | ReplyKind::ReadOnly => Recovery::Reconnect,
                _ => Recovery::Operator,
            },
            Kind::Tls(TlsFault::Closed | TlsFault::NoAnswer | TlsFault::Other(_)) => Recovery::Reconnect,
            Kind::Tls(_) | Kind::TlsSettings(_) | Kind::Protocol(_) | Kind::Shape { .. } => {
                Recovery::Operator
            }
        }
    }

    /// What to do about it, in one sentence.
    pub fn remedy(&self) -> String {
        match &*self.kind {
            Kind::Resolve(_) => "check the host name; inside a virtual network check that its private DNS \
                                 zone is linked to the network of this machine"
                .into(),
            Kind::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                "check the port (ACR: 6380 with TLS, 6379 without; AMR: 10000) and that the cache is running"
                    .into()
            }
            Kind::Connect(_) | Kind::ConnectTimeout(_) => {
                "check firewall rules, private endpoint and virtual network between this machine and the cache; \
                 a port that does not speak TLS can also look like this"
                    .into()
            }
            Kind::Tls(fault) => fault.remedy().to_string(),
            Kind::TlsSettings(_) => "correct the file or option named above".into(),
            Kind::ClosedBeforeAnswer => {
                "the port probably speaks TLS only: write rediss:// (or ssl=True), or use the plaintext port"
                    .into()
            }
            Kind::Auth(kind, _) | Kind::Reply { kind, .. } => reply::remedy(kind).to_string(),
            Kind::Protocol(_) => {
                "this does not look like a Redis server: check host and port; a TLS port addressed without TLS \
                 also looks like this"
                    .into()
            }
            Kind::Shape { .. } => "report this with the server's product and version: it answered like no Redis".into(),
            Kind::Closed | Kind::Io(_) | Kind::Silent(_) => {
                "run the same command again: it goes on where it stopped; if it happens again look at the \
                 cache's health and its client list"
                    .into()
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.peer)?;
        match &*self.kind {
            Kind::Resolve(error) => write!(f, "its name cannot be resolved ({error})"),
            Kind::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                f.write_str("the connection was refused: nothing listens there")
            }
            Kind::Connect(error) => write!(f, "no connection ({error})"),
            Kind::ConnectTimeout(time) => write!(f, "no connection within {} s", time.as_secs_f32()),
            Kind::Tls(fault) => write!(f, "TLS failed: {fault}"),
            Kind::TlsSettings(error) => write!(f, "{error}"),
            Kind::ClosedBeforeAnswer => f.write_str("it closed the connection before it answered anything"),
            Kind::Auth(_, text) => write!(f, "the credentials were refused ({text})"),
            Kind::Reply { command, text, .. } => write!(f, "{command} was answered with an error ({text})"),
            Kind::Protocol(error) => write!(f, "the answer is not RESP ({error})"),
            Kind::Shape { command } => write!(f, "{command} was answered with a value of an unknown shape"),
            Kind::Closed => f.write_str("it closed the connection"),
            Kind::Io(error) => write!(f, "the connection broke ({error})"),
            Kind::Silent(time) => write!(f, "no answer for {} s", time.as_secs_f32()),
        }?;
        write!(f, "; {}", self.remedy())
    }
}

impl std::error::Error for Error {}
