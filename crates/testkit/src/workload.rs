//! Clients that write to a cache as applications do, for as long as a test wants: every type, deletes, expiries,
//! renames, scripts, transactions, consumer groups, and now and then a flush.
//!
//! What is written follows from a seed, what results does not: clients run side by side, and the server decides.

mod command;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::aio::ConnectionLike;
use redis::{Pipeline, RedisResult, Value};
use tokio::task::JoinSet;

use crate::Access;
use crate::dataset::random::Random;

/// Which keys are written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Popularity {
    /// All alike.
    Uniform,
    /// A few very often, most hardly ever (the chance of the nth is about 1/n).
    Zipfian,
}

/// What the clients do.
#[derive(Debug, Clone)]
pub struct Workload {
    /// Everything that is written follows from it.
    pub seed: u64,
    /// Connections that write side by side.
    pub clients: usize,
    /// Names that are written to, of each type.
    pub keys: u64,
    /// Which of them.
    pub popularity: Popularity,
    /// Databases that are written to; a cluster has only 0.
    pub dbs: Vec<i64>,
    /// Commands sent at once by each client.
    pub pipeline: usize,
    /// Pause between two pipelines of a client.
    pub pause: Duration,
    /// Whether a client may empty a database, about once in ten thousand commands.
    pub flushes: bool,
    /// Whether streams get groups, whose changes no feed sees.
    pub groups: bool,
}

impl Workload {
    /// Four clients on some thousand keys of database 0, about as fast as a small machine takes it.
    pub fn new(seed: u64) -> Workload {
        Workload {
            seed,
            clients: 4,
            keys: 500,
            popularity: Popularity::Uniform,
            dbs: vec![0],
            pipeline: 10,
            pause: Duration::from_millis(2),
            flushes: false,
            groups: true,
        }
    }

    /// Begins to write.
    pub fn start(self, access: &Access) -> Writing {
        let stop = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            let client = Client {
                random: Random::new(self.seed.wrapping_mul(1000) + number as u64),
                entries: 0,
                number,
                workload: self.clone(),
            };
            let db = self.dbs[number % self.dbs.len()];
            clients.spawn(client.write(access.clone(), db, Arc::clone(&stop), Arc::clone(&written)));
        }
        Writing { stop, written, clients, began: Instant::now() }
    }
}

/// How long a client waits before it looks for its server again.
const AWAY: Duration = Duration::from_millis(100);

/// Clients that are writing.
#[derive(Debug)]
pub struct Writing {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    clients: JoinSet<()>,
    began: Instant,
}

impl Writing {
    /// Commands that were answered so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Ends it when every client has its last answer. Returns the commands that were answered, and how many that
    /// was in a second.
    pub async fn end(mut self) -> (u64, u64) {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("a client of the workload failed");
        }
        let written = self.written();
        (written, (written as f64 / self.began.elapsed().as_secs_f64()) as u64)
    }
}

struct Client {
    random: Random,
    /// Entries that this client added to streams.
    entries: u64,
    number: usize,
    workload: Workload,
}

impl Client {
    async fn write(mut self, access: Access, db: i64, stop: Arc<AtomicBool>, written: Arc<AtomicU64>) {
        if access.cluster {
            let mut connection = access.connect_cluster().await;
            while !stop.load(Ordering::Relaxed) {
                // It finds a node again by itself.
                if self.write_once(&mut connection, &written).await.is_err() {
                    tokio::time::sleep(AWAY).await;
                }
            }
        } else {
            let mut connection = access.connect_db(db).await;
            while !stop.load(Ordering::Relaxed) {
                if self.write_once(&mut connection, &written).await.is_err() {
                    tokio::time::sleep(AWAY).await;
                    if let Ok(anew) = access.try_connect_db(db).await {
                        connection = anew;
                    }
                }
            }
        }
    }

    /// One pipeline. The server was restarted or the connection killed when that fails.
    async fn write_once(
        &mut self,
        connection: &mut impl ConnectionLike,
        written: &AtomicU64,
    ) -> RedisResult<()> {
        // In a cluster one pipeline has one key's slot.
        let slot = self.random.below(self.workload.keys);
        let mut pipeline = Pipeline::new();
        let atomic = self.random.below(10) == 0;
        for _ in 0..self.workload.pipeline {
            self.next(slot).into_iter().for_each(|command| _ = pipeline.add_command(command));
        }
        if atomic {
            pipeline.atomic();
        }
        let count = pipeline.len() as u64;
        // A command that does not fit the key's type, or a server that is full, is no fault of the test.
        let _: Vec<Value> = pipeline.ignore_errors().query_async(connection).await?;
        written.fetch_add(count, Ordering::Relaxed);
        if !self.workload.pause.is_zero() {
            tokio::time::sleep(self.workload.pause).await;
        }
        Ok(())
    }

    /// A number of a key, as popular as it shall be.
    fn number_of_key(&mut self) -> u64 {
        let keys = self.workload.keys;
        match self.workload.popularity {
            Popularity::Uniform => self.random.below(keys),
            Popularity::Zipfian => {
                let fraction = self.random.fraction();
                ((keys as f64).powf(fraction) as u64).saturating_sub(1).min(keys - 1)
            }
        }
    }
}
