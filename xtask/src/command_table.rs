//! `cargo xtask generate-commands`: asks real servers and keeps the answer in the source.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use resp::encode;
use testkit::{Binaries, Server};

use crate::generate_commands::{self, Replies};
use crate::workspace::root;

/// Whatever the table says, it says of these.
const VERSIONS: [&str; 2] = ["6.0.16", "7.4.1"];

/// An answer that takes longer will not come.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Writes the table, or compares it.
///
/// # Errors
/// The servers are not to be had or have other versions; with `check`, the file is not up to date.
pub fn run(check: bool) -> Result<()> {
    let binaries = Binaries::fetch()?;
    let found = [binaries.redis6.version(), binaries.redis7.version()];
    if found != VERSIONS {
        bail!("the table is made from Redis {VERSIONS:?}, but the servers here are {found:?}");
    }
    let (redis_6, redis_7) = (Server::plain6().start(), Server::plain7().start());
    let text = generate_commands::run(&Replies {
        redis_6: &ask(&redis_6, &[b"COMMAND"])?,
        redis_7: &ask(&redis_7, &[b"COMMAND"])?,
        redis_7_docs: &ask(&redis_7, &[b"COMMAND", b"DOCS"])?,
    })?;
    let path = root().join("crates/commands/src/table.rs");
    let current = fs::read_to_string(&path).unwrap_or_default();
    let lines = text.lines().count();
    if text == current {
        println!("crates/commands/src/table.rs is what the servers say ({lines} lines)");
        return Ok(());
    }
    if check {
        bail!(
            "crates/commands/src/table.rs is not what the servers say: run `cargo xtask generate-commands`"
        );
    }
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("crates/commands/src/table.rs written anew ({lines} lines)");
    Ok(())
}

/// The raw reply to one command.
fn ask(server: &Server, command: &[&[u8]]) -> Result<Vec<u8>> {
    /// Answers the ECHO behind the command, so that the end of the reply is known without reading it.
    const END: &[u8] = b"$24\r\nend of the command table\r\n";
    let mut request = Vec::new();
    encode::command(&mut request, command);
    encode::command(&mut request, &[b"ECHO", b"end of the command table"]);
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.access().port))?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(&request)?;
    let mut reply = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    while !reply.ends_with(END) {
        match stream.read(&mut piece).context("the server does not answer COMMAND")? {
            0 => bail!("the server closed the connection in the middle of COMMAND"),
            length => reply.extend_from_slice(&piece[..length]),
        }
    }
    reply.truncate(reply.len() - END.len());
    Ok(reply)
}
