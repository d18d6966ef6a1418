//! What one client sends.

use redis::{Cmd, cmd};

use super::Client;

const KINDS: [&str; 7] = ["string", "counter", "list", "set", "hash", "zset", "stream"];

/// Moves what a list or a set has to another key, as applications' scripts do, and touches a key that it does not declare.
const SCRIPT: &str = "local v = redis.call('LPOP', KEYS[1]) \
                      if v then redis.call('RPUSH', KEYS[2], v) end \
                      redis.call('INCR', KEYS[2] .. ':count') return v";

impl Client {
    /// One or two commands. In a cluster all keys of a pipeline share the slot of `tag`.
    pub(super) fn next(&mut self, tag: u64) -> Vec<Cmd> {
        let kind = KINDS[self.random.below(KINDS.len() as u64) as usize];
        let key = self.key(kind, tag);
        match self.random.below(1000) {
            0..40 => vec![with(&["DEL", &key])],
            40..60 => vec![with(&["UNLINK", &key])],
            60..100 => {
                let left = (20 + self.random.below(3000)).to_string();
                vec![with(&["PEXPIRE", &key, &left])]
            }
            100..130 => vec![with(&["PERSIST", &key])],
            130..150 => {
                let other = self.key(kind, tag);
                vec![with(&["RENAME", &key, &other])]
            }
            150..170 => {
                let other = self.key("list", tag);
                vec![with(&["EVAL", SCRIPT, "2", &self.key("list", tag), &other])]
            }
            170 if self.workload.flushes && self.random.below(10) == 0 => vec![with(&["FLUSHDB"])],
            170..175 => {
                let other = self.key("set", tag);
                vec![with(&["SUNIONSTORE", &self.key("set", tag), &self.key("set", tag), &other])]
            }
            _ => self.of_type(kind, &key),
        }
    }

    fn key(&mut self, kind: &str, tag: u64) -> String {
        let number = self.number_of_key();
        // One tag in a hundred, so that keys of a pipeline meet.
        format!("{{w{}}}:{kind}:{number}", tag % 100)
    }

    fn of_type(&mut self, kind: &str, key: &str) -> Vec<Cmd> {
        let number = self.random.below(1000).to_string();
        let word = format!("m{}", self.random.below(40));
        let choice = self.random.below(10);
        let one = |words: &[&str]| vec![with(words)];
        match (kind, choice) {
            ("string", 0..4) => one(&["SET", key, &self.text()]),
            ("string", 4) => one(&["SET", key, &number, "PX", &(50 + self.random.below(5000)).to_string()]),
            ("string", 5..8) => one(&["APPEND", key, &word]),
            ("string", 8) => one(&["SETRANGE", key, &(self.random.below(100)).to_string(), &word]),
            ("string", _) => one(&["SETBIT", key, &number, "1"]),
            ("counter", 0..8) => one(&["INCRBY", key, &number]),
            ("counter", _) => one(&["INCRBYFLOAT", key, "0.1"]),
            ("list", 0..4) => one(&["RPUSH", key, &word, &number]),
            ("list", 4..6) => one(&["LPUSH", key, &number]),
            ("list", 6) => one(&["RPOP", key]),
            ("list", 7) => one(&["RPOPLPUSH", key, key]),
            ("list", _) => one(&["LTRIM", key, "0", "60"]),
            ("set", 0..6) => one(&["SADD", key, &word, &number]),
            ("set", 6) => one(&["SPOP", key]),
            ("set", _) => one(&["SREM", key, &word]),
            ("hash", 0..5) => one(&["HSET", key, &word, &self.text()]),
            ("hash", 5..8) => one(&["HINCRBY", key, "n", &number]),
            ("hash", _) => one(&["HDEL", key, &word]),
            ("zset", 0..5) => one(&["ZADD", key, &number, &word]),
            ("zset", 5..8) => one(&["ZINCRBY", key, "0.1", &word]),
            ("zset", 8) => one(&["ZPOPMIN", key]),
            ("zset", _) => one(&["ZREM", key, &word]),
            ("stream", 0..5) => one(&["XADD", key, "*", "f", &number]),
            ("stream", 5) => one(&["XTRIM", key, "MAXLEN", "50"]),
            _ if self.workload.groups => self.of_group(key, choice),
            _ => one(&["XADD", key, "*", "f", &number]),
        }
    }

    fn of_group(&mut self, key: &str, choice: u64) -> Vec<Cmd> {
        self.entries += 1;
        let consumer = format!("c{}", self.number);
        match choice {
            6 => vec![with(&["XGROUP", "CREATE", key, "g", "0", "MKSTREAM"])],
            7 | 8 => {
                vec![with(&["XREADGROUP", "GROUP", "g", &consumer, "COUNT", "2", "STREAMS", key, ">"])]
            }
            _ => vec![with(&["XGROUP", "SETID", key, "g", "$"])],
        }
    }

    /// Mostly short, sometimes long enough to change the encoding.
    fn text(&mut self) -> String {
        let length = if self.random.below(20) == 0 { 200 } else { 8 };
        (0..length).map(|_| char::from(b'a' + self.random.below(26) as u8)).collect()
    }
}

fn with(words: &[&str]) -> Cmd {
    let mut command = cmd(words[0]);
    command.arg(&words[1..]);
    command
}
