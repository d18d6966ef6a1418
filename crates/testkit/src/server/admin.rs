//! A few commands over a plain socket: enough to ask a server whether it is there and to join a cluster.
//!
//! Deliberately tiny and blocking, RESP2 only, and no relative of redferry's own client.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A server that does not answer an administrative command within this time is broken.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `+OK` and the like.
    Status(String),
    /// `-ERR ...`, without the leading minus.
    Error(String),
    /// An integer.
    Integer(i64),
    /// A string of bytes; `None` is the null reply.
    Bulk(Option<Vec<u8>>),
    /// Several replies; a null array reads as empty.
    Array(Vec<Reply>),
}

impl Reply {
    /// The text of a status, an error, or a string of UTF-8; empty for everything else.
    pub fn text(&self) -> String {
        match self {
            Reply::Status(text) | Reply::Error(text) => text.clone(),
            Reply::Bulk(Some(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        }
    }
}

/// One connection to a server on this machine.
pub(crate) struct Admin {
    stream: BufReader<TcpStream>,
}

impl Admin {
    pub(crate) fn connect(port: u16, user: Option<&str>, password: Option<&str>) -> Result<Admin> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let mut admin = Admin { stream: BufReader::new(stream) };
        if let Some(password) = password {
            let reply = match user {
                Some(user) => admin.command(&["AUTH", user, password])?,
                None => admin.command(&["AUTH", password])?,
            };
            if let Reply::Error(error) = reply {
                return Err(Error::new(ErrorKind::PermissionDenied, error));
            }
        }
        Ok(admin)
    }

    pub(crate) fn command(&mut self, args: &[&str]) -> Result<Reply> {
        let mut request = format!("*{}\r\n", args.len());
        for arg in args {
            request.push_str(&format!("${}\r\n{arg}\r\n", arg.len()));
        }
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end_matches("\r\n");
        let malformed = || Error::new(ErrorKind::InvalidData, format!("not a RESP2 reply: {line:?}"));
        let (kind, rest) = line.split_at_checked(1).ok_or_else(malformed)?;
        let number = || rest.parse::<i64>().map_err(|_| malformed());
        Ok(match kind {
            "+" => Reply::Status(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Integer(number()?),
            "$" => match usize::try_from(number()?) {
                Ok(length) => Reply::Bulk(Some(self.bytes(length)?)),
                Err(_) => Reply::Bulk(None),
            },
            "*" => Reply::Array((0..number()?.max(0)).map(|_| self.reply()).collect::<Result<_>>()?),
            _ => return Err(malformed()),
        })
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes)?;
        bytes.truncate(length);
        Ok(bytes)
    }
}
