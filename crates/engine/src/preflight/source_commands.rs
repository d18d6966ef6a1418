//! Trying each read that the copy uses, on a key that does not exist.

use client::reply::ReplyKind;
use client::{Error, Read};
use resp::Value;

use super::findings::CommandFacts;
use super::line::Line;
use super::probe_key::ProbeKey;
use super::wishes::Wishes;

/// Tries the reads on one node of the source. Nothing can be changed: the connection takes only reads.
///
/// # Errors
/// The connection is lost.
pub(super) async fn try_all(
    line: &mut Line,
    key: &ProbeKey,
    wishes: &Wishes,
) -> Result<Vec<CommandFacts>, Error> {
    let trials = trials(key.name(), wishes);
    for trial in &trials {
        line.push(trial.read);
    }
    let mut tried = Vec::with_capacity(trials.len());
    for trial in &trials {
        let refusal = refusal(&line.reply().await?);
        tried.push(CommandFacts {
            command: trial.read.name(),
            available: refusal.is_none(),
            needed: trial.needed,
            note: refusal.map_or(trial.purpose, |refusal| refusal).to_owned(),
        });
    }
    Ok(tried)
}

/// Why a command cannot be used; any other error is about the missing key.
pub(super) fn refusal(reply: &Value) -> Option<&'static str> {
    let Value::Error(text) = reply else { return None };
    match ReplyKind::of(text) {
        ReplyKind::UnknownCommand => Some("the server does not know it, or has it blocked"),
        ReplyKind::NoPerm => Some("this user may not run it on all keys"),
        _ => None,
    }
}

struct Trial<'a> {
    read: Read<'a>,
    needed: bool,
    purpose: &'static str,
}

fn trials<'a>(key: &'a [u8], wishes: &Wishes) -> Vec<Trial<'a>> {
    let trial = |read, needed, purpose| Trial { read, needed, purpose };
    let page = Read::Scan { cursor: 0, count: 1, pattern: None, kind: None };
    vec![
        trial(page, true, "finds the keys"),
        trial(Read::Type(key), true, "tells the types apart"),
        trial(Read::PTtl(key), true, "reads times to live"),
        trial(Read::Time, true, "carries times to live from clock to clock"),
        trial(Read::Multi, true, "reads value and time to live together"),
        trial(Read::Exec, true, "reads value and time to live together"),
        trial(Read::Watch(key), false, "guards large keys that are read in pieces"),
        trial(Read::Unwatch, false, "guards large keys that are read in pieces"),
        trial(Read::StrLen(key), true, "reads strings"),
        trial(Read::GetRange(key, 0, 0), true, "reads strings"),
        trial(Read::Dump(key), true, "reads all other types"),
        trial(Read::MemoryUsage(key), false, "finds large keys before they are read"),
        trial(Read::ObjectIdleTime(key), wishes.preserve_idle, "carries idle times"),
        trial(Read::ObjectFreq(key), wishes.preserve_idle, "carries access frequencies"),
        trial(Read::HPExpireTime(key, &[b"field"]), false, "carries expiry of hash fields"),
        trial(Read::LLen(key), false, "reads large lists in pieces"),
        trial(Read::LRange(key, 0, 0), false, "reads large lists in pieces"),
        trial(Read::SCard(key), false, "reads large sets in pieces"),
        trial(Read::SScan(key, 0, 1), false, "reads large sets in pieces"),
        trial(Read::HLen(key), false, "reads large hashes in pieces"),
        trial(Read::HScan(key, 0, 1), false, "reads large hashes in pieces"),
        trial(Read::ZCard(key), false, "reads large sorted sets in pieces"),
        trial(Read::ZRange(key, 0, 0), false, "reads large sorted sets in pieces"),
        trial(Read::XLen(key), false, "reads large streams in pieces"),
        trial(Read::XRange(key, "-", 1), false, "reads large streams in pieces"),
        trial(Read::XInfoStream(key), false, "reads large streams in pieces"),
        trial(Read::XInfoGroups(key), false, "reads groups of large streams"),
        trial(Read::XInfoConsumers(key, b"group"), false, "reads groups of large streams"),
        trial(Read::XPending(key, b"group", "-", 1), false, "reads groups of large streams"),
    ]
}
