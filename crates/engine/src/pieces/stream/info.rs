//! Reading what XINFO answers: names and values in turn.

use resp::Value;

/// The value of that name.
pub(super) fn field<'a>(pairs: &'a [Value], name: &str) -> Option<&'a Value> {
    pairs.chunks_exact(2).find(|pair| pair[0].as_bytes() == Some(name.as_bytes())).map(|pair| &pair[1])
}
