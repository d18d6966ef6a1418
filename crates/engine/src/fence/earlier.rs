//! Connections of an earlier process of the same run.

use std::time::Duration;

use client::{Endpoint, Error, Kind, TargetConnection};
use resp::Value;
use tokio::time::timeout;

/// A node that does not answer within this time is not there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Closes all connections to a cache that earlier processes of this run (`CopyOptions::run_name`) made to write, on every
/// primary, and returns how many there were. What they have sent and the cache has not carried out is then never
/// carried out, so the next process may begin to write. To be called before it does: its own connections have the
/// same name.
///
/// It does not keep a process from connecting again that is still alive; its state file does that.
///
/// # Errors
/// A node cannot be reached, or CLIENT LIST or CLIENT KILL is not allowed there. In that case nothing that was sent before is
/// alive any more after [`LATE_WRITES`](super::LATE_WRITES).
pub async fn fence(target: &Endpoint, run_name: &str) -> Result<u64, Error> {
    let name = name(run_name);
    let mut killed = 0;
    for node in target.topology().await?.primaries() {
        let mut connection = target.connect_target(node, 0).await?;
        let list = ask(&mut connection, "CLIENT LIST", &[b"CLIENT", b"LIST"]).await?;
        let list =
            list.as_bytes().ok_or_else(|| connection.peer().error(Kind::Shape { command: "CLIENT LIST" }))?;
        for id in ids(&String::from_utf8_lossy(list), &name) {
            let reply =
                ask(&mut connection, "CLIENT KILL", &[b"CLIENT", b"KILL", b"ID", id.as_bytes()]).await?;
            killed += reply.as_i64().unwrap_or(0).unsigned_abs();
        }
    }
    Ok(killed)
}

/// The name of a run's connections. CLIENT SETNAME takes no spaces and no special characters (networking.c).
pub(super) fn name(run_name: &str) -> String {
    let fitting = |char: char| if char.is_ascii_graphic() { char } else { '_' };
    format!("redferry:{}", run_name.chars().map(fitting).collect::<String>())
}

/// The ids of connections of that name, as CLIENT LIST has them: `id=4 addr=... name=... ...`.
fn ids<'l>(list: &'l str, name: &str) -> Vec<&'l str> {
    let field = |line: &'l str, field: &str| line.split(' ').find_map(|word| word.strip_prefix(field));
    let named = list.lines().filter(|line| field(line, "name=") == Some(name));
    named.filter_map(|line| field(line, "id=")).collect()
}

async fn ask(
    connection: &mut TargetConnection,
    command: &'static str,
    args: &[&[u8]],
) -> Result<Value, Error> {
    match timeout(ANSWER_TIMEOUT, connection.ask(args)).await {
        Ok(Ok(reply)) if reply.is_error() => Err(Error::from_reply(connection.peer(), command, &reply)),
        Ok(reply) => reply,
        Err(_) => Err(connection.peer().error(Kind::Silent(ANSWER_TIMEOUT))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_found_by_their_whole_name() {
        let list = "id=4 addr=127.0.0.1:1 fd=8 name= age=0 cmd=client\nid=5 addr=127.0.0.1:2 fd=9 name=redferry:ab age=0\n\
                    id=6 addr=127.0.0.1:3 laddr=x name=redferry:abc age=0\r\nid=7 addr=127.0.0.1:4 name=redferry:ab age=1\r\n";
        assert_eq!(ids(list, &name("ab")), ["5", "7"]);
        assert_eq!(name("a b\n\u{fc}"), "redferry:a_b__");
    }
}
