//! Payloads for another version than the one that made them.

use bytes::Bytes;

use crate::error::Error;
use crate::kind::TypeCode;
use crate::value::{Stream, StreamId, Value};
use crate::version::Version;
use crate::{decode, dump, encode};

/// Why a value cannot be had in another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unfit {
    /// The payload itself is damaged.
    #[error(transparent)]
    Damaged(#[from] Error),
    /// Fields of the hash expire, which that version does not know.
    #[error("{0} fields of the hash expire, which Redis before 7.4 does not know")]
    FieldExpiry(u64),
    /// A value of a module made for Redis before 4.0, which no server reads.
    #[error("the module's value is of a form that no server since Redis 4.0 reads")]
    Module,
    /// An entry of a stream above 1 GiB.
    #[error("an entry of the stream is above 1 GiB, which servers refuse")]
    TooLarge,
    /// A version that is too old to be written.
    #[error("RDB version {} is not written: the oldest is {}", .0.0, Version::REDIS_6.0)]
    Version(Version),
}

/// What is lost without anybody missing data: newer facts that the older version has no place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// `entries-added`, `max-deleted-entry-id` or `entries-read` of a stream, or what Redis 8.6 remembers of its
    /// producers.
    pub stream_facts: bool,
    /// When a consumer was last active.
    pub consumer_activity: bool,
}

/// The payload as servers of another version take it by one RESTORE. One that they take as it is comes back with
/// another footer only. So does that of a module: whether it is read depends on the module over there.
///
/// # Errors
/// It is damaged, or that version cannot hold the value.
pub fn transcode(payload: &Bytes, to: Version) -> Result<(Bytes, Lost), Unfit> {
    if to < Version::REDIS_6 {
        return Err(Unfit::Version(to));
    }
    let dump::Payload { code, body, version } = dump::open(payload)?;
    if version == to {
        return Ok((payload.clone(), Lost::default()));
    }
    // A newer server reads whatever an older one of its own kind wrote. Between Redis and Valkey what holds listpacks
    // is written anew: they do not agree on the widths in them.
    let same_kind = version.is_valkey() == to.is_valkey();
    let listpacks = matches!(code.0, 15..=21);
    if same_kind && version < to || to.knows(code) && (same_kind || !listpacks) {
        let value = &payload[..payload.len() - dump::FOOTER];
        let footer = dump::footer([value], to);
        return Ok((Bytes::from([value, &footer].concat()), Lost::default()));
    }
    if code == TypeCode::MODULE {
        return Err(Unfit::Module);
    }
    let value = decode::value_of_version(code, version, &payload.slice_ref(body))?;
    let payload = encode::payload(&value, to)?;
    let lost = match &value {
        Value::Stream(stream) => lost(stream, code, TypeCode(payload[0])),
        _ => Lost::default(),
    };
    Ok((Bytes::from(payload), lost))
}

