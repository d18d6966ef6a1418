//! The source as a real Redis behaves: event-loop turns, feeds, replicas that lag, counters.
//!
//! What is measured of it is in docs/live-sync.md: in one turn of the event loop replies leave before invalidations, and
//! the null invalidation leaves before the names of the same turn, whatever came first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::random::Random;

/// Keys of a database. A prime, so that every process lists them in another order.
pub const KEYS: u8 = 7;

/// Keys below this one are streams.
pub const STREAMS: u8 = 2;

/// A feed with more messages than this on its way is cut off by the server.
const OUTPUT_BUFFER: usize = 6;

pub type Address = u32;

/// Database and key.
pub type Place = (u32, u8);

pub type Keys = BTreeMap<Place, Value>;

/// Which node has each key.
pub type Layout = [Address; KEYS as usize];

/// A key's state. A version is given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    pub version: u32,
    pub expires_us: Option<u64>,
    /// State of a stream's groups, 0: it has none.
    pub groups: u32,
}

impl Value {
    pub fn is_over(&self, now_us: u64) -> bool {
        self.expires_us.is_some_and(|at_us| at_us <= now_us)
    }
}

pub fn name(key: u8) -> [u8; 1] {
    [b'a' + key]
}

/// The key that is so named.
pub fn key_of(name: &[u8]) -> u8 {
    name[0] - b'a'
}

/// A state, once its time is looked at.
pub fn alive(value: Option<&Value>, now_us: u64) -> Option<Value> {
    value.copied().filter(|value| !value.is_over(now_us))
}

/// What a feed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The feed is subscribed.
    Confirmed,
    Changed(Vec<u8>),
    Everything,
    Pong,
}

/// A connection on which a process says what changes.
#[derive(Debug)]
pub struct Feed {
    pub address: Address,
    /// Said in this turn, not sent yet.
    turn: Vec<Message>,
    pub wire: VecDeque<Message>,
    /// PINGs that are sent and not read.
    pub pings: u32,
    subscribed: bool,
}

impl Feed {
    pub fn tells(&self, key: u8) -> bool {
        self.turn.iter().chain(&self.wire).any(|message| match message {
            Message::Everything => true,
            Message::Changed(keys) => keys.contains(&key),
            Message::Confirmed | Message::Pong => false,
        })
    }
}

/// One server process.
#[derive(Debug)]
pub struct Process {
    pub run: u32,
    pub keys: Keys,
    /// What its replica has, or its file.
    behind: Keys,
    /// Changed in this turn.
    changed: BTreeSet<u8>,
    everything: bool,
    /// Calls of commands that change groups, and of those that no feed sees at all.
    pub calls: [u64; 2],
}

impl Process {
    fn new(run: u32, keys: Keys) -> Process {
        Process {
            run,
            behind: keys.clone(),
            keys,
            changed: BTreeSet::new(),
            everything: false,
            calls: [0; 2],
        }
    }

    pub fn has_to_tell(&self, key: u8) -> bool {
        self.everything || self.changed.contains(&key)
    }

    /// The key at a position of SCAN.
    pub fn listed(&self, position: u8) -> u8 {
        ((u32::from(position) * 3 + self.run) % u32::from(KEYS)) as u8
    }
}

#[derive(Debug)]
pub struct Source {
    pub clustered: bool,
    pub dbs: u32,
    pub nodes: BTreeMap<Address, Process>,
    /// What stopped processes have on disk.
    stopped: BTreeMap<Address, Keys>,
    pub owner: Layout,
    pub feeds: BTreeMap<u32, Feed>,
    versions: u32,
    runs: u32,
    next_feed: u32,
    next_address: Address,
}

impl Source {
    pub fn new(nodes: u32, dbs: u32) -> Source {
        let owner = std::array::from_fn(|key| key as u32 % nodes);
        Source {
            clustered: nodes > 1,
            dbs,
            nodes: (0..nodes).map(|node| (node, Process::new(node + 1, Keys::new()))).collect(),
            stopped: BTreeMap::new(),
            owner,
            feeds: BTreeMap::new(),
            versions: 0,
            runs: nodes,
            next_feed: 0,
            next_address: nodes,
        }
    }

    /// The process that has a key; none while it is stopped.
    pub fn owner_of(&self, key: u8) -> Option<&Process> {
        self.nodes.get(&self.owner[key as usize])
    }

    /// Whether a connection to that process still leads somewhere.
    pub fn answers(&self, address: Address, run: u32) -> bool {
        self.nodes.get(&address).is_some_and(|process| process.run == run)
    }

