//! A value's elements, as they come out of a file, as commands that make it anew.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::vec::IntoIter;

use bytes::Bytes;
use itoa::Buffer;
use rdb::decode::Element;
use rdb::{Entry, Field, Group, Kind, StreamFacts, StreamId, Version};

/// Bytes of elements that one command carries, about.
const PIECE: usize = 1 << 20;

/// Elements that one command carries at most.
const MAX_ELEMENTS: usize = 10_000;

/// Ids of one XDEL or XCLAIM.
const MAX_IDS: usize = 1_000;

/// A group that only makes the stream exist, for streams without entries; removed at once.
const FIRST_GROUP: &[u8] = b"redferry";

/// What the reply to a write has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// No error.
    Success,
    /// The value has exactly this length now.
    Length(u64),
    /// How many elements are new; they are summed up.
    Added,
    /// This many pending entries were claimed.
    Claimed(usize),
    /// Every field was there to be given its expiry.
    Fields,
}

/// Something that takes commands.
pub trait Commands {
    /// The head of a command of `args` arguments, each of which follows by `arg` or `value`. A command of two words
    /// has a space between them.
    fn begin(&mut self, command: &'static str, args: usize, expect: Expect);

    /// A short argument of the command begun last.
    fn arg(&mut self, arg: &[u8]);

    /// An argument of any size.
    fn value(&mut self, value: Bytes);
}

/// How much was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Bytes of a string, elements of all others.
    pub length: u64,
    /// Fields of a hash were given an expiry, so some may be gone already.
    pub fields_expire: bool,
}

/// A value under way.
#[derive(Debug)]
pub struct Rebuild {
    name: Vec<u8>,
    kind: Kind,
    version: Version,
    length: u64,
    batch: Vec<Element>,
    batch_bytes: usize,
    fields_expire: bool,
    stream: Stream,
}

#[derive(Debug)]
struct Stream {
    /// Ids that must exist when pending entries are claimed.
    pending: Peekable<IntoIter<StreamId>>,
    leading: u64,
    between: Vec<StreamId>,
    facts: Option<StreamFacts>,
}

impl Rebuild {
    /// A value of this kind under this name, on a server of this RDB version. For a stream `pending` are all ids that
    /// are pending in any of its groups, in order and each once; see [`pending_ids`].
    pub fn new(name: Vec<u8>, kind: Kind, version: Version, pending: Vec<StreamId>) -> Rebuild {
        let stream =
            Stream { pending: pending.into_iter().peekable(), leading: 0, between: Vec::new(), facts: None };
        Rebuild {
            name,
            kind,
            version,
            length: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            fields_expire: false,
            stream,
        }
    }

    /// Bytes that wait for a command to be full.
    pub fn waiting(&self) -> usize {
        self.batch_bytes
    }

    /// The next element; writes a command when enough have come. Returns whether it did.
    pub fn element(&mut self, element: Element, out: &mut impl Commands) -> bool {
        match element {
            Element::Facts(facts) => {
                self.flush(out);
                self.facts(facts, out);
                true
            }
            Element::Group(group) => {
                self.group(&group, out);
                true
            }
            Element::Entry(entry) => {
                self.batch_bytes +=
                    entry.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
                self.entry(entry, out);
                let full = self.batch_bytes >= PIECE;
                if full {
                    self.batch_bytes = 0;
                }
                full
            }
            element => {
                self.batch_bytes += bytes(&element);
                self.batch.push(element);
                let full = self.batch_bytes >= PIECE || self.batch.len() >= MAX_ELEMENTS;
                if full {
                    self.flush(out);
                }
                full
            }
        }
    }

    /// The last commands.
    pub fn finish(mut self, out: &mut impl Commands) -> Made {
        self.flush(out);
        match self.kind {
            Kind::String if self.length == 0 => self.push(out, "SET", &[b""], Expect::Success),
            Kind::Stream => self.finish_stream(out),
            _ => {}
        }
        Made { length: self.length, fields_expire: self.fields_expire }
    }

    fn push(&self, out: &mut impl Commands, command: &'static str, args: &[&[u8]], expect: Expect) {
        out.begin(command, 1 + args.len(), expect);
        out.arg(&self.name);
        args.iter().for_each(|arg| out.arg(arg));
    }

