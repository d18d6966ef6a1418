//! Old connections to the target are closed before new ones write (design rule R5).
//!
//! A write that was sent on a connection which then broke may still be carried out: it waits in a proxy, in the network or in
//! the server's own buffer. If that comes after a newer write of the same key, the older value stays. So every connection
//! that writes asks for its CLIENT ID, and before the next one to the same node writes anything it has the server close (CLIENT
//! KILL) those that are not used any more. What the server has not carried out of a connection that it closed, it never
//! will.

mod earlier;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::{Error, Kind, Node, Recovery, TargetConnection};
use resp::Value;
use tokio::time::timeout;

pub use earlier::fence;

use crate::preflight::info::Info;
use crate::run::{Run, lock};

/// How long a write may stay alive whose connection cannot be closed over there. Our own end is reset when it is dropped, which
/// throws away what it has not sent; what is left are segments in the network, which live for two minutes at most (the
/// maximum segment lifetime of RFC 9293, 3.4.1), and a server that has answered a newer write has read long before
/// what it had received.
pub const LATE_WRITES: Duration = Duration::from_secs(120);

/// The connections of one run that write to the target.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    connections: Mutex<Vec<Known>>,
    numbers: AtomicU64,
    /// The process that was last met at each node.
    processes: Mutex<HashMap<Node, String>>,
    is_replaced: AtomicBool,
    is_open: AtomicBool,
    is_said: AtomicBool,
}

/// A connection as the server knows it.
#[derive(Debug)]
struct Known {
    number: u64,
    node: Node,
    id: i64,
    /// The process at the node; `None` where the server hides it.
    process: Option<String>,
    /// The source node and database whose keys it writes.
    of: Option<(Node, u32)>,
    /// Nobody writes on it any more.
    is_left: bool,
}

/// A connection's place inside the fence. Whoever holds it writes.
#[derive(Debug)]
pub(crate) struct Place {
    fence: Arc<Fence>,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connections = lock(&self.fence.connections);
        connections
            .iter_mut()
            .filter(|known| known.number == self.number)
            .for_each(|known| known.is_left = true);
    }
}

impl Fence {
    /// Whether the target closes old connections.
    pub(crate) fn holds(&self) -> bool {
        !self.is_open.load(Ordering::Relaxed)
    }

    /// Says once what follows from a target that does not.
    pub(crate) fn say_that_it_is_open(&self, again_after: Duration) {
        if !self.is_said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "target: CLIENT ID and CLIENT KILL are not allowed, so writes of a lost connection may come late; their keys \
                 are carried once more after {} s. Give the target's user +client|id and +client|kill",
                again_after.as_secs()
            );
        }
    }

    /// Nobody writes any more on the connections that were made for these keys: whoever did is gone, or goes.
    pub(crate) fn leave(&self, node: &Node, db: u32) {
        for known in lock(&self.connections).iter_mut() {
            known.is_left |= known.of.as_ref().is_some_and(|(of, of_db)| of == node && *of_db == db);
        }
    }

    /// A process was met at a node. Another one than before may have lost what that one acknowledged.
    fn met(&self, node: &Node, process: &str) {
        let before = lock(&self.processes).insert(node.clone(), process.to_owned());
        if before.is_some_and(|before| before != process) {
            self.is_replaced.store(true, Ordering::Relaxed);
        }
    }

    /// Whether another process was met at a node of the target since the last call.
    pub(crate) fn take_replaced(&self) -> bool {
        self.is_replaced.swap(false, Ordering::Relaxed)
    }

    /// Connections to a node that are not used any more.
    fn left_at(&self, node: &Node) -> Vec<(u64, i64, Option<String>)> {
        let connections = lock(&self.connections);
        let left = connections.iter().filter(|known| known.is_left && known.node == *node);
        left.map(|known| (known.number, known.id, known.process.clone())).collect()
    }
}

/// Takes a new connection in: names it, and has the server close those to the same node that are not used any more. Nothing
/// may be in flight on it.
///
/// # Errors
/// The connection is lost.
pub(crate) async fn enter<S>(
    run: &Run<S>,
    connection: &mut TargetConnection,
    of: Option<(&Node, u32)>,
) -> Result<Place, Error> {
    let silence = run.options.silence;
    match timeout(silence, enter_at_once(run, connection, of)).await {
        Ok(entered) => entered,
        Err(_) => Err(connection.peer().error(Kind::Silent(silence))),
    }
}

async fn enter_at_once<S>(
    run: &Run<S>,
    connection: &mut TargetConnection,
    of: Option<(&Node, u32)>,
) -> Result<Place, Error> {
    let fence = &run.fence;
    let place = Place { fence: Arc::clone(fence), number: fence.numbers.fetch_add(1, Ordering::Relaxed) };
    if let Some(run_name) = &run.options.run_name {
        connection.push(&[b"CLIENT", b"SETNAME", earlier::name(run_name).as_bytes()]);
    }
    connection.push(&[b"CLIENT", b"ID"]);
    connection.push(&[b"INFO", b"server"]);
    if run.options.run_name.is_some() {
        // A name only helps to find the connection after a crash.
        connection.reply().await?;
    }
    let id = connection.reply().await?;
    let info = connection.reply().await?;
    let process = Info::of(&info).id("run_id");
    let node = connection.peer().node.clone();
    if let Some(process) = &process {
        fence.met(&node, process);
    }
    let Some(id) = allowed(connection, "CLIENT ID", &id)? else {
        fence.is_open.store(true, Ordering::Relaxed);
        return Ok(place);
    };
    let left = fence.left_at(&node);
    // Connections of a process that is gone went with it, and their numbers may be others' now.
    let same: Vec<i64> = left.iter().filter(|(_, _, of)| *of == process).map(|(_, id, _)| *id).collect();
    // The last one is this connection itself, which is passed over: it shows whether the command is allowed.
    for id in same.iter().chain([&id]) {
        connection.push(&[b"CLIENT", b"KILL", b"ID", id.to_string().as_bytes(), b"SKIPME", b"yes"]);
    }
    let mut replies = Vec::new();
    for _ in 0..=same.len() {
        replies.push(connection.reply().await?);
    }
    for reply in replies {
        if allowed(connection, "CLIENT KILL", &reply)?.is_none() {
            fence.is_open.store(true, Ordering::Relaxed);
        }
    }
    let mut connections = lock(&fence.connections);
    connections.retain(|known| left.iter().all(|(number, _, _)| known.number != *number));
    let of = of.map(|(of, db)| (of.clone(), db));
    connections.push(Known { number: place.number, node, id, process, of, is_left: false });
    drop(connections);
    Ok(place)
}

/// The number that was answered; `None` where the command is not allowed.
fn allowed(
    connection: &TargetConnection,
    command: &'static str,
    reply: &Value,
) -> Result<Option<i64>, Error> {
    if let Some(number) = reply.as_i64() {
        return Ok(Some(number));
    }
    let error = Error::from_reply(connection.peer(), command, reply);
    if error.recovery() == Recovery::Reconnect { Err(error) } else { Ok(None) }
}