    fn place(&self, random: &mut Random) -> Place {
        (random.below(self.dbs as usize) as u32, random.below(KEYS as usize) as u8)
    }

    fn version(&mut self) -> u32 {
        self.versions += 1;
        self.versions
    }

    // What clients do. `None`: it was not possible.

    pub fn write(&mut self, random: &mut Random, now_us: u64) -> Option<String> {
        let place = self.place(random);
        let version = self.version();
        let process = self.nodes.get_mut(&self.owner[place.1 as usize])?;
        let groups = alive(process.keys.get(&place), now_us).map_or(0, |value| value.groups);
        let expires_us = random.percent(25).then(|| now_us + 1 + random.below(4_000) as u64);
        let value = Value { version, expires_us, groups };
        process.keys.insert(place, value);
        process.changed.insert(place.1);
        Some(format!("a client writes {place:?}: {value:?}"))
    }

    pub fn delete(&mut self, random: &mut Random) -> Option<String> {
        let place = self.place(random);
        let process = self.nodes.get_mut(&self.owner[place.1 as usize])?;
        process.keys.remove(&place)?;
        process.changed.insert(place.1);
        Some(format!("a client deletes {place:?}"))
    }

    /// RENAME, where both keys are surely in one slot.
    pub fn rename(&mut self, random: &mut Random, now_us: u64) -> Option<String> {
        let (from, to) = (self.place(random), self.place(random));
        let is_stream = |key| key < STREAMS;
        if self.clustered || from.1 == to.1 || is_stream(from.1) != is_stream(to.1) {
            return None;
        }
        let to = (from.0, to.1);
        let process = self.nodes.get_mut(&self.owner[from.1 as usize])?;
        let value = alive(process.keys.get(&from), now_us)?;
        process.keys.remove(&from);
        process.keys.insert(to, value);
        process.changed.extend([from.1, to.1]);
        Some(format!("a client renames {from:?} to {to:?}"))
    }

    pub fn flush(&mut self, random: &mut Random) -> Option<String> {
        let one = random.percent(50).then(|| random.below(self.dbs as usize) as u32);
        let (address, process) = random.of(self.nodes.iter_mut())?;
        process.keys.retain(|(db, _), _| one.is_some_and(|one| one != *db));
        process.everything = true;
        Some(format!(
            "a client flushes {} of node {address}",
            one.map_or("all".into(), |db| format!("db {db}"))
        ))
    }

    /// What no feed tells.
    pub fn swap(&mut self) -> Option<String> {
        let (_, process) = self.nodes.iter_mut().next()?;
        if self.clustered || self.dbs < 2 {
            return None;
        }
        let keys = std::mem::take(&mut process.keys);
        let swapped = |db| if db < 2 { 1 - db } else { db };
        process.keys = keys.into_iter().map(|((db, key), value)| ((swapped(db), key), value)).collect();
        process.calls[1] += 1;
        Some("a client swaps db 0 and db 1".into())
    }

    /// What no feed tells.
    pub fn change_groups(&mut self, random: &mut Random, now_us: u64) -> Option<String> {
        let place = (random.below(self.dbs as usize) as u32, random.below(STREAMS as usize) as u8);
        let groups = self.version();
        let process = self.nodes.get_mut(&self.owner[place.1 as usize])?;
        let value = process.keys.get_mut(&place).filter(|value| !value.is_over(now_us))?;
        value.groups = groups;
        process.calls[0] += 1;
        Some(format!("a client reads {place:?} by a group: {groups}"))
    }

    // What the servers do.

    pub fn expire(&mut self, now_us: u64) -> Option<String> {
        for (address, process) in &mut self.nodes {
            let over = process.keys.iter().find(|(_, value)| value.is_over(now_us));
            if let Some((place, _)) = over.map(|(place, value)| (*place, *value)) {
                process.keys.remove(&place);
                process.changed.insert(place.1);
                return Some(format!("node {address} removes {place:?}, whose time is over"));
            }
        }
        None
    }

    /// Replies first, then that every key may have changed, then names.
    pub fn end_turn(&mut self, random: &mut Random) -> Option<String> {
        let (address, process) = random.of(self.nodes.iter_mut())?;
        let mut messages: Vec<Message> = Vec::new();
        if std::mem::take(&mut process.everything) {
            messages.push(Message::Everything);
        }
        let changed: Vec<u8> = std::mem::take(&mut process.changed).into_iter().collect();
        messages.extend((!changed.is_empty()).then_some(Message::Changed(changed)));
        let mut sent = !messages.is_empty();
        for feed in self.feeds.values_mut().filter(|feed| feed.address == *address) {
            sent |= !feed.turn.is_empty();
            feed.wire.extend(feed.turn.drain(..));
            feed.wire.extend(messages.iter().cloned());
        }
        sent.then(|| format!("node {address} ends its turn and tells {messages:?}"))
    }

