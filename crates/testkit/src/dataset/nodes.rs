//! The primaries of a cache, one connection to each, and which of them owns a key.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult, Value};

use crate::access::Access;

const SLOTS: usize = 16_384;

/// Connections to all primaries of one cache, all of them in the same database.
#[derive(Clone)]
pub(crate) struct Nodes {
    connections: Vec<MultiplexedConnection>,
    /// The node of each slot; empty for a single server.
    owners: Vec<usize>,
}

impl Nodes {
    /// Connects to a single server, or to every primary that `CLUSTER SLOTS` names.
    pub(crate) async fn open(access: &Access, db: u16) -> Self {
        if !access.cluster {
            let connection = access.connect_db(i64::from(db)).await;
            return Nodes { connections: vec![connection], owners: Vec::new() };
        }
        let mut seed = access.connect().await;
        let ranges: Vec<Vec<Value>> = redis::cmd("CLUSTER")
            .arg("SLOTS")
            .query_async(&mut seed)
            .await
            .unwrap_or_else(|error| panic!("CLUSTER SLOTS on port {} failed: {error}", access.port));
        let mut ports = Vec::new();
        let mut nodes = Nodes { connections: Vec::new(), owners: vec![usize::MAX; SLOTS] };
        for range in ranges {
            let (first, last, port) = slot_range(&range);
            let node = match ports.iter().position(|known| *known == port) {
                Some(node) => node,
                None => {
                    // Nodes are announced by address, but their certificate names the cache's host.
                    nodes.connections.push(access.via(port).connect().await);
                    ports.push(port);
                    ports.len() - 1
                }
            };
            nodes.owners[first..=last].fill(node);
        }
        let unowned = nodes.owners.iter().filter(|owner| **owner == usize::MAX).count();
        assert_eq!(unowned, 0, "{unowned} slots of the cluster at port {} have no primary", access.port);
        nodes
    }

    /// How many primaries there are.
    pub(crate) fn count(&self) -> usize {
        self.connections.len()
    }

    /// The connection to one primary.
    pub(crate) fn connection(&self, node: usize) -> MultiplexedConnection {
        self.connections[node].clone()
    }

    /// The node that owns a key.
    pub(crate) fn owner(&self, key: &[u8]) -> usize {
        if self.owners.is_empty() { 0 } else { self.owners[slot(key)] }
    }

    /// Sends each command to the owner of its key, all nodes at once, and answers in the order asked.
    /// Errors of single commands are answers too.
    pub(crate) async fn ask(&self, commands: Vec<(&[u8], Cmd)>) -> Vec<RedisResult<Value>> {
        let mut positions = vec![Vec::new(); self.count()];
        let mut pipelines = vec![Pipeline::new(); self.count()];
        let total = commands.len();
        for (position, (key, command)) in commands.into_iter().enumerate() {
            let node = self.owner(key);
            positions[node].push(position);
            pipelines[node].add_command(command);
        }
        let asked: Vec<_> = pipelines
            .into_iter()
            .enumerate()
            .map(|(node, pipeline)| tokio::spawn(run(self.connection(node), pipeline)))
            .collect();
        let mut answers: Vec<Option<RedisResult<Value>>> = (0..total).map(|_| None).collect();
        for (positions, answered) in positions.into_iter().zip(asked) {
            let answered = answered.await.unwrap_or_else(|error| panic!("a pipeline failed: {error}"));
            for (position, answer) in positions.into_iter().zip(answered) {
                answers[position] = Some(answer);
            }
        }
        answers.into_iter().map(|answer| answer.expect("every command has an answer")).collect()
    }

    /// One command to the owner of `key`.
    pub(crate) async fn ask_one(&self, key: &[u8], command: &Cmd) -> RedisResult<Value> {
        command.query_async(&mut self.connection(self.owner(key))).await
    }
}

/// Runs a pipeline and gives each command's own answer; panics when the connection fails.
pub(crate) async fn run(
    mut connection: MultiplexedConnection,
    mut pipeline: Pipeline,
) -> Vec<RedisResult<Value>> {
    if pipeline.is_empty() {
        return Vec::new();
    }
    let count = pipeline.len();
    let answers: Vec<RedisResult<Value>> = pipeline
        .ignore_errors()
        .query_async(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("a pipeline of {count} commands failed: {error}"));
    assert_eq!(answers.len(), count, "a pipeline of {count} commands gave another number of answers");
    answers
}

/// First slot, last slot and the primary's port from one row of `CLUSTER SLOTS`.
fn slot_range(row: &[Value]) -> (usize, usize, u16) {
    match row {
        [Value::Int(first), Value::Int(last), Value::Array(primary), ..] => match primary.as_slice() {
            [_, Value::Int(port), ..] => (*first as usize, *last as usize, *port as u16),
            _ => panic!("CLUSTER SLOTS names no port: {primary:?}"),
        },
        _ => panic!("CLUSTER SLOTS gave an unknown row: {row:?}"),
    }
}

/// The slot of a key: CRC16/XMODEM of the hash tag or of the whole key, modulo 16384 (Redis Cluster specification).
fn slot(key: &[u8]) -> usize {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|byte| *byte == b'}').filter(|length| *length > 0).map(|length| &rest[..length])
    });
    let mut crc = 0u16;
    for byte in tag.unwrap_or(key) {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
        }
    }
    usize::from(crc) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::slot;

    /// Values from the Redis Cluster specification and `CLUSTER KEYSLOT`.
    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(slot(b"123456789"), 0x31C3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{foo}bar"), 12182);
        assert_eq!(slot(b""), 0);
        assert_eq!(slot(b"foo{}bar"), slot(b"foo{}bar"));
        assert_ne!(slot(b"{}bar"), slot(b"bar"), "an empty tag is no tag");
        assert_eq!(slot(b"foo{{bar}}zap"), slot(b"{bar"));
    }
}
