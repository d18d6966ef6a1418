//! Strings in their encodings, and what is kept in strings: counters, bitmaps, HyperLogLogs.

use super::{Entry, Random};

pub(super) fn entries(random: &mut Random) -> Vec<Entry> {
    let mut entries = vec![
        set("string:empty", b""),
        set("string:one", b"x"),
        set("string:int", b"12345"),
        set("string:int:min", i64::MIN.to_string().as_bytes()),
        set("string:int:max", i64::MAX.to_string().as_bytes()),
        set("string:int:beyond", b"9223372036854775808"),
        set("string:int:shared", b"7"),
        // Looks like a number, but must not lose its zero, plus or space.
        set("string:notint:zero", b"007"),
        set("string:notint:plus", b"+7"),
        set("string:notint:space", b" 7"),
        set("string:float", b"3.0e10"),
        set("string:allbytes", &(0..=255).collect::<Vec<u8>>()),
        set("string:lines", b"a\r\n$3\r\n\r\n*1\r\n"),
        set("string:utf8", "grüße 🚢".as_bytes()),
        set("string:compressible", &vec![b'a'; 50_000]),
        set("string:big", &random.bytes(100_000)),
        // Raw although short: APPEND makes a raw string.
        set("string:raw:short", b"ab").run("APPEND", ["cd"]),
        Entry::new("string", "string:counter").run("INCRBY", ["-42"]).run("INCR", NONE),
        Entry::new("string", "string:incrbyfloat").run("INCRBYFLOAT", ["0.1"]).run("INCRBYFLOAT", ["0.2"]),
        Entry::new("string", "string:bitmap").run("SETBIT", ["7", "1"]).run("SETBIT", ["100003", "1"]),
        Entry::new("string", "string:setrange").run("SETRANGE", ["1000", "end"]),
    ];
    // 44 bytes is the longest embstr.
    for length in [43, 44, 45, 63, 64, 1_000, 16_383, 16_384] {
        entries.push(set(&format!("string:length:{length}"), &random.bytes(length)));
    }
    let few: Vec<String> = (0..10).map(|_| random.bits().to_string()).collect();
    let many: Vec<String> = (0..5_000).map(|_| random.bits().to_string()).collect();
    entries.push(Entry::new("string", "string:hll:sparse").run("PFADD", few));
    entries.push(Entry::new("string", "string:hll:dense").run("PFADD", many));
    entries.push(Entry::new("string", "string:hll:empty").run("PFADD", NONE));
    entries
}

const NONE: [&str; 0] = [];

fn set(key: &str, value: &[u8]) -> Entry {
    Entry::new("string", key).run("SET", [value])
}
