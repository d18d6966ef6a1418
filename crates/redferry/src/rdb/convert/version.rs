//! RDB files of another version.

use ::rdb::file::{Event, Key, Writer};
use ::rdb::{Lost, TypeCode, Version, dump, transcode};
use bytes::{Bytes, BytesMut};
use engine::{Chunks, Feed};

use super::{Account, ConvertError, cause_of};
use crate::rdb::output::Output;

/// Bytes that are gathered before they are written.
const GATHERED: usize = 256 * 1024;

/// Writes the file in that version.
pub(super) async fn write<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    to: Version,
    account: &mut Account,
) -> Result<(), ConvertError> {
    let mut writer = Writer::new(to);
    let mut from = to;
    while let Some(event) = feed.next().await? {
        match event {
            Event::Version(version) => from = version,
            Event::Aux(name, value) => writer.aux(&name, &value),
            Event::ModuleAux(bytes) => {
                account.module_aux += 1;
                writer.module_aux(&bytes);
            }
            Event::KeyMetadata(_) => {
                account.module_aux += 1;
                account.module_aux_left_out += 1;
            }
            Event::Function(library) => {
                account.functions += 1;
                account.functions_left_out += u64::from(to < Version::REDIS_7_0);
                writer.function(&library);
            }
            Event::Database(db) => writer.database(db),
            Event::Sizes { keys, expires } => writer.sizes(keys, expires),
            Event::Key(key) => {
                account.tally.scanned += 1;
                one(feed, output, &mut writer, (from, to), key, account).await?;
            }
            // How many keys slots have is a hint of newer versions.
            Event::Slot { .. } | Event::Part { .. } => {}
            Event::End(_) => writer.end(),
        }
        if writer.buffered() >= GATHERED {
            output.write(&mut writer.take().into()).await?;
        }
    }
    output.write(&mut writer.take().into()).await?;
    Ok(())
}

async fn one<C: Chunks>(
    feed: &mut Feed<C>,
    output: &mut Output,
    writer: &mut Writer,
    (from, to): (Version, Version),
    key: Key,
    account: &mut Account,
) -> Result<(), ConvertError> {
    let Some(Event::Part { bytes, last }) = feed.next().await? else { return Ok(()) };
    if goes_as_it_is(from, to, key.code) {
        writer.key_head(&key);
        let mut length = 0;
        let (mut part, mut over) = (bytes.slice(1.min(bytes.len())..), last);
        loop {
            length += part.len() as u64;
            writer.part(&part);
            if over {
                break;
            }
            output.write(&mut writer.take().into()).await?;
            let Some(Event::Part { bytes, last }) = feed.next().await? else { return Ok(()) };
            (part, over) = (bytes, last);
        }
        account.written(key.code, length, Lost::default());
        return Ok(());
    }
    // A value that has to be written in another form is held whole, however large.
    let value = whole(feed, bytes, last).await?;
    let footer = dump::footer([&value[..]], from);
    match transcode(&Bytes::from([&value[..], &footer].concat()), to) {
        Ok((payload, lost)) => {
            let code = TypeCode(payload[0]);
            let body = &payload[1..payload.len() - dump::FOOTER];
            account.written(code, body.len() as u64, lost);
            writer.key(&Key { code, ..key }, body);
        }
        Err(unfit) => account.not(&key.name, cause_of(&unfit)),
    }
    Ok(())
}

/// Whether servers of that version read values of this code from a file of the other.
fn goes_as_it_is(from: Version, to: Version, code: TypeCode) -> bool {
    let newer = from <= to && (from.is_valkey() == to.is_valkey() || from < Version::REDIS_7_4);
    newer || to.knows(code)
}

async fn whole<C: Chunks>(feed: &mut Feed<C>, begun: Bytes, last: bool) -> Result<Bytes, ConvertError> {
    if last {
        return Ok(begun);
    }
    let mut all = BytesMut::from(&begun[..]);
    while let Some(Event::Part { bytes, last }) = feed.next().await? {
        all.extend_from_slice(&bytes);
        if last {
            break;
        }
    }
    Ok(all.freeze())
}
