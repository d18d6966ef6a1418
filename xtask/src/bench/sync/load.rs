//! Clients that write as fast as they can, or at a given rate: strings of 100 bytes under random names.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use testkit::Access;
use testkit::dataset::random::Random;

/// Bytes of each value.
const VALUE: usize = 100;

/// What is written.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Connections side by side.
    pub clients: usize,
    /// Commands that a connection sends before it waits for the answers.
    pub pipeline: usize,
    /// Names that are written to.
    pub keys: u64,
    /// Commands a second, all connections together; as many as go without.
    pub rate: Option<f64>,
}

/// A load under way.
#[derive(Debug)]
pub struct Loading {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: JoinSet<Result<()>>,
    began: Instant,
}

impl Load {
    /// Begins to write.
    pub fn start(self, access: &Access, seed: u64) -> Loading {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut clients = JoinSet::new();
        for number in 0..self.clients {
            let (access, stop, answered) = (access.clone(), Arc::clone(&stop), Arc::clone(&answered));
            let random = Random::new(seed.wrapping_mul(1_000).wrapping_add(number as u64));
            clients.spawn(async move { self.client(&access, random, &stop, &answered).await });
        }
        Loading { stop, answered, clients, began: Instant::now() }
    }

    async fn client(
        self,
        access: &Access,
        mut random: Random,
        stop: &AtomicBool,
        answered: &AtomicU64,
    ) -> Result<()> {
        let mut stream = TcpStream::connect((access.host.as_str(), access.port)).await?;
        stream.set_nodelay(true)?;
        let pause = self.rate.map(|rate| (self.clients * self.pipeline) as f64 / rate);
        let (mut request, mut reply) = (Vec::new(), vec![0; 5 * self.pipeline]);
        let value = "v".repeat(VALUE);
        // Not all at once.
        let mut due = Instant::now() + Duration::from_secs_f64(pause.unwrap_or(0.0) * random.fraction());
        while !stop.load(Ordering::Relaxed) {
            if let Some(pause) = pause {
                tokio::time::sleep_until(due.into()).await;
                // Who is late does not catch up all at once.
                due = (due + Duration::from_secs_f64(pause)).max(Instant::now() - Duration::from_millis(50));
            }
            request.clear();
            for _ in 0..self.pipeline {
                let key = format!("key:{:012}", random.below(self.keys));
                request.extend_from_slice(
                    format!("*3\r\n$3\r\nSET\r\n${}\r\n{key}\r\n${VALUE}\r\n{value}\r\n", key.len())
                        .as_bytes(),
                );
            }
            stream.write_all(&request).await?;
            stream.read_exact(&mut reply).await.context("the server closed a connection")?;
            if !reply.chunks(5).all(|line| line == b"+OK\r\n") {
                bail!("SET was refused: {}", String::from_utf8_lossy(&reply));
            }
            answered.fetch_add(self.pipeline as u64, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Loading {
    /// Ends it when every client has its last answer. Returns the commands that were answered, and how many in a
    /// second.
    ///
    /// # Errors
    /// A client was refused or lost.
    pub async fn end(mut self) -> Result<(u64, f64)> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(client) = self.clients.join_next().await {
            client??;
        }
        let answered = self.answered.load(Ordering::Relaxed);
        Ok((answered, answered as f64 / self.began.elapsed().as_secs_f64()))
    }
}
