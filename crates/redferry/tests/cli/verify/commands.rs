//! Commands as one types them.

use redis::Cmd;
use testkit::dataset::{self, Place};

/// A command and the key whose node gets it.
pub(super) type Keyed = (Vec<u8>, Cmd);

/// Commands on one key, separated by `"; "`, with its name written as `{key}`. No argument holds a space.
pub(super) fn on(key: &str, text: &str) -> Vec<Keyed> {
    text.replace("{key}", key)
        .split("; ")
        .filter(|command| !command.trim().is_empty())
        .map(|command| {
            let mut words = command.split(' ').filter(|word| !word.is_empty());
            let mut typed = redis::cmd(words.next().expect("a command has a name"));
            typed.arg(words.collect::<Vec<_>>());
            (key.as_bytes().to_vec(), typed)
        })
        .collect()
}

/// Runs commands on one key.
pub(super) async fn run(place: impl Into<Place>, key: &str, text: &str) {
    dataset::run(place, on(key, text)).await;
}

/// Gives the expiry of a key that has one another time, so many milliseconds later. Redis 7 only.
pub(super) fn expire_later(key: &str, milliseconds: i64) -> Keyed {
    const SCRIPT: &str =
        "return redis.call('PEXPIREAT', KEYS[1], redis.call('PEXPIRETIME', KEYS[1]) + ARGV[1])";
    let mut command = redis::cmd("EVAL");
    command.arg(SCRIPT).arg(1).arg(key).arg(milliseconds);
    (key.as_bytes().to_vec(), command)
}