    /// A process reads what a feed's reader has sent.
    pub fn read_feed(&mut self, random: &mut Random) -> Option<String> {
        let (number, feed) = random.of(self.feeds.iter_mut())?;
        if !feed.subscribed {
            feed.subscribed = true;
            feed.turn.push(Message::Confirmed);
            return Some(format!("feed {number} is subscribed"));
        }
        feed.pings = feed.pings.checked_sub(1)?;
        feed.turn.push(Message::Pong);
        Some(format!("node {} reads a PING of feed {number}", feed.address))
    }

    /// A reader that is too slow is cut off.
    pub fn cut_off(&mut self) -> Option<String> {
        let slow = self.feeds.iter().find(|(_, feed)| feed.wire.len() > OUTPUT_BUFFER);
        let number = *slow?.0;
        self.feeds.remove(&number);
        Some(format!("feed {number} is read too slowly and cut off"))
    }

    pub fn cut_feed(&mut self, random: &mut Random) -> Option<String> {
        let number = *random.of(self.feeds.keys())?;
        self.feeds.remove(&number);
        Some(format!("feed {number} is cut"))
    }

    pub fn replicate(&mut self, random: &mut Random) -> Option<String> {
        let (address, process) = random.of(self.nodes.iter_mut())?;
        if process.behind == process.keys {
            return None;
        }
        process.behind = process.keys.clone();
        Some(format!("node {address} is replicated"))
    }

    /// Another process takes a node's place, at its address or, in a cluster, at another one. It has not heard of
    /// the last writes.
    pub fn fail_over(&mut self, random: &mut Random) -> Option<String> {
        let address = *random.of(self.nodes.keys())?;
        let behind = self.stop(address)?;
        let heir = if self.clustered && random.percent(50) { self.next_address } else { address };
        self.next_address = self.next_address.max(heir + 1);
        self.owner.iter_mut().filter(|owner| **owner == address).for_each(|owner| *owner = heir);
        self.start(heir, behind);
        Some(format!("node {address} fails over to {heir}"))
    }

    pub fn die(&mut self, random: &mut Random) -> Option<String> {
        let address = *random.of(self.nodes.keys())?;
        let behind = self.stop(address)?;
        self.stopped.insert(address, behind);
        Some(format!("node {address} stops"))
    }

    pub fn restart(&mut self) -> Option<String> {
        let (address, behind) = self.stopped.pop_first()?;
        self.start(address, behind);
        Some(format!("node {address} starts again"))
    }

    fn stop(&mut self, address: Address) -> Option<Keys> {
        let process = self.nodes.remove(&address)?;
        self.feeds.retain(|_, feed| feed.address != address);
        Some(process.behind)
    }

    fn start(&mut self, address: Address, keys: Keys) {
        self.runs += 1;
        self.nodes.insert(address, Process::new(self.runs, keys));
    }

    /// A key's slot goes to another node, sometimes a new one.
    pub fn move_slot(&mut self, random: &mut Random) -> Option<String> {
        let key = random.below(KEYS as usize) as u8;
        let from = self.owner[key as usize];
        if !self.clustered || !self.nodes.contains_key(&from) {
            return None;
        }
        let to = if random.percent(20) { self.next_address } else { *random.of(self.nodes.keys())? };
        if to == from {
            return None;
        }
        if to == self.next_address {
            self.next_address += 1;
            self.start(to, Keys::new());
        }
        let process = self.nodes.get_mut(&from)?;
        let moved = process.keys.remove(&(0, key));
        process.behind.remove(&(0, key));
        process.changed.insert(key);
        let heir = self.nodes.get_mut(&to)?;
        if let Some(value) = moved {
            heir.keys.insert((0, key), value);
            heir.behind.insert((0, key), value);
            heir.changed.insert(key);
        }
        self.owner[key as usize] = to;
        Some(format!("key {key} moves from node {from} to {to}"))
    }

    /// A new feed, if the node answers.
    pub fn track(&mut self, address: Address) -> Option<u32> {
        self.nodes.get(&address)?;
        self.next_feed += 1;
        let feed = Feed { address, turn: Vec::new(), wire: VecDeque::new(), pings: 0, subscribed: false };
        self.feeds.insert(self.next_feed, feed);
        Some(self.next_feed)
    }
}
