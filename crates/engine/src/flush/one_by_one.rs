//! Emptying a node that refuses FLUSHALL, as geo-replicated caches do.

use client::reply::ReplyKind;
use client::{Endpoint, Error, Node, TargetConnection};
use resp::Value;

/// Keys asked for by one SCAN.
const PAGE: &[u8] = b"1000";

/// Removes every key of these databases. Each key gets a command of its own: one command for several keys of
/// different slots is refused by some clustering policies.
///
/// # Errors
/// The connection is lost, or SCAN or both UNLINK and DEL are refused.
pub(super) async fn remove(
    endpoint: &Endpoint,
    node: &Node,
    dbs: impl Iterator<Item = u32>,
) -> Result<(), Error> {
    for db in dbs {
        let mut connection = endpoint.connect_target(node, db).await?;
        let mut cursor = b"0".to_vec();
        loop {
            let reply = connection.ask(&[b"SCAN", &cursor, b"COUNT", PAGE]).await?;
            let page =
                || Some((reply.as_array()?.first()?.as_bytes()?, reply.as_array()?.get(1)?.as_array()?));
            let Some((next, keys)) = page() else {
                return Err(Error::from_reply(connection.peer(), "SCAN", &reply));
            };
            let keys: Vec<&[u8]> = keys.iter().filter_map(Value::as_bytes).collect();
            remove_page(&mut connection, &keys).await?;
            if next == b"0" {
                break;
            }
            cursor = next.to_vec();
        }
    }
    Ok(())
}

async fn remove_page(connection: &mut TargetConnection, keys: &[&[u8]]) -> Result<(), Error> {
    let Some(refusal) = send(connection, b"UNLINK", keys).await? else { return Ok(()) };
    let refusal = match &refusal {
        Value::Error(text)
            if matches!(ReplyKind::of(text), ReplyKind::UnknownCommand | ReplyKind::NoPerm) =>
        {
            send(connection, b"DEL", keys).await?
        }
        _ => Some(refusal),
    };
    match refusal {
        Some(refusal) => Err(Error::from_reply(connection.peer(), "DEL", &refusal)),
        None => Ok(()),
    }
}

/// Sends one command for each key; the first refusal, if there is any.
async fn send(
    connection: &mut TargetConnection,
    command: &[u8],
    keys: &[&[u8]],
) -> Result<Option<Value>, Error> {
    for key in keys {
        connection.push(&[command, key]);
    }
    let mut refusal = None;
    for _ in keys {
        let reply = connection.reply().await?;
        if reply.is_error() {
            refusal.get_or_insert(reply);
        }
    }
    Ok(refusal)
}
