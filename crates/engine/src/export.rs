//! A cache into an RDB file.
//!
//! The lanes are those of a copy: the same scan, the same reads, the same protection of the source. What they write to
//! is a file, in which nothing can be replaced: so a key goes into it only when its value and expiry are settled for
//! good, and only once.

mod file;
mod once;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use client::{Endpoint, Node, Topology};
use migration::naming::Naming;
use migration::selection::Selection;
use migration::tally::{Cause, Tally};
use rdb::Version;
use tokio::task::JoinSet;

use crate::checkpoint::{Arguments, Checkpoint};
use crate::copy::{Progress, Rounds};
use crate::options::CopyOptions;
use crate::run::{Abilities, Run, Stop};
use crate::stop::Halt;
pub(crate) use file::{FileSink, Record, RecordBody};

/// A file under way.
pub trait Vessel: Send + 'static {
    /// Takes the next bytes. An error says which file, what happened and what to do.
    fn write(&mut self, bytes: Bytes) -> impl Future<Output = Result<(), String>> + Send;

    /// The file is whole and takes its name.
    fn finish(self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Everything an export needs to know.
#[derive(Debug)]
pub struct Export<V> {
    /// Where from.
    pub source: Endpoint,
    /// How it is laid out.
    pub layout: Topology,
    /// The files: one for everything, or one for each node in the order of the layout.
    pub files: Vec<V>,
    /// The files' version.
    pub version: Version,
    /// What is written about the server.
    pub facts: Vec<(String, String)>,
    /// Which keys.
    pub selection: Selection,
    /// Under which names, into which databases.
    pub naming: Naming,
    /// What the source can do.
    pub abilities: Abilities,
    /// How.
    pub options: CopyOptions,
    /// Keys that are expected, to find twice listed ones.
    pub expected: u64,
}

/// What an export came to.
#[derive(Debug)]
pub struct ExportOutcome {
    /// What became of the keys.
    pub total: Tally,
    /// How often a scan began anew because the process behind a node changed.
    pub restarts: u32,
    /// Time.
    pub elapsed: Duration,
    /// Keys by cause, as many as asked for.
    pub examples: BTreeMap<Cause, Vec<Vec<u8>>>,
    /// No expiry is in the file with a larger error, in milliseconds.
    pub ttl_error_ms: u32,
    /// Bytes of the files.
    pub bytes: u64,
    /// Streams that lost facts which the files' version has no place for.
    pub streams_lost: u64,
    /// Why it ended before it was done; there are no files then.
    pub halt: Option<Halt>,
}

/// What stands for the target's layout, where there is none.
fn nowhere() -> Node {
    Node { host: "file".to_owned(), port: 0 }
}

impl<V: Vessel> Export<V> {
    /// Writes until every key is in a file, somebody asks to stop, or the source cannot be used any more. Only then do
    /// the files take their names, all of them or none.
    ///
    /// # Errors
    /// A side of it cannot be reached at the very beginning.
    pub async fn run(self, progress: &Progress, stop: Arc<Stop>) -> Result<ExportOutcome, Halt> {
        let began = Instant::now();
        let nodes = self.layout.primaries().to_vec();
        let mut sinks = BTreeMap::new();
        let mut writers = JoinSet::new();
        let each = self.files.len() > 1;
        let expected = self.expected / self.files.len().max(1) as u64;
        for (index, vessel) in self.files.into_iter().enumerate() {
            let (sink, records) = FileSink::new(self.version, expected);
            let served: Vec<&Node> =
                if each { nodes.get(index).into_iter().collect() } else { nodes.iter().collect() };
            served.into_iter().for_each(|node| _ = sinks.insert(node.clone(), Arc::clone(&sink)));
            let (facts, stop) = (self.facts.clone(), Arc::clone(&stop));
            writers.spawn(async move { file::write(vessel, sink, records, &facts, &stop).await });
        }
        let run = Arc::new(Run::new(
            self.options,
            self.source,
            Destination::Files(sinks),
            self.selection,
            self.naming,
            self.abilities,
            Topology::Single(nowhere()),
            stop,
            nodes.len(),
        ));
        let checkpoint = Checkpoint::new(Arguments::new());
        let mut rounds = Rounds::new(Arc::clone(&run), progress, checkpoint, began, self.layout);
        let mut halt = rounds.until_all_is_done().await;
        let (total, restarts) = rounds.total();
        drop(rounds);
        let (examples, ttl_error_ms) = (run.examples(), run.ttl_error_ms());
        run.close_files(halt.is_none());
        let (mut bytes, mut streams_lost, mut whole) = (0, 0, Vec::new());
        while let Some(written) = writers.join_next().await {
            match written {
                Ok(Ok(written)) => {
                    bytes += written.bytes;
                    streams_lost += written.streams_lost;
                    whole.extend(written.vessel);
                }
                // The lanes were asked to stop because of it.
                Ok(Err(words)) => halt = Some(Halt::Unwritable(words)),
                Err(panic) => std::panic::resume_unwind(panic.into_panic()),
            }
        }
        if halt.is_none() {
            for vessel in whole {
                if let Err(words) = vessel.finish().await {
                    halt = Some(Halt::Unwritable(words));
                    break;
                }
            }
        }
        Ok(ExportOutcome {
            total,
            restarts,
            elapsed: began.elapsed(),
            examples,
            ttl_error_ms,
            bytes,
            streams_lost,
            halt,
        })
    }
}

/// Where keys go.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Into a cache.
    Cache(Endpoint),
    /// Into files: that of each node of the source.
    Files(BTreeMap<Node, Arc<FileSink>>),
}

impl From<Endpoint> for Destination {
    fn from(endpoint: Endpoint) -> Destination {
        Destination::Cache(endpoint)
    }
}
