//! A bare connection to a test server, encrypted or not.

use std::io;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bytes::BytesMut;
use client::tls::{TlsOptions, client_config};
use resp::{Limits, Value, ValueDecoder};
use rustls_pki_types::ServerName;
use testkit::Access;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Both kinds of stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects. The benchmark's servers ask for no password.
///
/// # Errors
/// No connection.
pub async fn connect(access: &Access) -> Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect((access.host.as_str(), access.port)).await.context("no connection")?;
    tcp.set_nodelay(true)?;
    if !access.tls {
        return Ok(Box::new(tcp));
    }
    let config = client_config(&TlsOptions { ca: access.ca.clone(), ..TlsOptions::default() })?;
    let name = ServerName::try_from(access.host.clone()).context("no name to verify")?;
    let stream = TlsConnector::from(Arc::clone(&config)).connect(name, tcp).await.context("no TLS")?;
    Ok(Box::new(stream))
}

/// A connection whose replies are read and understood.
pub struct Conversation {
    stream: Box<dyn Stream>,
    inbox: BytesMut,
    decoder: ValueDecoder,
}

impl Conversation {
    /// Connects.
    ///
    /// # Errors
    /// No connection.
    pub async fn open(access: &Access) -> Result<Conversation> {
        let stream = connect(access).await?;
        Ok(Conversation { stream, inbox: BytesMut::new(), decoder: ValueDecoder::new(Limits::default()) })
    }

    /// Sends requests and waits for their replies. The number beside them is how many bytes the replies were.
    ///
    /// # Errors
    /// The connection is lost or the replies make no sense.
    pub async fn ask(&mut self, requests: &[u8], replies: usize) -> Result<(Vec<Value>, u64)> {
        self.stream.write_all(requests).await?;
        self.stream.flush().await?;
        let (mut values, mut received) = (Vec::with_capacity(replies), 0);
        while values.len() < replies {
            match self.decoder.feed(&mut self.inbox)? {
                Some(value) => values.push(value),
                None => match self.stream.read_buf(&mut self.inbox).await? {
                    0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                    length => received += length as u64,
                },
            }
        }
        Ok((values, received))
    }
}
