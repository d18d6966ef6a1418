//! Hash slots and tags, without a server; `servers.rs` compares them with one.

use commands::{SLOTS, hash_tag, slot, tag_for_slot};
use proptest::prelude::*;

#[test]
fn known_slots() {
    // The first is CRC-16/XMODEM's check value, 0x31c3; the others are from the Redis Cluster specification and
    // tutorial.
    assert_eq!(slot(b"123456789"), 0x31c3);
    assert_eq!(slot(b"foo"), 12182);
    assert_eq!(slot(b"bar"), 5061);
    assert_eq!(slot(b"hello"), 866);
    assert_eq!(slot(b""), 0);
}

#[test]
fn the_first_pair_of_braces_with_something_in_it_is_hashed() {
    let tags: [(&[u8], &[u8]); 10] = [
        (b"{user1000}.following", b"user1000"),
        (b"foo{}{bar}", b"foo{}{bar}"),
        (b"foo{{bar}}zap", b"{bar"),
        (b"foo{bar}{zap}", b"bar"),
        (b"}foo{bar}", b"bar"),
        (b"foo{bar", b"foo{bar"),
        (b"foo}bar", b"foo}bar"),
        (b"{}", b"{}"),
        (b"{\0}", b"\0"),
        (b"", b""),
    ];
    for (key, tag) in tags {
        assert_eq!(hash_tag(key), tag, "{}", key.escape_ascii());
    }
}

#[test]
fn every_slot_has_a_short_tag() {
    for wanted in 0..SLOTS {
        let tag = tag_for_slot(wanted);
        assert_eq!(slot(tag.as_bytes()), wanted);
        assert_eq!(slot(format!("redferry:{{{tag}}}:x").as_bytes()), wanted);
        assert!(tag.len() <= 6 && tag.bytes().all(|byte| byte.is_ascii_digit()), "{tag}");
    }
}

proptest! {
    #[test]
    fn keys_with_the_same_tag_share_a_slot(
        prefix in "[^{]{0,8}", tag in "[^}]{1,8}", suffix in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let key = [format!("{prefix}{{{tag}}}").as_bytes(), &suffix].concat();
        prop_assert_eq!(slot(&key), slot(tag.replace('}', "").as_bytes()));
        prop_assert!(slot(&key) < SLOTS);
    }
}
