//! Comparing a node's keys with the target's, and listing its streams with groups, as `follow/comparing.rs` of the
//! engine does: page by page, while everything else goes on.

use super::lane::Lane;
use super::outside::Outside;
use super::rules::Rule;
use super::source::{Address, KEYS, STREAMS, alive};

/// Where a listing is. A cursor means something to one process only.
#[derive(Debug, Default)]
struct Cursor {
    run: Option<u32>,
    db: usize,
    position: u8,
    /// Listed, and not marked yet.
    page: Vec<u8>,
}

/// What a step of a listing came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Listed {
    /// It waits.
    Nothing,
    Some,
    All,
    /// The node was lost.
    Failed,
}

impl Cursor {
    /// Marks what is listed, as far as there is room. `true`: there was something.
    fn marks(&mut self, lanes: &mut [Lane], out: &mut Outside) -> Option<Listed> {
        if self.page.is_empty() {
            return None;
        }
        let queue = &mut lanes[self.db].queue;
        let before = self.page.len();
        while !self.page.is_empty() && (queue.has_room() || !out.holds(Rule::ListsIntoRoom)) {
            let key = self.page.remove(0);
            queue.suspect(key, out);
        }
        Some(if self.page.len() < before { Listed::Some } else { Listed::Nothing })
    }

    /// The process at the node, if it is still the one that the listing began with.
    fn process(&mut self, address: Address, out: &Outside) -> Option<u32> {
        let run = out.source.nodes.get(&address)?.run;
        if self.run.is_some_and(|known| known != run) {
            return None;
        }
        self.run = Some(run);
        Some(run)
    }

    /// The positions of the next page; none at the end of a database.
    fn advance(&mut self, out: &mut Outside) -> std::ops::Range<u8> {
        let begin = self.position;
        self.position = KEYS.min(begin + 1 + out.random.below(3) as u8);
        begin..self.position
    }

    fn next_db(&mut self, lanes: &[Lane]) -> bool {
        self.db += 1;
        self.position = 0;
        self.run = None;
        self.db < lanes.len()
    }
}

#[derive(Debug)]
enum Stage {
    Source,
    Target,
    /// Names of the target, of which the source is to be asked.
    Asking(Vec<u8>),
}

#[derive(Debug)]
pub struct Comparison {
    stage: Stage,
    cursor: Cursor,
    /// Keys that the node has, by the layout when it began.
    owned: Vec<u8>,
    /// Only without the rule: it began before the feed was heard.
    pub early: bool,
    pub has_looked: bool,
    cut: bool,
}

impl Comparison {
    pub fn new(owned: Vec<u8>, early: bool) -> Comparison {
        Comparison {
            stage: Stage::Source,
            cursor: Cursor::default(),
            owned,
            early,
            has_looked: early,
            cut: false,
        }
    }

    /// Its connection breaks.
    pub fn breaks(&mut self) {
        self.cut = true;
    }

    pub fn step(&mut self, address: Address, lanes: &mut [Lane], out: &mut Outside) -> Listed {
        if let Some(listed) = self.cursor.marks(lanes, out) {
            return listed;
        }
        if self.cut {
            return Listed::Failed;
        }
        let Some(run) = self.cursor.process(address, out) else { return Listed::Failed };
        match std::mem::replace(&mut self.stage, Stage::Source) {
            Stage::Source if self.cursor.position < KEYS => self.list_source(address, out),
            Stage::Source => {
                if !self.cursor.next_db(lanes) {
                    if !out.holds(Rule::ComparesBothWays) {
                        return Listed::All;
                    }
                    self.cursor = Cursor { run: Some(run), ..Cursor::default() };
                    self.stage = Stage::Target;
                }
            }
            Stage::Target if self.cursor.position < KEYS => {
                let db = lanes[self.cursor.db].queue.db;
                let positions = self.cursor.advance(out);
                let is_there = |key: &u8| alive(out.target.keys.get(&(db, *key)), out.now_us).is_some();
                let names: Vec<u8> =
                    positions.filter(|key| self.owned.contains(key)).filter(is_there).collect();
                out.say(|| format!("the target lists {names:?} of db {db}"));
                self.stage = Stage::Asking(names);
            }
            Stage::Target => {
                if !self.cursor.next_db(lanes) {
                    return Listed::All;
                }
                self.stage = Stage::Target;
            }
            Stage::Asking(names) => {
                let db = lanes[self.cursor.db].queue.db;
                let process = &out.source.nodes[&address];
                let is_absent = |key: &u8| alive(process.keys.get(&(db, *key)), out.now_us).is_none();
                self.cursor.page = names.into_iter().filter(is_absent).collect();
                out.say(|| format!("node {address} does not have {:?} of db {db}", self.cursor.page));
                self.stage = Stage::Target;
            }
        }
        Listed::Some
    }

    fn list_source(&mut self, address: Address, out: &mut Outside) {
        let db = self.cursor.db as u32;
        let positions = self.cursor.advance(out);
        // SCAN may list a key twice.
        let twice = out.random.percent(20).then(|| out.random.below(self.cursor.position as usize) as u8);
        let process = &out.source.nodes[&address];
        let is_there = |key: &u8| alive(process.keys.get(&(db, *key)), out.now_us).is_some();
        let listed = positions.chain(twice).map(|position| process.listed(position));
        self.cursor.page = listed.filter(is_there).collect();
        out.say(|| format!("node {address} lists {:?} of db {db}", self.cursor.page));
        self.stage = Stage::Source;
    }
}

/// Marks all streams of a node that have groups.
#[derive(Debug, Default)]
pub struct Groups(Cursor);

impl Groups {
    pub fn step(&mut self, address: Address, lanes: &mut [Lane], out: &mut Outside) -> Listed {
        if let Some(listed) = self.0.marks(lanes, out) {
            return listed;
        }
        let Some(run) = self.0.process(address, out) else { return Listed::Failed };
        if self.0.position == KEYS {
            let more = self.0.next_db(lanes);
            self.0.run = Some(run);
            return if more { Listed::Some } else { Listed::All };
        }
        let positions = self.0.advance(out);
        let (process, db) = (&out.source.nodes[&address], self.0.db as u32);
        let has_groups = |key: &u8| {
            let value = alive(process.keys.get(&(db, *key)), out.now_us);
            *key < STREAMS && value.is_some_and(|value| value.groups > 0)
        };
        self.0.page = positions.map(|position| process.listed(position)).filter(has_groups).collect();
        out.say(|| format!("node {address} lists streams with groups: {:?} of db {db}", self.0.page));
        Listed::Some
    }
}
