//! Writes commands by pipelines, to all primaries at once, one pipeline in flight per primary.

use redis::{Cmd, Pipeline};
use tokio::task::JoinHandle;

use super::nodes::{self, Nodes};
use super::{Place, Summary};

const COMMANDS_PER_PIPELINE: usize = 2_000;
const BYTES_PER_PIPELINE: usize = 4 << 20;

/// One key and the commands that build it, in order.
pub(super) struct Entry {
    kind: &'static str,
    key: Vec<u8>,
    steps: Vec<Step>,
}

/// `name before... key after...`
struct Step {
    name: String,
    before: Vec<Vec<u8>>,
    after: Vec<Vec<u8>>,
}

impl Entry {
    pub(super) fn new(kind: &'static str, key: impl Into<Vec<u8>>) -> Self {
        Entry { kind, key: key.into(), steps: Vec::new() }
    }

    /// Adds `name key args...`.
    pub(super) fn run<A: AsRef<[u8]>>(self, name: &str, args: impl IntoIterator<Item = A>) -> Self {
        self.step(name, Vec::new(), args.into_iter().map(|arg| arg.as_ref().to_vec()).collect())
    }

    /// Adds a command whose key is not its first argument: `name before... key after...`.
    pub(super) fn run_around(self, name: &str, before: &[&str], after: &[&str]) -> Self {
        let owned = |args: &[&str]| args.iter().map(|arg| arg.as_bytes().to_vec()).collect();
        self.step(name, owned(before), owned(after))
    }

    /// The same content under the key with `suffix` added.
    pub(super) fn renamed(mut self, suffix: &str) -> Self {
        self.key.extend_from_slice(suffix.as_bytes());
        self
    }

    fn step(mut self, name: &str, before: Vec<Vec<u8>>, after: Vec<Vec<u8>>) -> Self {
        self.steps.push(Step { name: name.to_string(), before, after });
        self
    }
}

/// Collects commands per primary and sends them when enough wait.
pub(super) struct Loader {
    nodes: Nodes,
    waiting: Vec<Waiting>,
    summary: Summary,
}

#[derive(Default)]
struct Waiting {
    pipeline: Pipeline,
    bytes: usize,
    in_flight: Option<JoinHandle<()>>,
}

impl Loader {
    pub(super) async fn open(place: &Place) -> Self {
        let nodes = Nodes::open(&place.access, place.db).await;
        let waiting = (0..nodes.count()).map(|_| Waiting::default()).collect();
        Loader { nodes, waiting, summary: Summary::default() }
    }

    /// Writes a key and counts it.
    pub(super) async fn create(&mut self, entry: Entry) {
        self.summary.count(entry.kind);
        for step in entry.steps {
            let mut command = redis::cmd(&step.name);
            command.arg(step.before).arg(&entry.key[..]).arg(step.after);
            self.push(&entry.key, command).await;
        }
    }

    /// Counts a key whose commands are given to [`Loader::push`].
    pub(super) fn count(&mut self, kind: &'static str) {
        self.summary.count(kind);
    }

    /// Writes by one command on `key`. Commands of one key run in the order given.
    pub(super) async fn push(&mut self, key: &[u8], command: Cmd) {
        let node = self.nodes.owner(key);
        let waiting = &mut self.waiting[node];
        waiting.bytes += command
            .args_iter()
            .map(|arg| if let redis::Arg::Simple(arg) = arg { arg.len() } else { 0 })
            .sum::<usize>();
        waiting.pipeline.add_command(command);
        if waiting.pipeline.len() >= COMMANDS_PER_PIPELINE || waiting.bytes >= BYTES_PER_PIPELINE {
            self.send(node).await;
        }
    }

    /// Waits until the servers acknowledged everything.
    pub(super) async fn finish(mut self) -> Summary {
        for node in 0..self.waiting.len() {
            self.send(node).await;
            self.arrived(node).await;
        }
        self.summary
    }

    async fn send(&mut self, node: usize) {
        self.arrived(node).await;
        let connection = self.nodes.connection(node);
        let waiting = &mut self.waiting[node];
        waiting.bytes = 0;
        let pipeline = std::mem::take(&mut waiting.pipeline);
        waiting.in_flight = Some(tokio::spawn(async move {
            let names: Vec<String> = pipeline.cmd_iter().map(name_of).collect();
            for (answer, name) in nodes::run(connection, pipeline).await.into_iter().zip(names) {
                answer.unwrap_or_else(|error| panic!("the server refused {name} of the data set: {error}"));
            }
        }));
    }

    async fn arrived(&mut self, node: usize) {
        if let Some(in_flight) = self.waiting[node].in_flight.take()
            && let Err(failed) = in_flight.await
        {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

fn name_of(command: &Cmd) -> String {
    match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
        _ => String::new(),
    }
}
