//! The values that are spoiled, of each type and in any size.

use redis::Cmd;
use testkit::dataset::Kind;
use testkit::dataset::random::Random;

/// How many elements a value has, and how long each is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) elements: usize,
    pub(crate) width: usize,
}

pub(crate) const SMALL: Size = Size { elements: 6, width: 8 };
/// 240 KB: several pieces where big values begin at 64 KiB.
pub(crate) const BIG: Size = Size { elements: 2_000, width: 120 };

/// How an entry of a stream can differ although its id is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Field,
    Value,
    /// The values of two entries are exchanged.
    Swapped,
    /// Both fields are there, the second one first.
    Order,
}

/// One value under its key.
pub(super) struct Holding<'a> {
    pub(super) key: &'a str,
    pub(super) kind: Kind,
    pub(super) size: Size,
}

impl Holding<'_> {
    /// The commands that make it, of Redis 6.0.
    pub(super) fn commands(&self) -> Vec<Cmd> {
        let mut command = redis::cmd(match self.kind {
            Kind::Stream => return self.stream(None),
            Kind::String => "SET",
            Kind::List => "RPUSH",
            Kind::Set => "SADD",
            Kind::Hash => "HSET",
            Kind::Zset => "ZADD",
        });
        command.arg(self.key);
        if self.kind == Kind::String {
            command.arg(self.all());
            return vec![command];
        }
        for n in 0..self.size.elements {
            match self.kind {
                Kind::Hash => command.arg(field(n)),
                Kind::Zset => command.arg(score(n)),
                _ => &mut command,
            };
            command.arg(self.element(n));
        }
        vec![command]
    }

    /// The same stream, with one entry changed.
    pub(super) fn stream(&self, edit: Option<(Edit, usize)>) -> Vec<Cmd> {
        let typed = |words: &[&str]| {
            let mut command = redis::cmd(words[0]);
            command.arg(&words[1..]);
            command
        };
        let key = self.key;
        let mut commands = vec![typed(&["XADD", key, "0-1", "first", "entry"])];
        for n in 0..self.size.elements {
            let here = match edit {
                Some((Edit::Value, at)) if at == n => "#".repeat(self.size.width),
                Some((Edit::Swapped, at)) if at == n => self.element(self.other(n)),
                Some((Edit::Swapped, at)) if self.other(at) == n => self.element(at),
                _ => self.element(n),
            };
            let name = if edit == Some((Edit::Field, n)) { "g" } else { "f" };
            let number = n.to_string();
            commands.push(if edit == Some((Edit::Order, n)) {
                typed(&["XADD", key, &id(n), "n", &number, name, &here])
            } else {
                typed(&["XADD", key, &id(n), name, &here, "n", &number])
            });
        }
        let half = (self.size.elements / 2).to_string();
        let read = |consumer: &str, count: &str| {
            typed(&["XREADGROUP", "GROUP", "g", consumer, "COUNT", count, "STREAMS", key, ">"])
        };
        commands.extend([
            typed(&["XGROUP", "CREATE", key, "g", "0"]),
            typed(&["XGROUP", "CREATE", key, "h", "1-1"]),
            // A consumer with nothing pending.
            read("idle", "1"),
            typed(&["XACK", key, "g", "0-1"]),
            read("c0", &half),
            read("c1", "1000000"),
        ]);
        commands
    }

    /// Replaces the names of things at a position by what they are here.
    pub(super) fn fill(&self, text: &str, at: usize) -> String {
        let (other, mirror) = (self.other(at), self.size.elements - 1 - at);
        let consumer = |n: usize| format!("c{}", n * 2 / self.size.elements);
        let mut text = text.to_owned();
        let mut put = |name: &str, what: &dyn Fn() -> String| {
            if text.contains(name) {
                text = text.replace(name, &what());
            }
        };
        put("{at}", &|| at.to_string());
        put("{other_at}", &|| other.to_string());
        put("{start}", &|| (at * self.size.width).to_string());
        put("{other_start}", &|| (other * self.size.width).to_string());
        put("{middle}", &|| (at * self.size.width + self.size.width / 2).to_string());
        put("{here}", &|| self.element(at));
        put("{other}", &|| self.element(other));
        put("{field}", &|| field(at));
        put("{other_field}", &|| field(other));
        put("{score}", &|| score(at).to_string());
        put("{other_score}", &|| score(other).to_string());
        put("{ulp}", &|| f64::from_bits(score(at).to_bits() + 1).to_string());
        put("{id}", &|| id(at));
        put("{mirror_id}", &|| id(mirror));
        put("{consumer}", &|| consumer(at));
        put("{mirror_consumer}", &|| consumer(mirror));
        put("{shorter}", &|| {
            let all = self.all();
            all[..all.len() - 1].to_owned()
        });
        text
    }

    fn all(&self) -> String {
        (0..self.size.elements).map(|n| self.element(n)).collect()
    }

    fn other(&self, n: usize) -> usize {
        (n + 1) % self.size.elements
    }

    /// Text that begins with its number, so that no two elements are equal.
    fn element(&self, n: usize) -> String {
        let mut random = Random::new(n as u64);
        let mut text = format!("{n:06}");
        while text.len() < self.size.width {
            text.push(char::from(b'a' + random.below(26) as u8));
        }
        text
    }
}

fn field(n: usize) -> String {
    format!("field{n}")
}

fn score(n: usize) -> f64 {
    n as f64 + 0.1
}

fn id(n: usize) -> String {
    format!("{}-1", n + 1)
}