    fn flush(&mut self, out: &mut impl Commands) {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        let Some(first) = batch.first() else { return };
        let count = batch.len();
        match first {
            Element::Text(_) => {
                for element in batch {
                    let Element::Text(bytes) = element else { continue };
                    let from = self.length;
                    self.length += bytes.len() as u64;
                    out.begin("SETRANGE", 3, Expect::Length(self.length));
                    out.arg(&self.name);
                    out.arg(Buffer::new().format(from).as_bytes());
                    out.value(bytes);
                }
                return;
            }
            Element::Item(_) => {
                self.length += count as u64;
                out.begin("RPUSH", 1 + count, Expect::Length(self.length));
            }
            Element::Member(_) => {
                self.length += count as u64;
                out.begin("SADD", 1 + count, Expect::Added);
            }
            Element::Scored(..) => {
                self.length += count as u64;
                out.begin("ZADD", 1 + 2 * count, Expect::Added);
            }
            Element::Field(_) => {
                self.length += count as u64;
                out.begin("HSET", 1 + 2 * count, Expect::Added);
            }
            _ => return,
        }
        out.arg(&self.name);
        let mut times: BTreeMap<u64, Vec<Bytes>> = BTreeMap::new();
        for element in batch {
            match element {
                Element::Item(bytes) | Element::Member(bytes) => out.value(bytes),
                Element::Scored(member, score) => {
                    out.arg(score_text(score).as_bytes());
                    out.value(member);
                }
                Element::Field(Field { name, value, expires_at_ms }) => {
                    if let Some(at) = expires_at_ms {
                        times.entry(at).or_default().push(name.clone());
                    }
                    out.value(name);
                    out.value(value);
                }
                _ => {}
            }
        }
        for (at, fields) in times {
            self.fields_expire = true;
            for fields in fields.chunks(MAX_IDS) {
                out.begin("HPEXPIREAT", 4 + fields.len(), Expect::Fields);
                out.arg(&self.name);
                out.arg(Buffer::new().format(at).as_bytes());
                out.arg(b"FIELDS");
                out.arg(Buffer::new().format(fields.len()).as_bytes());
                fields.iter().for_each(|field| out.value(field.clone()));
            }
        }
    }

    fn entry(&mut self, entry: Entry, out: &mut impl Commands) {
        while let Some(missing) = self.stream.pending.next_if(|pending| *pending < entry.id) {
            self.placeholder(missing, out);
        }
        self.stream.pending.next_if_eq(&entry.id);
        self.length += 1;
        out.begin("XADD", 2 + 2 * entry.fields.len(), Expect::Success);
        out.arg(&self.name);
        out.arg(id_text(entry.id).as_bytes());
        for (name, value) in entry.fields {
            out.value(name);
            out.value(value);
        }
    }

    /// An entry that was deleted can still be pending. XCLAIM needs it to be there, so this stands for it until all
    /// is claimed.
    fn placeholder(&mut self, id: StreamId, out: &mut impl Commands) {
        if self.length == 0 {
            self.stream.leading += 1;
        } else {
            self.stream.between.push(id);
        }
        self.push(out, "XADD", &[id_text(id).as_bytes(), b"", b""], Expect::Success);
    }

    fn facts(&mut self, facts: StreamFacts, out: &mut impl Commands) {
        while let Some(missing) = self.stream.pending.next() {
            self.placeholder(missing, out);
        }
        if self.length == 0 && self.stream.leading == 0 {
            self.group_command(out, "XGROUP CREATE", FIRST_GROUP, &[b"0", b"MKSTREAM"]);
            self.group_command(out, "XGROUP DESTROY", FIRST_GROUP, &[]);
        }
        self.stream.facts = Some(facts);
    }

    fn group_command(&self, out: &mut impl Commands, command: &'static str, group: &[u8], args: &[&[u8]]) {
        out.begin(command, 2 + args.len(), Expect::Success);
        out.arg(&self.name);
        out.arg(group);
        args.iter().for_each(|arg| out.arg(arg));
    }

