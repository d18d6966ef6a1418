//! A stream's groups, their consumers, and what is pending for them.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use client::Read;
use resp::Value;

use super::job::{Asker, Odd};
use super::stream::{after, field};
use crate::digest::{Ordered, Unordered, both, part};

/// Groups that are asked for at once.
const AT_ONCE: usize = 32;

/// Pending entries of one page.
const PAGE: u32 = 2_000;

/// All groups of one side.
#[derive(Debug, Default)]
pub(super) struct Groups {
    waiting: VecDeque<Group>,
    /// Those that are being read.
    open: Vec<Group>,
    /// What was asked for, in order: the position among the open ones, and whether its consumers or a page.
    due: VecDeque<(usize, Part)>,
    digest: Unordered,
    /// How many entries each has read, by the digest of its name: since Redis 7.0, and not always known then.
    read: BTreeMap<u128, i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Consumers,
    Pending,
}

#[derive(Debug)]
struct Group {
    name: Bytes,
    last_delivered: u128,
    /// Pending entries by XINFO GROUPS.
    size: u64,
    begun: bool,
    consumers: Unordered,
    pending: Ordered,
    /// Where the next page begins; `None` when all came.
    from: Option<String>,
}

impl Groups {
    /// Reads the answer to XINFO GROUPS.
    pub(super) fn of(reply: Value) -> Option<Groups> {
        let mut groups = Groups::default();
        for group in reply.into_array()? {
            let group = group.into_array()?;
            let Value::Bulk(name) = field(&group, "name")? else { return None };
            let size = u64::try_from(field(&group, "pending")?.as_i64()?).ok()?;
            if let Some(read) = field(&group, "entries-read").and_then(Value::as_i64) {
                groups.read.insert(part(name), read);
            }
            groups.waiting.push_back(Group {
                name: name.clone(),
                last_delivered: part(field(&group, "last-delivered-id")?.as_bytes()?),
                size,
                begun: false,
                consumers: Unordered::default(),
                pending: Ordered::default(),
                from: (size > 0).then(|| "-".to_owned()),
            });
        }
        Some(groups)
    }

    /// Asks for what is missing, of some groups at a time.
    pub(super) fn ask(&mut self, side: usize, asker: &mut Asker<'_>) {
        self.close();
        let room = AT_ONCE - self.open.len();
        self.open.extend(self.waiting.drain(..room.min(self.waiting.len())));
        for (position, group) in self.open.iter_mut().enumerate() {
            if !group.begun {
                group.begun = true;
                asker.whole(side, Read::XInfoConsumers(asker.name(side), &group.name));
                self.due.push_back((position, Part::Consumers));
            }
            if let Some(from) = &group.from {
                asker.whole(side, Read::XPending(asker.name(side), &group.name, from, PAGE));
                self.due.push_back((position, Part::Pending));
            }
        }
    }

    /// Takes a reply to one of these questions.
    pub(super) fn whole(&mut self, reply: Value) -> Result<(), Odd> {
        let (position, part) = self.due.pop_front().ok_or(Odd)?;
        let group = self.open.get_mut(position).ok_or(Odd)?;
        match part {
            Part::Consumers => group.consumers(&reply),
            Part::Pending => group.page(&reply),
        }
        .ok_or(Odd)
    }

    /// Without what groups have read.
    pub(super) fn digest(&self) -> u128 {
        self.digest.digest()
    }

    /// What groups have read, of those for which both sides tell; for both sides.
    pub(super) fn read_by_both(&self, other: &Groups) -> [u128; 2] {
        let of = |mine: &Groups, theirs: &Groups| {
            let mut digest = Unordered::default();
            let known = mine.read.iter().filter(|(name, _)| theirs.read.contains_key(*name));
            known.for_each(|(name, read)| digest.push(both(*name, *read as u128)));
            digest.digest()
        };
        [of(self, other), of(other, self)]
    }

    fn close(&mut self) {
        self.open.retain(|group| {
            let is_open = !group.begun || group.from.is_some();
            if !is_open {
                self.digest.push(group.digest());
            }
            is_open
        });
    }
}

impl Group {
    fn consumers(&mut self, reply: &Value) -> Option<()> {
        for consumer in reply.as_array()? {
            self.consumers.push(part(field(consumer.as_array()?, "name")?.as_bytes()?));
        }
        Some(())
    }

    fn page(&mut self, reply: &Value) -> Option<()> {
        let page = reply.as_array()?;
        let mut last = None;
        for entry in page {
            let [id, consumer, _idle, deliveries] = entry.as_array()? else { return None };
            let (id, deliveries) = (id.as_bytes()?, deliveries.as_i64()?);
            self.pending.push(both(both(part(id), part(consumer.as_bytes()?)), deliveries as u128));
            last = Some(id);
        }
        let is_complete = self.pending.count >= self.size;
        self.from = last.filter(|_| !is_complete).and_then(after);
        Some(())
    }

    fn digest(&self) -> u128 {
        let who = both(part(&self.name), self.last_delivered);
        both(who, both(self.consumers.digest(), self.pending.digest()))
    }
}
