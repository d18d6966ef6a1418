//! Are source and target one server, under one address or two?

use client::{Error, Read};
use resp::Value;

use super::probe_key::random_name;
use super::side::Seen;

/// What could be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// Two servers.
    Different,
    /// One server or cluster; why that is known.
    Same(String),
    /// Nothing: both ways to find out are closed.
    Unknown,
}

/// Compares by process ids, by replication history, and by giving a connection to one side a name and
/// looking for it on the other.
///
/// # Errors
/// A connection is lost.
pub(super) async fn compare(source: &mut Seen, target: &mut Seen) -> Result<Identity, Error> {
    if source.facts.address == target.facts.address {
        return Ok(Identity::Same(format!("both addresses are {}", source.facts.address)));
    }
    if let Some(reason) = same_process(source, target).or_else(|| same_history(source, target)) {
        return Ok(Identity::Same(reason));
    }
    let hears = match sees_name(target, source).await? {
        None => sees_name(source, target).await?,
        some => some,
    };
    let ids_known = |seen: &Seen| {
        seen.unreachable.is_empty() && seen.facts.nodes.iter().all(|node| node.run_id.is_some())
    };
    Ok(match hears {
        Some(true) => {
            Identity::Same("a connection to the target shows up in the source's list of clients".into())
        }
        Some(false) => Identity::Different,
        None if ids_known(source) && ids_known(target) => Identity::Different,
        None => Identity::Unknown,
    })
}

fn same_process(source: &Seen, target: &Seen) -> Option<String> {
    source.facts.nodes.iter().find_map(|node| {
        let other =
            target.facts.nodes.iter().find(|other| node.run_id.is_some() && other.run_id == node.run_id)?;
        Some(format!(
            "the source's node {} and the target's node {} are one process (run id {})",
            node.address,
            other.address,
            node.run_id.as_deref().unwrap_or_default()
        ))
    })
}

/// A replica and its primary share their history, and what is written to one comes out of the other.
fn same_history(source: &Seen, target: &Seen) -> Option<String> {
    let histories = |seen: &Seen| -> Vec<(String, bool)> {
        let history = |info: &super::info::Info| {
            Some((info.id("master_replid")?, info.text("role").is_some_and(|role| role == "slave")))
        };
        seen.infos.iter().filter_map(history).collect()
    };
    let of_target = histories(target);
    histories(source)
        .iter()
        .any(|(id, replica)| of_target.iter().any(|(other, also)| id == other && (*replica || *also)))
        .then(|| "one of them is a replica of the other".to_owned())
}

/// Whether the connections to `named` are among the clients of `listing`; `None` when a command for it is
/// refused. Only the connections' own names change, and they end with the preflight.
async fn sees_name(named: &mut Seen, listing: &mut Seen) -> Result<Option<bool>, Error> {
    let name = format!("redferry-preflight-{}", random_name());
    for line in &mut named.lines {
        if line.ask(Read::ClientSetName(&name)).await?.is_error() {
            return Ok(None);
        }
    }
    for line in &mut listing.lines {
        match line.ask(Read::ClientList).await? {
            Value::Bulk(clients) | Value::Verbatim(clients) => {
                if String::from_utf8_lossy(&clients).contains(&name) {
                    return Ok(Some(true));
                }
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(false))
}