    fn group(&mut self, group: &Group, out: &mut impl Commands) {
        let last_id = id_text(group.last_id);
        match group.entries_read {
            Some(read) if self.has_counters() => {
                let read = read.to_string();
                let args = [last_id.as_bytes(), b"ENTRIESREAD", read.as_bytes()];
                self.group_command(out, "XGROUP CREATE", &group.name, &args);
            }
            _ => self.group_command(out, "XGROUP CREATE", &group.name, &[last_id.as_bytes()]),
        }
        for consumer in &group.consumers {
            // Reading what is pending for it, which is nothing yet, makes a consumer on every version.
            out.begin("XREADGROUP", 8, Expect::Success);
            for arg in
                [&b"GROUP"[..], &group.name, &consumer.name, b"COUNT", b"1", b"STREAMS", &self.name, b"0"]
            {
                out.arg(arg);
            }
        }
        // What one command can claim: the ids of one consumer with the same time and number of deliveries.
        let mut claims: BTreeMap<(usize, u64, u64), Vec<StreamId>> = BTreeMap::new();
        for pending in &group.pending {
            let same = (pending.consumer, pending.delivered_at_ms, pending.deliveries);
            claims.entry(same).or_default().push(pending.id);
        }
        for ((consumer, delivered_ms, deliveries), ids) in claims {
            let Some(consumer) = group.consumers.get(consumer) else { continue };
            for ids in ids.chunks(MAX_IDS) {
                out.begin("XCLAIM", 4 + ids.len() + 6, Expect::Claimed(ids.len()));
                for arg in [&self.name[..], &group.name, &consumer.name, b"0"] {
                    out.arg(arg);
                }
                ids.iter().for_each(|id| out.arg(id_text(*id).as_bytes()));
                out.arg(b"TIME");
                out.arg(Buffer::new().format(delivered_ms).as_bytes());
                out.arg(b"RETRYCOUNT");
                out.arg(Buffer::new().format(deliveries).as_bytes());
                out.arg(b"FORCE");
                out.arg(b"JUSTID");
            }
        }
    }

    /// Placeholders before the first entry are trimmed away, because XDEL would leave a mark (the stream's
    /// `max-deleted-entry-id`) that the original does not have.
    fn finish_stream(&mut self, out: &mut impl Commands) {
        let between = std::mem::take(&mut self.stream.between);
        if self.stream.leading > 0 {
            let kept = (self.length + between.len() as u64).to_string();
            self.push(out, "XTRIM", &[b"MAXLEN", kept.as_bytes()], Expect::Success);
        }
        for ids in between.chunks(MAX_IDS) {
            out.begin("XDEL", 1 + ids.len(), Expect::Success);
            out.arg(&self.name);
            ids.iter().for_each(|id| out.arg(id_text(*id).as_bytes()));
        }
        let Some(facts) = self.stream.facts else { return };
        let last_id = id_text(facts.last_id);
        if !self.has_counters() {
            return self.push(out, "XSETID", &[last_id.as_bytes()], Expect::Success);
        }
        // An older server did not count; then as many were added as there are, as RESTORE assumes (rdb.c).
        let added = facts.entries_added.unwrap_or(self.length).to_string();
        let deleted = id_text(facts.max_deleted_id.unwrap_or_default());
        let args =
            [last_id.as_bytes(), b"ENTRIESADDED", added.as_bytes(), b"MAXDELETEDID", deleted.as_bytes()];
        self.push(out, "XSETID", &args, Expect::Success);
    }

    /// Since Redis 7.0 streams count what was added and groups what they read.
    fn has_counters(&self) -> bool {
        self.version >= Version::REDIS_7_0
    }
}

