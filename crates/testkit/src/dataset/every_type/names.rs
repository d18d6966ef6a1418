//! Key names that break tools: empty, binary, very long, with and without hash tags.

use super::{Entry, Random};

pub(super) fn entries(random: &mut Random, round: u32) -> Vec<Entry> {
    // The names themselves exist once; later rounds add a number so that they are other keys.
    let number = if round == 0 { Vec::new() } else { format!("#{round}").into_bytes() };
    let mut long = random.bytes(500_000);
    long[0] = b'L';
    let names: [&[u8]; 19] = [
        b"",
        b" ",
        b"\0",
        b"\r\n",
        b"a\0b\r\nc\xff",
        b"\xff\xfe\xfd",
        b"\"quoted\" \\x00",
        b"*",
        b"[a-z]?",
        "schl\u{fc}ssel:\u{1f511}".as_bytes(),
        b"{user1000}.following",
        b"{user1000}.followers",
        b"{}x",
        b"}{",
        b"{unclosed",
        b"a{{b}}c",
        b"a{b}{c}",
        b"with space",
        &long,
    ];
    let mut entries = Vec::new();
    for (n, name) in names.into_iter().enumerate() {
        let key = [name, &number].concat();
        let value = random.bytes(20);
        entries.push(match n % 6 {
            0 => Entry::new("string", key).run("SET", [value]),
            1 => Entry::new("list", key).run("RPUSH", [value]),
            2 => Entry::new("hash", key).run("HSET", [b"f".to_vec(), value]),
            3 => Entry::new("set", key).run("SADD", [value]),
            4 => Entry::new("zset", key).run("ZADD", [b"1.5".to_vec(), value]),
            _ => Entry::new("stream", key).run("XADD", [b"1-1".to_vec(), b"f".to_vec(), value]),
        });
    }
    entries
}
