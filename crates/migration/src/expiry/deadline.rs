//! From what PTTL says to a moment on the target's clock.

use super::Clock;

/// When a key expires on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Milliseconds since 1970 on the target's clock, as RESTORE ... ABSTTL and PEXPIREAT take them.
    /// May lie in the past: then the key is to be deleted.
    pub at_ms: i64,
    /// The true moment is within this many milliseconds of `at_ms`.
    pub error_ms: u32,
}

/// A server answers PTTL from a clock it read when the outermost command began (server.c,
/// commandTimeSnapshot, since 7.2), so the first TIME in the same transaction may show up to a millisecond more.
const SNAPSHOT_LAG_MS: i128 = 1;

/// The target's deadline for a key that PTTL answered `pttl_ms` for, when the source's clock was
/// somewhere in `read_at_source_us` (microseconds since 1970, on the source's clock, as from a TIME before
/// and one after in the same transaction).
///
/// `None` when `pttl_ms` is negative: the key has no TTL (-1) or is gone (-2), and neither is a deadline.
pub fn deadline_on_target_ms(
    source: &Clock,
    target: &Clock,
    read_at_source_us: (u64, u64),
    pttl_ms: i64,
) -> Option<Deadline> {
    // PTTL is the expiry less the clock, both in whole milliseconds (db.c, ttlGenericCommand),
    // so the expiry on the source's clock is exact once the clock's millisecond is known.
    let first_ms = i128::from(read_at_source_us.0 / 1000) - SNAPSHOT_LAG_MS;
    let last_ms = i128::from(read_at_source_us.1 / 1000);
    let to_target = i128::from(target.offset_us) - i128::from(source.offset_us);
    let error = i128::from(source.error_us) + i128::from(target.error_us);
    deadline(pttl_ms, first_ms * 1000 + to_target - error, last_ms * 1000 + to_target + error)
}

/// The same when PTTL was answered somewhere in `read_at_local_us`, microseconds of the local
/// monotonic clock (sent, received). The source's clock does not matter then, only its speed.
pub fn deadline_from_local_ms(
    target: &Clock,
    read_at_local_us: (u64, u64),
    pttl_ms: i64,
) -> Option<Deadline> {
    let offset = i128::from(target.offset_us);
    let error = i128::from(target.error_us);
    // The source dropped up to a millisecond when it looked at its clock.
    let first = i128::from(read_at_local_us.0) - 999;
    let last = i128::from(read_at_local_us.1);
    deadline(pttl_ms, first + offset - error, last + offset + error)
}

/// The deadline for a remaining time that counts from somewhere in `first_us..=last_us` on the target's clock.
fn deadline(pttl_ms: i64, first_us: i128, last_us: i128) -> Option<Deadline> {
    if pttl_ms < 0 {
        return None;
    }
    let (first_us, last_us) = (first_us.min(last_us), first_us.max(last_us));
    let left_us = i128::from(pttl_ms) * 1000;
    let at_ms = (first_us + (last_us - first_us) / 2 + left_us + 500).div_euclid(1000);
    let off_us = (last_us + left_us - at_ms * 1000).max(at_ms * 1000 - first_us - left_us);
    Some(Deadline {
        at_ms: i64::try_from(at_ms).unwrap_or(if at_ms < 0 { i64::MIN } else { i64::MAX }),
        error_ms: u32::try_from((off_us + 999) / 1000).unwrap_or(u32::MAX),
    })
}
