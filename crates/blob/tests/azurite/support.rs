//! What all tests need.

use std::time::Duration;

use blob::{Access, Error, Network, Place, ReadOptions, Reader, Secret, WriteOptions, Writer};
use bytes::Bytes;
use testkit::azurite::KEY;
use testkit::dataset::random::Random;

pub const CONTAINER: &str = "dumps";

pub fn key() -> Access {
    Access::shared_key(Secret::new(KEY))
}

pub fn place(text: &str) -> Place {
    Place::parse(text).unwrap()
}

pub fn network() -> Network {
    Network { give_up: Duration::from_secs(10), ..Network::default() }
}

pub fn write_options(gzip: bool, overwrite: bool) -> WriteOptions {
    WriteOptions { gzip, overwrite, network: network() }
}

pub async fn open(url: &str, access: &Access) -> Result<Reader, Error> {
    Reader::open(&place(url), access, ReadOptions { network: network() }).await
}

/// All bytes, and that chunks are neither empty nor large.
pub async fn rest(mut reader: Reader) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = reader.next().await? {
        assert!(!chunk.is_empty() && chunk.len() <= 1 << 20, "a chunk of {} bytes", chunk.len());
        bytes.extend_from_slice(&chunk);
    }
    assert_eq!(reader.next().await.unwrap(), None, "something behind the end");
    Ok(bytes)
}

pub async fn read(url: &str, access: &Access) -> Result<Vec<u8>, Error> {
    rest(open(url, access).await?).await
}

/// Writes in pieces of uneven size.
pub async fn write(
    url: &str,
    access: &Access,
    bytes: &[u8],
    options: WriteOptions,
) -> Result<blob::Summary, Error> {
    let mut writer = Writer::create(&place(url), access, options).await?;
    let mut random = Random::new(bytes.len() as u64);
    let mut rest = Bytes::copy_from_slice(bytes);
    while !rest.is_empty() {
        let size = [1, 1000, 300_000, 3_000_000][random.below(4) as usize].min(rest.len());
        writer.write(rest.split_to(size)).await?;
    }
    writer.finish().await
}

/// Bytes that compress to about half.
pub fn content(seed: u64, size: usize) -> Vec<u8> {
    let mut bytes = Random::new(seed).bytes(size);
    for byte in &mut bytes {
        *byte = b'a' + (*byte & 15);
    }
    bytes
}

/// The error's text with its causes, after a look for secrets in it.
pub fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    let debug = format!("{error:?}");
    for secret in ["sig=", "sv=", KEY, &KEY[..20], "c0ffee", "eyJ"] {
        assert!(!text.contains(secret) && !debug.contains(secret), "{secret} in {text} {debug}");
    }
    text
}

pub fn assert_same(found: &[u8], expected: &[u8], what: &str) {
    // assert_eq! would print megabytes.
    assert_eq!(found.len(), expected.len(), "{what}: another length");
    let differs = found.iter().zip(expected).position(|(found, expected)| found != expected);
    assert_eq!(differs, None, "{what}: first difference");
}