/// The ids that are pending in any of these groups, in order and each once.
pub fn pending_ids<'g>(groups: impl IntoIterator<Item = &'g Group>) -> Vec<StreamId> {
    let mut ids: Vec<StreamId> =
        groups.into_iter().flat_map(|group| group.pending.iter().map(|pending| pending.id)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn bytes(element: &Element) -> usize {
    match element {
        Element::Text(bytes) | Element::Item(bytes) | Element::Member(bytes) | Element::Module(bytes) => {
            bytes.len()
        }
        Element::Scored(member, _) => member.len() + 8,
        Element::Field(field) => field.name.len() + field.value.len(),
        Element::Entry(_) | Element::Facts(_) | Element::Group(_) => 0,
    }
}

fn id_text(id: StreamId) -> String {
    format!("{}-{}", id.ms, id.seq)
}

/// The shortest text that strtod reads back to the same number.
fn score_text(score: f64) -> String {
    match score {
        f64::INFINITY => "inf".to_owned(),
        f64::NEG_INFINITY => "-inf".to_owned(),
        plain if plain == 0.0 || (1e-5..1e17).contains(&plain.abs()) => plain.to_string(),
        extreme => format!("{extreme:e}"),
    }
}

#[cfg(test)]
mod tests {
    use rdb::{Consumer, Pending};

    use super::*;

    /// Commands as lines of text.
    #[derive(Default)]
    struct Written(Vec<String>);

    impl Commands for Written {
        fn begin(&mut self, command: &'static str, _args: usize, _expect: Expect) {
            self.0.push(command.to_owned());
        }

        fn arg(&mut self, arg: &[u8]) {
            let last = self.0.last_mut().expect("a command was begun");
            last.push(' ');
            last.push_str(&String::from_utf8_lossy(arg));
        }

        fn value(&mut self, value: Bytes) {
            self.arg(&value);
        }
    }

    fn made(kind: Kind, pending: Vec<StreamId>, elements: Vec<Element>) -> (Vec<String>, Made) {
        let mut out = Written::default();
        let mut rebuild = Rebuild::new(b"k".to_vec(), kind, Version::REDIS_7_4, pending);
        for element in elements {
            rebuild.element(element, &mut out);
        }
        let made = rebuild.finish(&mut out);
        (out.0, made)
    }

    fn text(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn an_empty_string_exists_too() {
        assert_eq!(made(Kind::String, vec![], vec![]).0, ["SET k "]);
        let parts = vec![Element::Text(text("ab")), Element::Text(text("c"))];
        assert_eq!(made(Kind::String, vec![], parts).0, ["SETRANGE k 0 ab", "SETRANGE k 2 c"]);
    }

    #[test]
    fn fields_get_their_expiry_after_their_value() {
        let field =
            |name, expires_at_ms| Element::Field(Field { name: text(name), value: text("v"), expires_at_ms });
        let (commands, made) =
            made(Kind::Hash, vec![], vec![field("a", Some(9)), field("b", None), field("c", Some(9))]);
        assert_eq!(commands, ["HSET k a v b v c v", "HPEXPIREAT k 9 FIELDS 2 a c"]);
        assert_eq!(made, Made { length: 3, fields_expire: true });
    }

    #[test]
    fn entries_that_are_pending_and_deleted_exist_for_a_moment() {
        let id = |ms| StreamId { ms, seq: 0 };
        let entry = |ms| Element::Entry(Entry { id: id(ms), fields: vec![(text("f"), text("v"))] });
        let pending = |ms| Pending { id: id(ms), delivered_at_ms: 7, deliveries: 2, consumer: 0 };
        let group = Group {
            name: text("g"),
            last_id: id(5),
            entries_read: Some(4),
            consumers: vec![Consumer { name: text("c"), seen_at_ms: 1, active_at_ms: None }],
            pending: vec![pending(1), pending(3), pending(5)],
        };
        let facts = StreamFacts { length: 2, last_id: id(9), entries_added: Some(6), ..Default::default() };
        let elements = vec![entry(2), entry(4), Element::Facts(facts), Element::Group(group.clone())];
        let (commands, made) = made(Kind::Stream, pending_ids([&group]), elements);
        assert_eq!(
            commands,
            [
                "XADD k 1-0  ",
                "XADD k 2-0 f v",
                "XADD k 3-0  ",
                "XADD k 4-0 f v",
                "XADD k 5-0  ",
                "XGROUP CREATE k g 5-0 ENTRIESREAD 4",
                "XREADGROUP GROUP g c COUNT 1 STREAMS k 0",
                "XCLAIM k g c 0 1-0 3-0 5-0 TIME 7 RETRYCOUNT 2 FORCE JUSTID",
                "XTRIM k MAXLEN 4",
                "XDEL k 3-0 5-0",
                "XSETID k 9-0 ENTRIESADDED 6 MAXDELETEDID 0-0",
            ]
        );
        assert_eq!(made.length, 2);
    }

    #[test]
    fn scores_are_read_back_as_they_were() {
        for score in [0.1, -0.0, 1e300, 5e-324, f64::MAX, 1.0 / 3.0, 123_456_789_012.0, 1e17, 9.9e-6] {
            let text = score_text(score);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), score.to_bits(), "{text}");
        }
    }
}
