//! What a live cache tells about itself. Nothing but reads of the closed list is sent, one question at a time.

use std::collections::BTreeMap;

use client::{Endpoint, Error, Read, SourceConnection, Topology};
use planner::assess::{Live, read};
use resp::Value;

use super::answer::{ask, refusal, text};
use super::sample;

/// The name of these connections in the source's client list.
const NAME: &str = "redferry-assess";
/// Entries of the slow log.
const SLOW: u32 = 128;

/// Reads everything. `sample` is the number of keys to look at.
pub(super) async fn read(endpoint: &Endpoint, sample: u64) -> Result<Live, Error> {
    let topology = endpoint.topology().await?;
    let mut live = Live { clustered: matches!(topology, Topology::Cluster(_)), ..Live::default() };
    let mut clients = String::new();
    let mut told = Vec::new();
    for address in topology.primaries() {
        let mut node = endpoint.connect_source(address, 0).await?;
        // First of all, so that redferry's own commands are not counted; those of an earlier run are.
        if let Some(info) = info(&mut node, &mut live).await? {
            told.push((address, databases(&info)));
            live.nodes.push(info);
        }
        _ = ask(&mut node, Read::ClientSetName(NAME)).await?;
        match text("CLIENT LIST", &ask(&mut node, Read::ClientList).await?) {
            Ok(list) => clients.push_str(&list),
            Err(refused) => note(&mut live, format!("{refused}: connections are not known")),
        }
        slow_log(&mut node, &mut live).await?;
        notifications(&mut node, &mut live).await?;
    }
    if !clients.is_empty() {
        live.clients = Some(read::clients(&clients, NAME));
    }
    if sample > 0 {
        sample::take(endpoint, &told, sample, &mut live).await?;
    }
    Ok(live)
}

/// Whether a refusal is already known from another node does not matter to the reader.
pub(super) fn note(live: &mut Live, refused: String) {
    if !live.refused.contains(&refused) {
        live.refused.push(refused);
    }
}

async fn info(node: &mut SourceConnection, live: &mut Live) -> Result<Option<read::Info>, Error> {
    match text("INFO", &ask(node, Read::Info("all")).await?) {
        Ok(info) => {
            for (name, calls) in read::commandstats(&info) {
                let entry = live.commands.entry(name).or_default();
                *entry = entry.saturating_add(calls);
            }
            Ok(Some(read::info(&info)))
        }
        Err(refused) => {
            note(live, format!("{refused}: memory, databases and commands are not known"));
            Ok(None)
        }
    }
}

/// Each entry is id, time, microseconds, arguments and more; of the arguments only the command's name is kept.
async fn slow_log(node: &mut SourceConnection, live: &mut Live) -> Result<(), Error> {
    let answer = ask(node, Read::SlowLogGet(SLOW)).await?;
    let Some(entries) = answer.as_array() else {
        note(live, format!("{}: slow commands are not known", refusal("SLOWLOG GET", &answer)));
        return Ok(());
    };
    for entry in entries {
        let name = || entry.as_array()?.get(3)?.as_array()?.first()?.as_str();
        // A name is a word; anything else is the argument of something that is no command.
        let is_name = |name: &&str| {
            name.len() <= 32 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
        };
        if let Some(name) = name().filter(is_name) {
            *live.slow.entry(name.to_ascii_uppercase()).or_default() += 1;
        }
    }
    Ok(())
}

/// Asked only where somebody subscribes, or asks for the configuration anyway: elsewhere it does not matter, and the
/// question would count as a use of CONFIG.
async fn notifications(node: &mut SourceConnection, live: &mut Live) -> Result<(), Error> {
    if live.used(&["SUBSCRIBE", "PSUBSCRIBE", "CONFIG"]).is_none() {
        return Ok(());
    }
    match ask(node, Read::ConfigGet("notify-keyspace-events")).await? {
        Value::Array(pair) => {
            live.notify =
                pair.get(1).and_then(Value::as_str).map(str::to_owned).filter(|text| !text.is_empty());
        }
        other => {
            let refused = refusal("CONFIG GET", &other);
            note(
                live,
                format!(
                    "{refused}: whether keyspace notifications are on is known from the resource only (--arm)"
                ),
            );
        }
    }
    Ok(())
}

/// Databases of a node with their keys.
fn databases(info: &read::Info) -> BTreeMap<u32, u64> {
    info.databases().map(|(database, keys, _)| (database, keys)).collect()
}