/// What a stream has and its new form has no place for. What a newer server would conclude anyway from the rest is
/// not counted (`rdbLoadObject` in Redis' rdb.c).
fn lost(stream: &Stream, from: TypeCode, written: TypeCode) -> Lost {
    let producers = matches!(from, TypeCode::STREAM_4 | TypeCode::STREAM_5);
    let facts = &stream.facts;
    let counted = facts.entries_added.is_some_and(|added| added != stream.entries.len() as u64);
    let deleted = facts.max_deleted_id.is_some_and(|id| id != StreamId::default());
    let read = stream.groups.iter().any(|group| group.entries_read.is_some());
    let mut consumers = stream.groups.iter().flat_map(|group| &group.consumers);
    Lost {
        stream_facts: producers || written == TypeCode::STREAM_1 && (counted || deleted || read),
        consumer_activity: written != TypeCode::STREAM_3
            && consumers
                .any(|consumer| consumer.active_at_ms.is_some_and(|active| active != consumer.seen_at_ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Problem;
    use crate::value::{Consumer, Field, Group};

    const ALL: [Version; 5] =
        [Version::REDIS_6, Version::REDIS_7_0, Version::REDIS_7_2, Version::REDIS_7_4, Version::VALKEY_9];

    fn payload(value: &Value, version: Version) -> Bytes {
        encode::payload(value, version).expect("the version holds it").into()
    }

    fn raw(code: u8, body: &[u8], version: Version) -> Bytes {
        let value = [&[code], body].concat();
        let footer = dump::footer([&value[..]], version);
        Bytes::from([&value[..], &footer].concat())
    }

    fn hash(expiries: &[Option<u64>]) -> Value {
        let field = |(n, expires_at_ms): (usize, &Option<u64>)| Field {
            name: n.to_string().into(),
            value: Bytes::from_static(b"value"),
            expires_at_ms: *expires_at_ms,
        };
        Value::Hash(expiries.iter().enumerate().map(field).collect())
    }

    #[test]
    fn what_the_other_version_knows_gets_another_footer_only() {
        let string = Value::String(Bytes::from_static(b"text"));
        for from in ALL {
            for to in ALL {
                let (moved, lost) = transcode(&payload(&string, from), to).expect("all know strings");
                assert_eq!((moved, lost), (payload(&string, to), Lost::default()));
            }
        }
        let module = raw(7, b"whatever", Version::REDIS_7_4);
        let moved = transcode(&module, Version::REDIS_6).map(|(moved, _)| moved);
        assert_eq!(moved, Ok(raw(7, b"whatever", Version::REDIS_6)));
        // A newer server takes even what is not known here.
        let unknown = raw(200, b"whatever", Version(13));
        assert_eq!(
            transcode(&unknown, Version(14)).map(|(moved, _)| moved),
            Ok(raw(200, b"whatever", Version(14)))
        );
    }

    #[test]
    fn what_it_does_not_know_is_written_in_its_own_form() {
        let hash = hash(&[None, None]);
        let codes =
            [(Version::REDIS_7_4, TypeCode::HASH_LISTPACK), (Version::REDIS_6, TypeCode::HASH_ZIPLIST)];
        for (version, code) in codes {
            assert_eq!(payload(&hash, version)[0], code.0);
        }
        let moved = transcode(&payload(&hash, Version::REDIS_7_4), Version::REDIS_6).map(|(moved, _)| moved);
        assert_eq!(moved, Ok(payload(&hash, Version::REDIS_6)));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let expiring =
            payload(&hash(&[Some(2_000_000_000_000), None, Some(2_000_000_000_001)]), Version::REDIS_7_4);
        for to in [Version::REDIS_6, Version::REDIS_7_2, Version::VALKEY_9] {
            assert_eq!(transcode(&expiring, to), Err(Unfit::FieldExpiry(2)));
        }
        // Valkey's own form: field, value, and when it expires or -1.
        let valkey = raw(22, b"\x01\x01f\x01v\x00\x20\x4a\xa9\xd1\x01\x00\x00", Version::VALKEY_9);
        assert_eq!(transcode(&valkey, Version::REDIS_6), Err(Unfit::FieldExpiry(1)));
        let moved = transcode(&valkey, Version::REDIS_7_4).expect("7.4 holds it").0;
        assert_eq!(moved[0], TypeCode::HASH_LISTPACK_EX.0);
        assert_eq!(transcode(&raw(6, b"x", Version(8)), Version::REDIS_7_4).map(|_| ()), Ok(()));
        assert_eq!(transcode(&raw(6, b"x", Version::REDIS_7_4), Version::REDIS_6), Err(Unfit::Module));
        assert_eq!(transcode(&expiring, Version(8)), Err(Unfit::Version(Version(8))));
        let mut damaged = expiring.to_vec();
        damaged[5] ^= 1;
        let refused = transcode(&damaged.into(), Version::REDIS_6);
        assert!(
            matches!(refused, Err(Unfit::Damaged(Error { problem: Problem::Checksum, .. }))),
            "{refused:?}"
        );
    }

    #[test]
    fn what_is_lost_of_a_stream_is_told() {
        let id = StreamId { ms: 5, seq: 1 };
        let mut stream = Stream::default();
        stream.facts.last_id = id;
        stream.facts.first_id = Some(StreamId::default());
        stream.facts.max_deleted_id = Some(StreamId::default());
        stream.facts.entries_added = Some(0);
        let consumer = Consumer { name: Bytes::from_static(b"c"), seen_at_ms: 9, active_at_ms: Some(9) };
        stream.groups.push(Group { consumers: vec![consumer], ..Group::default() });
        let lost = |stream: &Stream, to| {
            let payload = payload(&Value::Stream(stream.clone()), Version::REDIS_7_4);
            transcode(&payload, to).map(|(_, lost)| (lost.stream_facts, lost.consumer_activity))
        };
        // A newer server would conclude all of this.
        assert_eq!(lost(&stream, Version::REDIS_6), Ok((false, false)));
        stream.groups[0].consumers[0].active_at_ms = Some(8);
        assert_eq!(lost(&stream, Version::REDIS_7_0), Ok((false, true)));
        assert_eq!(lost(&stream, Version::REDIS_7_2), Ok((false, false)));
        stream.facts.max_deleted_id = Some(id);
        assert_eq!(lost(&stream, Version::REDIS_6), Ok((true, true)));
        assert_eq!(lost(&stream, Version::REDIS_7_0), Ok((false, true)));
    }
}
