//! A writer that sends every command to the source, and a little later to the target.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::aio::ConnectionLike;
use redis::{Cmd, Pipeline, Value};
use testkit::Access;
use testkit::dataset::random::Random;

use crate::verify::commands::{Keyed, on};

/// Keys of each kind that a writer has for itself, so that both sides get the commands of a key in the same order.
const KEYS: u64 = 40;
const KINDS: [&str; 8] = ["string", "counter", "list", "set", "hash", "zset", "stream", "volatile"];

pub(super) struct Writer {
    number: u64,
    random: Random,
    /// Entries of streams are numbered by the writer, or both sides would choose their own ids.
    entries: u64,
}

impl Writer {
    pub(super) fn new(number: u64, seed: u64) -> Writer {
        Writer { number, random: Random::new(seed), entries: 1000 }
    }

    /// What is there before anything is written.
    pub(super) fn first_keys(&self) -> Vec<Keyed> {
        let mut all = Vec::new();
        for n in 0..KEYS {
            let mut make = |kind: &str, text: &str| all.extend(on(&self.key(kind, n), text));
            make("string", "SET {key} first");
            make("counter", "SET {key} 1");
            make("list", "RPUSH {key} a b c");
            make("set", "SADD {key} a b c");
            make("hash", "HSET {key} a 1 b 2");
            make("zset", "ZADD {key} 1 a 2 b");
            // The group and its consumer stay, as versions differ about the moment when a consumer is made.
            make(
                "stream",
                "XADD {key} 1-1 a b; XGROUP CREATE {key} g 0; XREADGROUP GROUP g c STREAMS {key} >",
            );
        }
        all
    }

    /// Writes until it is told to stop, and says how much that was.
    pub(super) async fn forward(mut self, source: Access, target: Access, stop: Arc<AtomicBool>) -> u64 {
        if source.cluster {
            let (mut from, mut to) = (source.connect_cluster().await, target.connect_cluster().await);
            self.write(&mut from, &mut to, &stop).await
        } else {
            let (mut from, mut to) = (source.connect().await, target.connect().await);
            self.write(&mut from, &mut to, &stop).await
        }
    }

    async fn write<C: ConnectionLike>(&mut self, from: &mut C, to: &mut C, stop: &AtomicBool) -> u64 {
        let mut written = 0;
        while !stop.load(Ordering::Relaxed) {
            let commands = self.next();
            send(from, &commands).await;
            tokio::time::sleep(Duration::from_millis(self.random.below(20))).await;
            send(to, &commands).await;
            written += commands.len() as u64;
        }
        written
    }

    fn key(&self, kind: &str, n: u64) -> String {
        format!("live:{}:{kind}:{n}", self.number)
    }

    /// Commands on one key, all or nothing.
    fn next(&mut self) -> Vec<Keyed> {
        let kind = KINDS[self.random.below(KINDS.len() as u64) as usize];
        // Some keys change again and again.
        let n = if self.random.below(4) == 0 { 0 } else { self.random.below(KEYS) };
        let key = self.key(kind, n);
        let text = self.text(kind);
        on(&key, &text)
    }

    fn text(&mut self, kind: &str) -> String {
        let word = self.random.below(30);
        let number = self.random.below(1000);
        let choice = self.random.below(10);
        let is_special = kind == "stream" || kind == "volatile";
        if choice == 0 && !is_special {
            return "DEL {key}".into();
        }
        // Far enough ahead that no command comes before the end on one side and after it on the other.
        if choice == 1 && !is_special {
            return format!("PEXPIREAT {{key}} {}", now_ms() + 600_000 + number);
        }
        if choice == 2 && !is_special {
            return "PERSIST {key}".into();
        }
        match (kind, choice) {
            ("string", 3..6) => format!("SET {{key}} value{number}"),
            ("string", 6..8) => format!("APPEND {{key}} {number}"),
            ("string", _) => format!("SETRANGE {{key}} {} {word}", number % 60),
            ("counter", _) => format!("INCRBY {{key}} {number}"),
            ("list", 3..6) => format!("RPUSH {{key}} {word} {number}"),
            ("list", 6) => format!("LPUSH {{key}} {number}"),
            ("list", 7) => "RPOP {key}".into(),
            ("list", _) => format!("LTRIM {{key}} {} 40", number % 2),
            ("set", 3..7) => format!("SADD {{key}} {word} m{number}"),
            ("set", _) => format!("SREM {{key}} {word} a"),
            ("hash", 3..6) => format!("HSET {{key}} f{word} {number}"),
            ("hash", 6..8) => format!("HINCRBY {{key}} n{word} {number}"),
            ("hash", _) => format!("HDEL {{key}} f{word} a"),
            ("zset", 3..6) => format!("ZADD {{key}} {number}.5 m{word}"),
            ("zset", 6..8) => format!("ZINCRBY {{key}} 0.5 m{word}"),
            ("zset", _) => format!("ZREM {{key}} m{word}"),
            ("stream", 0..6) => {
                self.entries += 1;
                format!("XADD {{key}} {}-1 f {number}", self.entries)
            }
            ("stream", 6..8) => "XREADGROUP GROUP g c COUNT 2 STREAMS {key} >".into(),
            ("stream", 8) => format!("XACK {{key}} g {}-1 1-1", self.entries.saturating_sub(word)),
            ("stream", _) => "XTRIM {key} MAXLEN 50".into(),
            // Soon gone, so it is written as a whole: nothing depends on what was there.
            _ => format!("SET {{key}} {number}; PEXPIREAT {{key}} {}", now_ms() + 20 + number),
        }
    }
}

/// Both sides refuse the same commands (a list that is a list no more), so a refusal is no fault.
async fn send<C: ConnectionLike>(connection: &mut C, commands: &[Keyed]) {
    let mut pipeline = Pipeline::new();
    for (_, command) in commands {
        let command: Cmd = command.clone();
        pipeline.add_command(command);
    }
    if commands.len() > 1 {
        pipeline.atomic();
    }
    let sent: redis::RedisResult<Vec<Value>> = pipeline.ignore_errors().query_async(connection).await;
    sent.unwrap_or_else(|error| panic!("a writer lost its connection: {error}"));
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64)
}
