//! Emptying a node that refuses FLUSHALL, as geo-replicated caches do.

use client::{Endpoint, Error, Node};
use resp::Value;

use crate::unlink;

/// Keys asked for by one SCAN.
const PAGE: &[u8] = b"1000";

/// Removes every key of these databases.
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
            let replies = unlink::each(&mut connection, &keys).await?;
            if let Some(refused) = replies.iter().find(|reply| reply.is_error()) {
                return Err(unlink::refusal(connection.peer(), "DEL", refused));
            }
            if next == b"0" {
                break;
            }
            cursor = next.to_vec();
        }
    }
    Ok(())
}
