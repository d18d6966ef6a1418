//! RDB files and DUMP payloads: read every version, write for a chosen one. No I/O: bytes are fed in chunks and come
//! out in chunks, so a value larger than memory passes through.
//!
//! - [`file::Reader`] cuts a file into keys and the bytes of their values, without decoding them. Behind a footer
//!   ([`dump::footer`]) these bytes are a payload that RESTORE takes.
//! - [`decode::Decoder`] turns the bytes of one value into elements, whatever its encoding; [`decode::value`] into a
//!   whole small [`Value`].
//! - [`encode`] writes values for the RDB version of a chosen server, [`file::Writer`] whole files, and
//!   [`transcode`] takes a payload to another version.
//!
//! Every length is checked before anything is allocated. What is unknown is an error with its code and place.

mod crc;
pub mod decode;
pub mod dump;
pub mod encode;
mod error;
pub mod file;
mod input;
mod kind;
mod lzf;
mod module;
mod prefix;
mod scan;
mod transcode;
mod value;
mod version;
mod walk;

pub use error::{Error, Problem};
pub use kind::{Kind, TypeCode};
pub use module::module_name;
pub use transcode::{Lost, Unfit, transcode};
pub use value::{Consumer, Entry, Field, Group, Pending, Stream, StreamFacts, StreamId, Value};
pub use version::Version;
