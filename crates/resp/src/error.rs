/// Why a stream of replies cannot be read any further. The connection is of no use after it: where the next
/// frame begins is unknown. Offsets count bytes since the decoder was made; payloads are never shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No RESP type begins with the byte found.
    #[error(
        "byte {offset} of the stream begins no RESP type: the peer does not speak Redis' protocol (TLS against a \
         plain port?) or the stream is out of step; close the connection"
    )]
    UnknownType { offset: u64 },
    /// RESP3's streamed strings and aggregates (`$?`, `*?`), which no Redis server sends.
    #[error(
        "byte {offset} of the stream begins a streamed value, which Redis never sends; close the connection"
    )]
    Streamed { offset: u64 },
    /// The grammar asks for something else at this place.
    #[error("byte {offset} of the stream is not {expected}: the stream is damaged; close the connection")]
    Malformed { offset: u64, expected: &'static str },
    /// A string is declared longer than [`Limits::max_bulk`](crate::Limits::max_bulk).
    #[error(
        "byte {offset} of the stream declares a string of {declared} bytes, more than the limit of {limit}"
    )]
    BulkTooLong { offset: u64, declared: u64, limit: u64 },
    /// An aggregate is declared larger than [`Limits::max_elements`](crate::Limits::max_elements).
    #[error("byte {offset} of the stream declares {declared} elements, more than the limit of {limit}")]
    TooManyElements { offset: u64, declared: u64, limit: u64 },
    /// Aggregates are nested deeper than [`Limits::max_depth`](crate::Limits::max_depth).
    #[error("byte {offset} of the stream nests aggregates deeper than the limit of {limit}")]
    TooDeep { offset: u64, limit: usize },
    /// A line does not end within [`Limits::max_line`](crate::Limits::max_line).
    #[error("the line at byte {offset} of the stream is longer than the limit of {limit} bytes")]
    LineTooLong { offset: u64, limit: usize },
    /// A push inside an aggregate. Redis 6.0 slips invalidations between the replies of an `EXEC`, where they are
    /// no element of it, and answers `SUBSCRIBE` inside of `MULTI` with pushes that are: the reader cannot know.
    #[error(
        "byte {offset} of the stream begins a push inside another value: it cannot be told whether it counts as \
         an element; close the connection"
    )]
    NestedPush { offset: u64 },
}

impl DecodeError {
    /// Where the damage is, in bytes since the decoder was made.
    pub fn offset(&self) -> u64 {
        match *self {
            Self::UnknownType { offset }
            | Self::Streamed { offset }
            | Self::Malformed { offset, .. }
            | Self::BulkTooLong { offset, .. }
            | Self::TooManyElements { offset, .. }
            | Self::TooDeep { offset, .. }
            | Self::LineTooLong { offset, .. }
            | Self::NestedPush { offset } => offset,
        }
    }
}
