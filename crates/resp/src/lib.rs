//! RESP2 and RESP3: a resumable decoder, an encoder and their limits.
//!
//! - [`Decoder`] turns the bytes a server sends into flat [`Token`]s; payloads are ranges into the caller's
//!   buffer, so nothing is copied and a value of any size costs its header only.
//! - [`ValueDecoder`] builds a whole [`Value`] from them, for control commands where convenience counts.
//! - [`request`] reads what a client sends to a server: multibulk and inline commands.
//! - [`encode`] writes commands and replies.
//!
//! Nothing here knows sockets or what a command means. All bytes are kept as they are: no UTF-8 is assumed.

mod decode;
pub mod encode;
mod error;
mod limits;
mod number;
pub mod request;
mod tree;
mod value;

pub use decode::{Decoder, Token};
pub use error::DecodeError;
pub use limits::Limits;
pub use tree::ValueDecoder;
pub use value::Value;
