//! The target: connections with writes on their way, which may be executed after whoever sent them has gone.

use std::collections::{BTreeMap, VecDeque};

use super::random::Random;
use super::source::{Keys, Place, Value};

/// A write: the reading that it belongs to, and what the key is to be; `None` removes it.
#[derive(Debug, Clone, Copy)]
pub struct Write {
    pub reading: u64,
    pub place: Place,
    pub value: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// Out of memory, loading, or the like.
    NotNow,
}

#[derive(Debug, Default)]
struct Connection {
    /// The one who opened it has closed it, or is gone.
    let_go: bool,
    /// Nothing comes back any more.
    cut: bool,
    writes: VecDeque<Write>,
    answers: VecDeque<(u64, Answer)>,
}

#[derive(Debug, Default)]
pub struct Target {
    pub keys: Keys,
    connections: BTreeMap<u32, Connection>,
    next: u32,
}

impl Target {
    pub fn connect(&mut self) -> u32 {
        self.next += 1;
        self.connections.insert(self.next, Connection::default());
        self.next
    }

    pub fn send(&mut self, connection: u32, write: Write) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.writes.push_back(write);
        }
    }

    /// Executes the next write of a connection.
    pub fn execute(&mut self, connection: u32, answer: Answer, now_us: u64) -> Option<Write> {
        let connection = self.connections.get_mut(&connection)?;
        let write = connection.writes.pop_front()?;
        if answer == Answer::Done {
            match write.value.filter(|value| !value.is_over(now_us)) {
                Some(value) => self.keys.insert(write.place, value),
                None => self.keys.remove(&write.place),
            };
        }
        if !connection.cut && !connection.let_go {
            connection.answers.push_back((write.reading, answer));
        }
        Some(write)
    }

    pub fn answer(&mut self, connection: u32) -> Option<(u64, Answer)> {
        self.connections.get_mut(&connection)?.answers.pop_front()
    }

    pub fn is_cut(&self, connection: u32) -> bool {
        self.connections.get(&connection).is_none_or(|connection| connection.cut)
    }

    /// Answers that have not arrived are lost; writes that have not arrived may still do.
    pub fn cut(&mut self, connection: u32) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.cut = true;
            connection.answers.clear();
        }
    }

    /// Nobody holds the connection any more.
    pub fn let_go(&mut self, connection: u32) {
        if let Some(connection) = self.connections.get_mut(&connection) {
            connection.let_go = true;
        }
    }

    /// CLIENT KILL: what the connection still carries is not executed any more.
    pub fn fence(&mut self, connection: u32) {
        self.connections.remove(&connection);
    }

    pub fn fence_all(&mut self) {
        self.connections.retain(|_, connection| !connection.let_go);
    }

    /// A connection that nobody holds, with a write on its way.
    pub fn late(&mut self, random: &mut Random) -> Option<u32> {
        self.connections.retain(|_, connection| !connection.let_go || !connection.writes.is_empty());
        let late = self.connections.iter().filter(|(_, connection)| connection.let_go);
        let late: Vec<u32> = late.map(|(number, _)| *number).collect();
        random.of(late.into_iter())
    }
}
