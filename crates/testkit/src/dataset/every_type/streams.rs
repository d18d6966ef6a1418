//! Streams with everything that lives beside their entries: last id, groups, consumers and what is pending.

use super::Entry;

const FIRST: u64 = 1_700_000_000_000;

pub(super) fn entries() -> Vec<Entry> {
    vec![
        with_entries("entries", 5),
        // More than one node (100 entries each by default), with changing field names.
        (0..350).fold(stream("nodes"), |entry, n| {
            let field = format!("field{}", n % 7);
            entry.run(
                "XADD",
                [
                    format!("{}-{n}", FIRST + n / 3),
                    field,
                    format!("value{n}"),
                    "always".into(),
                    n.to_string(),
                ],
            )
        }),
        stream("binary").run("XADD", [&b"1-1"[..], b"\0\r\n\xff", b"", b"", b"\xff\xfe"]),
        stream("ids")
            .run("XADD", ["0-1", "f", "v"])
            .run("XADD", ["18446744073709551615-18446744073709551614", "f", "v"]),
        with_entries("deleted", 20).run("XDEL", [id(0), id(7), id(19)]),
        with_entries("trimmed", 300).run("XTRIM", ["MAXLEN", "120"]),
        // No entries: only the last id tells what the next XADD may use.
        with_entries("last-id-only", 3).run("XDEL", [id(0), id(1), id(2)]),
        with_entries("xsetid", 3).run("XSETID", ["1800000000000-7"]),
        stream("empty-group").run_around("XGROUP", &["CREATE"], &["group", "$", "MKSTREAM"]),
        with_entries("group-at-start", 5).run_around("XGROUP", &["CREATE"], &["group", "0"]),
        with_entries("group-at-end", 5).run_around("XGROUP", &["CREATE"], &["group", "$"]),
        // Acknowledged everything: a group with a position, a consumer and nothing pending.
        read(group("acknowledged", 6), "alice", "6").run("XACK", acknowledge(0..6)),
        consumers("consumers"),
        // The entry is gone but still pending, as happens with MAXLEN and slow workers.
        read(group("pending-deleted", 5), "alice", "3").run("XDEL", [id(0), id(2)]),
        read(group("pending-all-deleted", 2), "alice", "2").run("XDEL", [id(0), id(1)]),
        // The group's position lies beyond the last entry.
        group("ahead", 3).run_around("XGROUP", &["SETID"], &["group", "1900000000000-1"]),
        many_groups("many-groups"),
    ]
}

/// Several consumers: one busy, one with claimed entries and delivery counts, one that holds nothing.
fn consumers(name: &str) -> Entry {
    let entry = read(read(group(name, 30), "alice", "10"), "bob", "5").run("XACK", acknowledge(2..4));
    let claim = |entry: Entry, consumer: &str, n: u64, idle: &str, count: &str| {
        entry.run("XCLAIM", ["group", consumer, "0", &id(n), "IDLE", idle, "RETRYCOUNT", count])
    };
    let entry = claim(entry, "carol", 0, "60000", "7");
    let entry = claim(entry, "carol", 11, "0", "4294967296");
    let entry = claim(entry, "", 12, "3600000", "2");
    entry.run_around("XREADGROUP", &["GROUP", "group", "idle\0\u{e9}", "STREAMS"], &["0"])
}

fn many_groups(name: &str) -> Entry {
    (0..12).fold(with_entries(name, 40), |entry, n| {
        let group = format!("group{n}");
        let count = (n + 1).to_string();
        entry.run_around("XGROUP", &["CREATE"], &[&group, &id(n)]).run_around(
            "XREADGROUP",
            &["GROUP", &group, "worker", "COUNT", &count, "STREAMS"],
            &[">"],
        )
    })
}

fn stream(name: &str) -> Entry {
    Entry::new("stream", format!("stream:{name}"))
}

fn with_entries(name: &str, count: u64) -> Entry {
    (0..count).fold(stream(name), |entry, n| entry.run("XADD", [id(n), "field".into(), format!("value{n}")]))
}

fn group(name: &str, count: u64) -> Entry {
    with_entries(name, count).run_around("XGROUP", &["CREATE"], &["group", "0"])
}

fn read(entry: Entry, consumer: &str, count: &str) -> Entry {
    entry.run_around("XREADGROUP", &["GROUP", "group", consumer, "COUNT", count, "STREAMS"], &[">"])
}

fn acknowledge(entries: std::ops::Range<u64>) -> Vec<String> {
    std::iter::once("group".into()).chain(entries.map(id)).collect()
}

fn id(n: u64) -> String {
    format!("{}-{}", FIRST + n, n % 3)
}
