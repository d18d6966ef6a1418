//! Commands whose key specifications are incomplete, or wrong when their options come in another order than the
//! specification expects (`XREADGROUP COUNT 1 GROUP streams ...`). The rules are those of Redis' own parsers.

use crate::bits::Access;
use crate::keys::{Group, Keys, KeysError, Line};

const READ: Access = Access::RO.union(Access::ACCESS);
const STORE: Access = Access::OW.union(Access::UPDATE);
const CONSUME: Access = Access::RW.union(Access::ACCESS);
const MOVE: Access = Access::RW.union(Access::ACCESS).union(Access::DELETE);

/// The keys by the command's own rule; `None` when it has none and its specifications count.
pub(crate) fn own_rule<'a, F: Fn(usize) -> &'a [u8]>(
    name: &str,
    line: &Line<'_, F>,
) -> Option<Result<Keys, KeysError>> {
    Some(match name {
        "SORT" => sort(line),
        "SORT_RO" => Keys::of(&[one(1, READ)]),
        "XREAD" => streams(line, READ),
        // Redis calls it a read of the key, but delivery changes the group, which is part of the key's state.
        "XREADGROUP" => streams(line, CONSUME),
        "MIGRATE" => migrate(line),
        "GEORADIUS" => georadius(line, 6),
        "GEORADIUSBYMEMBER" => georadius(line, 5),
        _ => return None,
    })
}

fn one(index: usize, access: Access) -> Group {
    Group { first: index, count: 1, step: 1, access }
}

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination]`; of
/// several destinations the last counts.
fn sort<'a, F: Fn(usize) -> &'a [u8]>(line: &Line<'_, F>) -> Result<Keys, KeysError> {
    let mut destination = None;
    let mut at = 2;
    while at < line.count {
        at += if line.is(at, "LIMIT") {
            3
        } else if line.is(at, "BY") || line.is(at, "GET") {
            2
        } else if line.is(at, "STORE") {
            destination = Some(at + 1);
            2
        } else {
            1
        };
    }
    // An option that lacks its argument.
    if at > line.count {
        return Err(KeysError::Malformed);
    }
    with_destination(one(1, READ), destination)
}

/// `GEORADIUS key longitude latitude radius unit [options]`; of several destinations the last counts.
fn georadius<'a, F: Fn(usize) -> &'a [u8]>(line: &Line<'_, F>, options: usize) -> Result<Keys, KeysError> {
    let mut destination = None;
    let mut at = options;
    while at < line.count {
        if line.is(at, "STORE") || line.is(at, "STOREDIST") {
            at += 1;
            destination = Some(at);
        }
        at += 1;
    }
    if at > line.count {
        return Err(KeysError::Malformed);
    }
    with_destination(one(1, READ), destination)
}

fn with_destination(source: Group, destination: Option<usize>) -> Result<Keys, KeysError> {
    match destination {
        Some(index) => Keys::of(&[source, one(index, STORE)]),
        None => Keys::of(&[source]),
    }
}

/// `XREAD [COUNT n] [BLOCK ms] STREAMS key ... id ...`, and the same with `GROUP group consumer` and `NOACK`.
fn streams<'a, F: Fn(usize) -> &'a [u8]>(line: &Line<'_, F>, access: Access) -> Result<Keys, KeysError> {
    let mut at = 1;
    while !line.is(at, "STREAMS") {
        at += if line.is(at, "BLOCK") || line.is(at, "COUNT") {
            2
        } else if line.is(at, "GROUP") {
            3
        } else if line.is(at, "NOACK") {
            1
        } else {
            return Err(KeysError::Malformed);
        };
    }
    let left = line.count - at - 1;
    if left == 0 || !left.is_multiple_of(2) {
        return Err(KeysError::Malformed);
    }
    Keys::of(&[Group { first: at + 1, count: left / 2, step: 1, access }])
}

/// `MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH p | AUTH2 u p] [KEYS key ...]`
fn migrate<'a, F: Fn(usize) -> &'a [u8]>(line: &Line<'_, F>) -> Result<Keys, KeysError> {
    let mut at = 6;
    while at < line.count && !line.is(at, "KEYS") {
        at += if line.is(at, "AUTH") {
            2
        } else if line.is(at, "AUTH2") {
            3
        } else if line.is(at, "COPY") || line.is(at, "REPLACE") {
            1
        } else {
            return Err(KeysError::Malformed);
        };
    }
    let single = line.get(3).is_some_and(|key| !key.is_empty());
    match (single, line.count.checked_sub(at)) {
        (true, Some(0)) => Keys::of(&[one(3, MOVE)]),
        (false, Some(left @ 2..)) => {
            Keys::of(&[Group { first: at + 1, count: left - 1, step: 1, access: MOVE }])
        }
        _ => Err(KeysError::Malformed),
    }
}
