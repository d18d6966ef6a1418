//! Making connections: resolve, TCP, TLS, credentials, database.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use resp::{Value, encode};
use rustls_pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::address::Address;
use crate::error::{Error, Kind};
use crate::peer::{Node, Peer, Side};
use crate::pipe::Pipe;
use crate::reply::ReplyKind;
use crate::secret::Secret;
use crate::source::SourceConnection;
use crate::stream::Stream;
use crate::target::TargetConnection;
use crate::tls::{self, TlsError, TlsFault, TlsOptions};

/// A connection attempt, from the name to the first answer, may take this long unless told otherwise.
/// Azure's own advice is 5 s; its load balancers take longer during maintenance.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// TCP keep-alive, well below the 10 minutes after which Azure closes idle connections.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Everything that is needed to connect to any node of one cache.
#[derive(Debug, Clone)]
pub struct Endpoint {
    side: Side,
    seed: Node,
    tls: Option<Tls>,
    user: Option<String>,
    password: Option<Secret>,
    pub(crate) connect_timeout: Duration,
}

#[derive(Clone)]
struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Prepares connections to the cache at `address`.
    ///
    /// # Errors
    /// The TLS settings cannot be used (unreadable certificate, no name to verify).
    pub fn new(side: Side, address: &Address, options: &TlsOptions) -> Result<Endpoint, TlsError> {
        let tls = if address.tls {
            let config = tls::client_config(options)?;
            Some(Tls { connector: TlsConnector::from(Arc::clone(&config)), name: tls::server_name(address)? })
        } else {
            None
        };
        Ok(Endpoint {
            side,
            seed: Node { host: address.host.clone(), port: address.port },
            tls,
            user: address.user.clone(),
            password: address.password.clone(),
            connect_timeout: CONNECT_TIMEOUT,
        })
    }

    /// Sets how long one connection attempt may take.
    #[must_use]
    pub fn with_connect_timeout(mut self, time: Duration) -> Endpoint {
        self.connect_timeout = time;
        self
    }

    /// The same cache in another role: where a migration goes back, the old target is the source.
    #[must_use]
    pub fn on(&self, side: Side) -> Endpoint {
        Endpoint { side, ..self.clone() }
    }

    /// Source or target.
    pub fn side(&self) -> Side {
        self.side
    }

    /// The node that the user named.
    pub fn seed(&self) -> &Node {
        &self.seed
    }

    /// Whether connections are encrypted.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Connects to a node that is only read from.
    ///
    /// # Errors
    /// Names the node and the step that failed.
    pub async fn connect_source(&self, node: &Node, database: u32) -> Result<SourceConnection, Error> {
        self.connect(node, database).await.map(SourceConnection::new)
    }

    /// Connects to a node that is written to.
    ///
    /// # Errors
    /// Names the node and the step that failed. An endpoint of the source is never connected this way:
    /// that is a [`Kind::Shape`] error of the caller.
    pub async fn connect_target(&self, node: &Node, database: u32) -> Result<TargetConnection, Error> {
        if self.side != Side::Target {
            return Err(self.peer(node).error(Kind::Shape { command: "a writing connection to the source" }));
        }
        self.connect(node, database).await.map(TargetConnection::new)
    }

    fn peer(&self, node: &Node) -> Peer {
        Peer { side: self.side, node: node.clone() }
    }

    pub(crate) async fn connect(&self, node: &Node, database: u32) -> Result<Pipe, Error> {
        let peer = self.peer(node);
        let attempt = async {
            match self.stream(&peer, node).await {
                // Behind a private endpoint or a NAT the announced address may be out of reach while its
                // port, on the cache's own name, is not (ACR's 13XXX/15XXX, AMR's 85XX).
                Err(error) if matches!(*error.kind, Kind::Connect(_)) && node.host != self.seed.host => {
                    let by_name = Node { host: self.seed.host.clone(), port: node.port };
                    self.stream(&peer, &by_name).await.map_err(|_| error)
                }
                other => other,
            }
        };
        let stream = timeout(self.connect_timeout, attempt)
            .await
            .map_err(|_| peer.error(Kind::ConnectTimeout(self.connect_timeout)))??;
        let mut pipe = Pipe::new(stream, peer.clone());
        timeout(self.connect_timeout, self.greet(&mut pipe, database))
            .await
            .map_err(|_| peer.error(Kind::ConnectTimeout(self.connect_timeout)))??;
        Ok(pipe)
    }

    async fn stream(&self, peer: &Peer, node: &Node) -> Result<Stream, Error> {
        let tcp = connect_tcp(peer, node).await?;
        let Some(tls) = &self.tls else { return Ok(Stream::Plain(tcp)) };
        // Shorter than the whole attempt, so that a port that does not speak TLS is told from a silent host.
        match timeout(self.connect_timeout.mul_f32(0.7), tls.connector.connect(tls.name.clone(), tcp)).await {
            Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
            Ok(Err(error)) => Err(peer.error(Kind::Tls(tls::explain(&error)))),
            Err(_) => Err(peer.error(Kind::Tls(TlsFault::NoAnswer))),
        }
    }

    /// Credentials, name and database; also the first sign that this is a Redis server at all.
    async fn greet(&self, pipe: &mut Pipe, database: u32) -> Result<(), Error> {
        let out = pipe.outbox.buffer();
        if let Some(password) = &self.password {
            match &self.user {
                Some(user) => {
                    encode::command(out, &[b"AUTH", user.as_bytes(), password.expose().as_bytes()]);
                }
                None => encode::command(out, &[b"AUTH", password.expose().as_bytes()]),
            }
        }
        encode::command(out, &[b"PING"]);
        if database != 0 {
            encode::command(out, &[b"SELECT", database.to_string().as_bytes()]);
        }
        if self.password.is_some() {
            let reply = self.first_answer(pipe).await?;
            if let Value::Error(text) = &reply {
                let text = String::from_utf8_lossy(text).into_owned();
                return Err(pipe.peer().error(Kind::Auth(ReplyKind::of(text.as_bytes()), text)));
            }
        }
        let pong = self.first_answer(pipe).await?;
        match &pong {
            Value::Simple(text) if &text[..] == b"PONG" => {}
            Value::Error(text) => {
                let kind = ReplyKind::of(text);
                let text = String::from_utf8_lossy(text).into_owned();
                return Err(pipe.peer().error(match kind {
                    ReplyKind::NoAuth | ReplyKind::NoPerm | ReplyKind::WrongPass => Kind::Auth(kind, text),
                    _ => Kind::Reply { command: "PING", kind, text },
                }));
            }
            _ => return Err(pipe.peer().error(Kind::Shape { command: "PING" })),
        }
        if database != 0 {
            let selected = pipe.value().await?;
            if selected.is_error() {
                return Err(Error::from_reply(pipe.peer(), "SELECT", &selected));
            }
        }
        Ok(())
    }

    async fn first_answer(&self, pipe: &mut Pipe) -> Result<Value, Error> {
        pipe.value().await.map_err(|error| match *error.kind {
            Kind::Closed if self.tls.is_none() => error.peer.error(Kind::ClosedBeforeAnswer),
            Kind::Io(ref cause) if self.tls.is_none() && cause.kind() == io::ErrorKind::ConnectionReset => {
                error.peer.error(Kind::ClosedBeforeAnswer)
            }
            // A server that wants a client certificate says so only after the handshake (TLS 1.3).
            Kind::Io(ref cause) if self.tls.is_some() => match tls::explain(cause) {
                TlsFault::Other(_) => error,
                fault => error.peer.error(Kind::Tls(fault)),
            },
            _ => error,
        })
    }
}

async fn connect_tcp(peer: &Peer, node: &Node) -> Result<TcpStream, Error> {
    let addresses = lookup_host((node.host.as_str(), node.port))
        .await
        .map_err(|error| peer.error(Kind::Resolve(error)))?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                tune(&tcp, peer.side).map_err(|error| peer.error(Kind::Connect(error)))?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(peer.error(Kind::Connect(last)))
}

fn tune(tcp: &TcpStream, side: Side) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    if side == Side::Target {
        // A connection that is given up is reset: a write that was not sent yet must not leave later.
        socket2::SockRef::from(tcp).set_linger(Some(Duration::ZERO))?;
    }
    let keep_alive =
        socket2::TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(Duration::from_secs(15));
    socket2::SockRef::from(tcp).set_tcp_keepalive(&keep_alive)
}
