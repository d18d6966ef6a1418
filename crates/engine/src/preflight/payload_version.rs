//! Which payloads a target takes.

use client::reply::ReplyKind;
use client::{Error, TargetConnection};
use rdb::{Version, dump};
use resp::Value;

use super::probe_key::ProbeKey;

/// Versions that a target is asked about.
const VERSIONS: [u16; 8] = [9, 10, 11, 12, 13, 14, 80, 81];

/// A code that no type has.
const NO_TYPE: u8 = 255;

/// The newest version whose payloads a server takes. A payload without a type is refused in any case: for its version
/// when that is too new, and for its content otherwise (cluster.c, restoreCommand).
pub(super) async fn newest(connection: &mut TargetConnection, key: &ProbeKey) -> Result<Option<u16>, Error> {
    for version in VERSIONS {
        let footer = dump::footer([&[NO_TYPE][..]], Version(version));
        let payload = [&[NO_TYPE][..], &footer].concat();
        connection.push(&[b"RESTORE", key.name(), b"0", &payload]);
    }
    let mut newest = None;
    for version in VERSIONS {
        if let Value::Error(text) = connection.reply().await?
            && ReplyKind::of(&text) == ReplyKind::BadDataFormat
        {
            newest = Some(version);
        }
    }
    Ok(newest)
}
