//! Sets.

use bytes::Bytes;

use super::compact::{ELEMENT, INTSET_ENTRIES, SET_ENTRIES};
use super::integer;
use super::intset::intset;
use super::listpack::Listpack;
use super::string::{count, string};
use crate::kind::TypeCode;
use crate::version::Version;

pub(super) fn body(members: &[Bytes], version: Version, out: &mut Vec<u8>) -> TypeCode {
    if members.len() <= INTSET_ENTRIES
        && let Some(numbers) = members.iter().map(|member| integer::canonical(member)).collect()
    {
        string(&intset(numbers), out);
        return TypeCode::SET_INTSET;
    }
    let is_small = members.len() <= SET_ENTRIES && members.iter().all(|member| member.len() <= ELEMENT);
    if is_small && version.knows(TypeCode::SET_LISTPACK) {
        let mut listpack = Listpack::new();
        members.iter().for_each(|member| listpack.push(member));
        string(&listpack.finish(), out);
        return TypeCode::SET_LISTPACK;
    }
    count(members.len(), out);
    members.iter().for_each(|member| string(member, out));
    TypeCode::SET
}
