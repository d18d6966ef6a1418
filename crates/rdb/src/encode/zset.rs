//! Sorted sets.

use bytes::Bytes;

use super::compact::{ELEMENT, ZSET_ENTRIES};
use super::listpack::Listpack;
use super::string::{count, string};
use super::ziplist::Ziplist;
use crate::kind::TypeCode;
use crate::version::Version;

/// Scores up to here that are integers are written as integers (`double2ll` in Redis' util.c).
const LARGEST_INTEGER: f64 = (1u64 << 62) as f64;

pub(super) fn body(members: &[(Bytes, f64)], version: Version, out: &mut Vec<u8>) -> TypeCode {
    let is_small = members.len() <= ZSET_ENTRIES && members.iter().all(|(member, _)| member.len() <= ELEMENT);
    if !is_small {
        count(members.len(), out);
        for (member, score) in members {
            string(member, out);
            out.extend_from_slice(&score.to_le_bytes());
        }
        return TypeCode::ZSET_2;
    }
    let sorted = in_order(members);
    let (code, packed) = if version.knows(TypeCode::ZSET_LISTPACK) {
        let mut listpack = Listpack::new();
        for (member, score) in sorted {
            listpack.push(member);
            listpack.push(text(*score).as_bytes());
        }
        (TypeCode::ZSET_LISTPACK, listpack.finish())
    } else {
        let mut ziplist = Ziplist::new();
        for (member, score) in sorted {
            ziplist.push(member);
            ziplist.push(text(*score).as_bytes());
        }
        (TypeCode::ZSET_ZIPLIST, ziplist.finish())
    };
    string(&packed, out);
    code
}

/// By score, then by bytes: servers take the order of the compact forms as it is.
fn in_order(members: &[(Bytes, f64)]) -> Vec<&(Bytes, f64)> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|(a, a_score), (b, b_score)| {
        let by_score = a_score.partial_cmp(b_score).unwrap_or_else(|| a_score.total_cmp(b_score));
        by_score.then_with(|| a.cmp(b))
    });
    sorted
}

/// A score as text that `strtod` reads back as the same double: the shortest, which is below the 128 bytes that
/// servers read (`zzlGetScore` in Redis' t_zset.c).
fn text(score: f64) -> String {
    if score.is_infinite() {
        return if score > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if score == 0.0 && score.is_sign_negative() {
        return "-0".into();
    }
    if score.abs() <= LARGEST_INTEGER && score.fract() == 0.0 {
        return (score as i64).to_string();
    }
    // Unlike Display, Debug changes to an exponent before the digits get many.
    format!("{score:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_come_back_to_the_bit() {
        let scores = [
            0.0,
            -0.0,
            0.1,
            -1.5,
            0.1 + 0.2,
            5e-324,
            f64::MIN_POSITIVE,
            f64::MAX,
            f64::MIN,
            1e21,
            9_007_199_254_740_991.0,
            9_007_199_254_740_992.0,
            17_179_869_184.000_004,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for score in scores {
            let text = text(score);
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(score.to_bits()), "{text}");
            assert!(text.len() < 30, "{text}");
        }
        assert_eq!(text(-3.0), "-3");
    }

    #[test]
    fn equal_scores_are_ordered_by_bytes() {
        let members = [("b", 0.0), ("a", -0.0), ("c", f64::NEG_INFINITY), ("\u{ff}", 0.0)];
        let members = members.map(|(member, score)| (Bytes::from_static(member.as_bytes()), score));
        let names: Vec<_> = in_order(&members).into_iter().map(|(member, _)| &member[..]).collect();
        assert_eq!(names, [&b"c"[..], b"a", b"b", "\u{ff}".as_bytes()]);
    }
}
