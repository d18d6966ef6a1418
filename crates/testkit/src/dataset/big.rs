//! One key of many bytes.

use super::loader::Loader;
use super::random::Random;
use super::{Place, Summary};

const PIECE: usize = 1 << 20;
const ELEMENT: usize = 128;
const ELEMENTS_PER_COMMAND: usize = 1_000;

/// The type of a big key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Random bytes.
    String,
    /// Elements of 128 bytes.
    List,
    /// Members of 128 bytes.
    Set,
    /// Fields of 16 bytes with values of 112.
    Hash,
    /// Members of 120 bytes with random scores.
    Zset,
    /// Entries of one field, with a group that has read the first ten.
    Stream,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 6] = [Kind::String, Kind::List, Kind::Set, Kind::Hash, Kind::Zset, Kind::Stream];

    /// The key that [`big`] writes: `big:list`, ...
    pub fn key(self) -> String {
        format!("big:{}", self.name())
    }

    fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::List => "list",
            Kind::Set => "set",
            Kind::Hash => "hash",
            Kind::Zset => "zset",
            Kind::Stream => "stream",
        }
    }
}

/// Writes one key, [`Kind::key`], that holds about `bytes` bytes of user data.
pub async fn big(place: impl Into<Place>, kind: Kind, bytes: usize) -> Summary {
    let mut loader = Loader::open(&place.into()).await;
    let mut random = Random::new(bytes as u64);
    let key = kind.key();
    loader.count(kind.name());
    if kind == Kind::String {
        for start in (0..bytes).step_by(PIECE) {
            let mut command = redis::cmd("SETRANGE");
            command.arg(&key).arg(start).arg(random.bytes(PIECE.min(bytes - start)));
            loader.push(key.as_bytes(), command).await;
        }
        return loader.finish().await;
    }
    let elements = bytes.div_ceil(ELEMENT).max(1);
    let per_command = if kind == Kind::Stream { 1 } else { ELEMENTS_PER_COMMAND };
    for start in (0..elements).step_by(per_command) {
        let mut command = redis::cmd(match kind {
            Kind::List => "RPUSH",
            Kind::Set => "SADD",
            Kind::Hash => "HSET",
            Kind::Zset => "ZADD",
            Kind::String | Kind::Stream => "XADD",
        });
        command.arg(&key);
        for element in start..elements.min(start + per_command) {
            match kind {
                Kind::List | Kind::Set => command.arg(numbered(&mut random, element, ELEMENT)),
                Kind::Hash => command.arg(format!("field{element:011}")).arg(random.bytes(112)),
                Kind::Zset => command.arg(random.fraction() * 1e9).arg(numbered(&mut random, element, 120)),
                Kind::String | Kind::Stream => {
                    command.arg(format!("{}-1", element + 1)).arg("f").arg(random.bytes(ELEMENT))
                }
            };
        }
        loader.push(key.as_bytes(), command).await;
    }
    if kind == Kind::Stream {
        let mut group = redis::cmd("XGROUP");
        group.arg(&["CREATE", &key, "group", "0"]);
        loader.push(key.as_bytes(), group).await;
        let mut read = redis::cmd("XREADGROUP");
        read.arg(&["GROUP", "group", "consumer", "COUNT", "10", "STREAMS", &key, ">"]);
        loader.push(key.as_bytes(), read).await;
    }
    loader.finish().await
}

/// Random bytes that begin with the element's number, so that no two elements are equal.
fn numbered(random: &mut Random, element: usize, length: usize) -> Vec<u8> {
    let mut bytes = (element as u64).to_be_bytes().to_vec();
    bytes.extend(random.bytes(length - 8));
    bytes
}
