//! Which feed the cache in charge allows. It is tried on every node before anything is written, since managed caches differ
//! in what they allow.

use client::{Endpoint, Error, FeedKind, Node, Read, Recovery, Topology};

use crate::args::FeedChoice;

/// Classes of notify-keyspace-events that a key may change in, up to Redis 7.4 (notify.c); `A` stands for all of them.
const CLASSES: &str = "g$lshzxet";

/// Why there is no feed.
pub(super) enum NoFeed {
    /// The cache does not allow it.
    Refused(String),
    /// It could not be asked.
    Lost(Error),
}

/// Tries what is wanted; `auto` takes the first that works on every node. The side of `cache` is the one by which the user
/// knows it.
pub(super) async fn choose(
    cache: &Endpoint,
    layout: &Topology,
    choice: FeedChoice,
) -> Result<FeedKind, NoFeed> {
    let side = cache.side();
    let switch_on = format!(
        "switch the {side}'s notify-keyspace-events to AE (Azure Cache for Redis: advanced settings)"
    );
    let tracking = match choice {
        FeedChoice::Events => None,
        FeedChoice::Auto | FeedChoice::Tracking => match tried(cache, layout, FeedKind::Tracking).await? {
            None => return Ok(FeedKind::Tracking),
            refusal => refusal,
        },
    };
    let tracking = tracking.map(|error| format!("the {side} refuses CLIENT TRACKING: {error}"));
    if choice == FeedChoice::Tracking {
        return Err(refused(
            &[tracking],
            &format!(
                "allow HELLO, CLIENT TRACKING and SUBSCRIBE to its user, or {switch_on} and give --feed events"
            ),
        ));
    }
    if let Some(error) = tried(cache, layout, FeedKind::Events).await? {
        let events = format!("the {side} refuses PSUBSCRIBE for key events: {error}");
        return Err(refused(
            &[tracking, Some(events)],
            "allow HELLO with CLIENT TRACKING and SUBSCRIBE, or HELLO with PSUBSCRIBE, to its user",
        ));
    }
    for node in layout.primaries() {
        match switched_on(cache, node).await? {
            Switch::On => {}
            Switch::Off(value) => {
                let events = format!("the {side} {node} has key events switched off (it has {value:?})");
                let what = match choice {
                    FeedChoice::Auto => format!("allow HELLO, CLIENT TRACKING and SUBSCRIBE, or {switch_on}"),
                    _ => switch_on,
                };
                return Err(refused(&[tracking, Some(events)], &what));
            }
            // Who asks for events knows that they are on; nobody knows it otherwise.
            Switch::Hidden(text) if choice == FeedChoice::Events => {
                tracing::warn!(
                    "{side} {node}: whether key events are on cannot be checked ({text}); if they are not, no change \
                     is heard: notify-keyspace-events must have at least AE"
                );
            }
            Switch::Hidden(text) => {
                let events =
                    format!("whether the {side} {node} has key events on cannot be checked ({text})");
                return Err(refused(
                    &[tracking, Some(events)],
                    &format!(
                        "allow HELLO, CLIENT TRACKING and SUBSCRIBE to its user, or {switch_on} and give --feed events"
                    ),
                ));
            }
        }
    }
    Ok(FeedKind::Events)
}

fn refused(reasons: &[Option<String>], what: &str) -> NoFeed {
    let reasons: Vec<&str> = reasons.iter().flatten().map(String::as_str).collect();
    NoFeed::Refused(format!("refused: {}; {what}; nothing was written", reasons.join("; ")))
}

/// What a node said against this kind of feed, if one did.
async fn tried(cache: &Endpoint, layout: &Topology, kind: FeedKind) -> Result<Option<Error>, NoFeed> {
    let channel = format!("redferry:probe:{:x}", std::process::id());
    for node in layout.primaries() {
        match cache.connect_feed(node, kind, &channel).await {
            Ok(_) => {}
            Err(error) if error.recovery() == Recovery::Operator => return Ok(Some(error)),
            Err(error) => return Err(NoFeed::Lost(error)),
        }
    }
    Ok(None)
}

enum Switch {
    On,
    Off(String),
    /// The server does not let itself be asked; in its words.
    Hidden(String),
}

async fn switched_on(cache: &Endpoint, node: &Node) -> Result<Switch, NoFeed> {
    let mut connection = cache.connect_source(node, 0).await.map_err(NoFeed::Lost)?;
    let read = Read::ConfigGet("notify-keyspace-events");
    let reply = connection.ask(read).await.map_err(NoFeed::Lost)?;
    if reply.is_error() {
        return Ok(Switch::Hidden(Error::from_reply(connection.peer(), "CONFIG GET", &reply).to_string()));
    }
    let value = reply.as_array().and_then(|parts| parts.get(1)?.as_str());
    Ok(match value {
        Some(value) if is_enough(value) => Switch::On,
        Some(value) => Switch::Off(value.to_owned()),
        None => Switch::Hidden("CONFIG GET answers nothing".to_owned()),
    })
}

/// Whether this setting tells every change of a key.
fn is_enough(value: &str) -> bool {
    value.contains('E') && (value.contains('A') || CLASSES.chars().all(|class| value.contains(class)))
}

#[cfg(test)]
mod tests {
    use super::is_enough;

    #[test]
    fn only_a_setting_that_tells_every_change_is_enough() {
        assert!(is_enough("AE") && is_enough("AKE") && is_enough("g$lshzxetE"));
        assert!(!is_enough("") && !is_enough("AK") && !is_enough("Ex") && !is_enough("g$lshzxE"));
    }
}
