/// What a peer may declare before the decoder refuses it. No limit makes the decoder allocate: they bound what
/// a caller may have to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest bulk string, bulk error or verbatim string, in bytes. Redis stores at most 512 MiB by default, but
    /// `proto-max-bulk-len` and modules can go further: 4 GiB.
    pub max_bulk: u64,
    /// Most elements of one array, set or push; a map or an attribute of `n` pairs has `2 n`. Redis' own
    /// containers end at 2^32.
    pub max_elements: u64,
    /// Deepest nesting of aggregates that have elements. Redis' own replies stay below 10 (`COMMAND` has 6).
    pub max_depth: usize,
    /// Longest line (simple strings, errors, doubles, big numbers) without its ending, in bytes: 64 KiB.
    pub max_line: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bulk: 4 << 30, max_elements: 1 << 32, max_depth: 32, max_line: 64 << 10 }
    }
}
