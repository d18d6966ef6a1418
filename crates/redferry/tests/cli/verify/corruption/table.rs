//! Everything that can be wrong with a key, how to make it wrong, and which kinds of difference that is at which level.

use redis::Cmd;
use testkit::dataset::Kind;

use super::super::commands::{Keyed, expire_later, on};
use super::value::{Edit, Holding, Size};

type Kinds = &'static [&'static str];

const NONE: Kinds = &[];
const VALUE: Kinds = &["value"];
const GROUP: Kinds = &["group"];
const TTL: Kinds = &["ttl"];

/// How a key of the target is spoiled.
#[derive(Clone, Copy)]
enum How {
    /// By these commands.
    By(&'static str),
    /// Its expiry comes so many milliseconds later.
    Later(i64),
    /// A stream is written anew with one entry changed.
    Anew(Edit),
    /// It is a key of another type now.
    OtherType,
    /// The source does not have it.
    OnlyHere,
}

/// What a corruption works on, its name, how it is done, and what shall be seen at full and at quick.
type Row = (Kind, &'static str, How, Kinds, Kinds);

use How::{Anew, By, Later, OnlyHere, OtherType};
use Kind::{Hash, List, Set, Stream, String as Text, Zset};

/// Sizes are seen at both levels; what keeps the size is seen at full only.
const BY_TYPE: &[Row] = &[
    (Text, "byte", By("SETRANGE {key} {middle} #"), VALUE, NONE),
    (Text, "swapped", By("SETRANGE {key} {start} {other}; SETRANGE {key} {other_start} {here}"), VALUE, NONE),
    (Text, "appended", By("APPEND {key} x"), VALUE, VALUE),
    (Text, "truncated", By("SET {key} {shorter}"), VALUE, VALUE),
    (List, "changed", By("LSET {key} {at} #changed"), VALUE, NONE),
    (List, "swapped", By("LSET {key} {at} {other}; LSET {key} {other_at} {here}"), VALUE, NONE),
    (List, "doubled", By("LSET {key} {at} {other}"), VALUE, NONE),
    (List, "rotated", By("RPOPLPUSH {key} {key}"), VALUE, NONE),
    (List, "added", By("LINSERT {key} BEFORE {here} #new"), VALUE, VALUE),
    (List, "pushed", By("RPUSH {key} #new"), VALUE, VALUE),
    (List, "removed", By("LREM {key} 1 {here}"), VALUE, VALUE),
    (Set, "changed", By("SREM {key} {here}; SADD {key} #new"), VALUE, NONE),
    (Set, "added", By("SADD {key} #new"), VALUE, VALUE),
    (Set, "removed", By("SREM {key} {here}"), VALUE, VALUE),
    (Zset, "score", By("ZADD {key} 123456.5 {here}"), VALUE, NONE),
    (Zset, "sign", By("ZADD {key} -{score} {here}"), VALUE, NONE),
    (Zset, "ulp", By("ZADD {key} {ulp} {here}"), VALUE, NONE),
    (Zset, "swapped", By("ZADD {key} {score} {other} {other_score} {here}"), VALUE, NONE),
    (Zset, "member", By("ZREM {key} {here}; ZADD {key} {score} #new"), VALUE, NONE),
    (Zset, "added", By("ZADD {key} {score} #new"), VALUE, VALUE),
    (Zset, "removed", By("ZREM {key} {here}"), VALUE, VALUE),
    (Hash, "value", By("HSET {key} {field} #changed"), VALUE, NONE),
    (Hash, "swapped", By("HSET {key} {field} {other} {other_field} {here}"), VALUE, NONE),
    (Hash, "renamed", By("HDEL {key} {field}; HSET {key} #field {here}"), VALUE, NONE),
    (Hash, "turned", By("HDEL {key} {field}; HSET {key} {here} {field}"), VALUE, NONE),
    (Hash, "added", By("HSET {key} #field #value"), VALUE, VALUE),
    (Hash, "removed", By("HDEL {key} {field}"), VALUE, VALUE),
    (Stream, "field", Anew(Edit::Field), VALUE, NONE),
    (Stream, "value", Anew(Edit::Value), VALUE, NONE),
    (Stream, "swapped", Anew(Edit::Swapped), VALUE, NONE),
    (Stream, "order", Anew(Edit::Order), VALUE, NONE),
    (Stream, "deleted", By("XDEL {key} {id}"), VALUE, VALUE),
    (Stream, "appended", By("XADD {key} 9999999-1 f #new"), VALUE, VALUE),
    (Stream, "last-id", By("XSETID {key} 9999999-1"), VALUE, NONE),
    (Stream, "position", By("XGROUP SETID {key} g 0-7"), GROUP, NONE),
    (Stream, "acknowledged", By("XACK {key} g {id}"), GROUP, NONE),
    (Stream, "deliveries", By("XCLAIM {key} g {consumer} 0 {id} RETRYCOUNT 7 JUSTID"), GROUP, NONE),
    (Stream, "claimed", By("XCLAIM {key} g {mirror_consumer} 0 {id} RETRYCOUNT 1 JUSTID"), GROUP, NONE),
    (
        Stream,
        "exchanged",
        By("XCLAIM {key} g {mirror_consumer} 0 {id} RETRYCOUNT 1 JUSTID; \
            XCLAIM {key} g {consumer} 0 {mirror_id} RETRYCOUNT 1 JUSTID"),
        GROUP,
        NONE,
    ),
    (Stream, "new-consumer", By("XGROUP CREATECONSUMER {key} g #new"), GROUP, NONE),
    (Stream, "no-idle-consumer", By("XGROUP DELCONSUMER {key} g idle"), GROUP, NONE),
    (Stream, "no-busy-consumer", By("XGROUP DELCONSUMER {key} g {consumer}"), GROUP, NONE),
    (Stream, "new-group", By("XGROUP CREATE {key} #new 0"), GROUP, NONE),
    (Stream, "no-group", By("XGROUP DESTROY {key} h"), GROUP, NONE),
    (Stream, "other-group", By("XGROUP DESTROY {key} h; XGROUP CREATE {key} #h 1-1"), GROUP, NONE),
    (Stream, "both", By("XADD {key} 9999999-1 f #new; XACK {key} g {id}"), &["value", "group"], VALUE),
];

/// What can happen to a key of any type. Names that begin with `ttl` have an expiry on the source.
const BY_KEY: &[(&str, How, Kinds)] = &[
    ("ttl-50ms", Later(50), TTL),
    ("ttl-2s", Later(2_000), TTL),
    ("ttl-earlier", Later(-2_000), TTL),
    ("ttl-gone", By("PERSIST {key}"), TTL),
    ("ttl-same", By(""), NONE),
    ("new-ttl", By("PEXPIRE {key} 3600000"), TTL),
    ("deleted", By("DEL {key}"), &["missing"]),
    ("only-here", OnlyHere, &["extra"]),
    ("other-type", OtherType, &["type"]),
    ("renamed", By("RENAME {key} {{key}}"), &["missing"]),
    ("equal", By(""), NONE),
];

/// One corruption of one key.
pub(crate) struct Corruption {
    pub(crate) key: String,
    pub(crate) full: Kinds,
    pub(crate) quick: Kinds,
    /// A key that is extra because this one was renamed.
    pub(crate) renamed_to: Option<String>,
    kind: Kind,
    size: Size,
    how: How,
    at: usize,
}

impl Corruption {
    /// The commands for the source, of Redis 6.0.
    pub(crate) fn made_by(&self) -> Vec<Keyed> {
        if matches!(self.how, OnlyHere) { Vec::new() } else { self.made() }
    }

    /// The commands for the target, of Redis 7.4.
    pub(crate) fn spoiled_by(&self) -> Vec<Keyed> {
        let anew = |commands: Vec<Cmd>| {
            let mut all = on(&self.key, "DEL {key}");
            all.extend(self.keyed(commands));
            all
        };
        match self.how {
            By(text) => on(&self.key, &self.holding().fill(text, self.at)),
            Later(milliseconds) => vec![expire_later(&self.key, milliseconds)],
            Anew(edit) => anew(self.holding().stream(Some((edit, self.at)))),
            OtherType => anew(Holding { kind: another(self.kind), ..self.holding() }.commands()),
            OnlyHere => self.made(),
        }
    }

    fn made(&self) -> Vec<Keyed> {
        let mut made = self.keyed(self.holding().commands());
        if self.key.contains(":ttl") {
            made.extend(on(&self.key, "PEXPIRE {key} 3600123"));
        }
        made
    }

    fn holding(&self) -> Holding<'_> {
        Holding { key: &self.key, kind: self.kind, size: self.size }
    }

    fn keyed(&self, commands: Vec<Cmd>) -> Vec<Keyed> {
        commands.into_iter().map(|command| (self.key.clone().into_bytes(), command)).collect()
    }
}

/// All corruptions of values of that size: what depends on a position is done at the first element, in the middle
/// and at the last one.
pub(crate) fn corruptions(size: Size) -> Vec<Corruption> {
    let mut all = Vec::new();
    for &(kind, name, how, full, quick) in BY_TYPE {
        let corruption = |at: usize| {
            let key = format!("spoiled:{}:{name}@{at}", name_of(kind));
            Corruption { key, full, quick, renamed_to: None, kind, size, how, at }
        };
        let places =
            if depends_on_place(kind, how) { vec![0, size.elements / 2, size.elements - 1] } else { vec![0] };
        all.extend(places.into_iter().map(corruption));
    }
    for kind in Kind::ALL {
        for &(name, how, kinds) in BY_KEY {
            let key = format!("spoiled:{}:{name}", name_of(kind));
            let renamed_to = (name == "renamed").then(|| format!("{{{key}}}"));
            all.push(Corruption { key, full: kinds, quick: kinds, renamed_to, kind, size, how, at: 0 });
        }
    }
    all
}

fn depends_on_place(kind: Kind, how: How) -> bool {
    let holding = Holding { key: "k", kind, size: Size { elements: 4, width: 8 } };
    match how {
        By(text) => holding.fill(text, 0) != holding.fill(text, 3),
        Anew(_) => true,
        Later(_) | OtherType | OnlyHere => false,
    }
}

fn name_of(kind: Kind) -> &'static str {
    match kind {
        Text => "string",
        List => "list",
        Set => "set",
        Hash => "hash",
        Zset => "zset",
        Stream => "stream",
    }
}

fn another(kind: Kind) -> Kind {
    match kind {
        Text => List,
        List => Set,
        Set => Hash,
        Hash => Zset,
        Zset => Stream,
        Stream => Text,
    }
}
