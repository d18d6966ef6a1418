//! What connections do and need.

use super::super::{Severity, network};
use super::{Finding, Known};

/// The largest output buffer that is not worth a word, bytes: what a subscriber may have for long on the source.
const OUTPUT_BUFFER: u64 = 8 << 20;
/// Percent of the target's connections above which it is close.
const CLOSE: u64 = 80;

pub(super) fn keyspace_notifications(known: &Known<'_>) -> Option<Finding> {
    let of_resource = known.resource().and_then(|resource| resource.notify.as_deref());
    let of_live = known.live().and_then(|live| live.notify.as_deref());
    let setting = of_resource.or(of_live).filter(|setting| !setting.is_empty())?;
    let subscribers =
        known.live().and_then(|live| live.clients.as_ref()).map_or(0, |clients| clients.pattern_subscribers);
    Some(Finding::new(
        "keyspace_notifications",
        Severity::Warning,
        "Keyspace notifications are switched on",
        format!("notify-keyspace-events is {setting:?}; {subscribers} connections subscribe to patterns"),
        "a preview on Azure Managed Redis since June 2026 (`notifyKeyspaceEvents` of the database, API 2026-02-01-preview; \
         the guide of February 2026 says there are none): switch them on there, or do without",
    ))
}

pub(super) fn pubsub(known: &Known<'_>) -> Option<Finding> {
    let live = known.live()?;
    let used = live.used(&["SUBSCRIBE", "PSUBSCRIBE", "PUBLISH"]);
    let subscribers =
        live.clients.as_ref().map_or(0, |clients| clients.subscribers.max(clients.pattern_subscribers));
    if used.is_none() && subscribers == 0 {
        return None;
    }
    let used = used.unwrap_or_else(|| "no calls counted".into());
    Some(Finding::new(
        "pubsub",
        Severity::Note,
        "Channels are in use; messages are not carried from one cache to the other",
        format!("{used}; {subscribers} connections are subscribed"),
        "move those who publish and those who subscribe together; what is published on one cache is not heard on the other",
    ))
}

pub(super) fn plaintext(known: &Known<'_>) -> Option<Finding> {
    let open = known.resource().is_some_and(|resource| resource.plaintext);
    let used = network::is_plaintext_azure(known.catalog, known.inventory);
    let evidence = match (open, used) {
        (false, false) => return None,
        (true, false) => "the port without TLS is open (enableNonSslPort)",
        (false, true) => "redferry connected without TLS",
        (true, true) => "the port without TLS is open (enableNonSslPort), and redferry connected without TLS",
    };
    Some(Finding::new(
        "plaintext_clients",
        Severity::Warning,
        "Clients may connect without TLS",
        evidence,
        "TLS in every client before the move: Azure Managed Redis has one mode for all on port 10000, chosen when the \
         database is created (the guide of February 2026 says TLS only)",
    ))
}

pub(super) fn connections(known: &Known<'_>) -> Option<Finding> {
    let size = known.size?;
    let peak = size.peak_connections?;
    if peak.saturating_mul(100) <= size.max_connections * CLOSE {
        return None;
    }
    Some(Finding::new(
        "connections",
        Severity::Warning,
        "Connections come close to what the target allows",
        format!("{peak} connections at the peak, {} allows {}", size.sku, size.max_connections),
        "share connections in the applications, or take the next size",
    ))
}

pub(super) fn output_buffers(known: &Known<'_>) -> Option<Finding> {
    let live = known.live()?;
    let of_clients = live.clients.as_ref().map_or(0, |clients| clients.largest_output);
    let of_info = live.nodes.iter().filter_map(|node| node.number("client_recent_max_output_buffer")).max();
    let largest = of_clients.max(of_info.unwrap_or(0));
    (largest >= OUTPUT_BUFFER).then(|| {
        Finding::new(
            "output_buffers",
            Severity::Warning,
            "A client does not read its replies as fast as they come",
            format!("{} MiB wait for one connection", largest >> 20),
            "smaller replies (SCAN, ranges) or faster readers: limits of output buffers are the service's and cut such \
             connections (32 MiB for subscribers on the source)",
        )
    })
}
