//! Carries the bytes of one connection under the faults that are switched on.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Controls, Counters, Limits, Replies, Way};

const CHUNK: usize = 64 * 1024;
/// Chunks that may be under way, one way; beyond it the sender feels the delay as back-pressure.
const CHUNKS_UNDER_WAY: usize = 256;
/// A server that is silent this long after a lost reply has answered everything it was asked.
const QUIET: Duration = Duration::from_millis(20);

/// Returns when both sides have finished, or with an error when the connection is to be closed.
pub(super) async fn both_ways(
    client: TcpStream,
    server: TcpStream,
    number: u64,
    limits: Limits,
    controls: &watch::Sender<Controls>,
    counters: &Counters,
) -> io::Result<()> {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let limit_both = AtomicU64::new(limits.both.unwrap_or(u64::MAX));
    let one_way = |way, limit: Option<u64>| OneWay {
        way,
        number,
        limit: AtomicU64::new(limit.unwrap_or(u64::MAX)),
        limit_both: &limit_both,
        controls,
        counters,
    };
    let requests = one_way(Way::ToServer, limits.to_server);
    let replies = one_way(Way::ToClient, limits.to_client);
    tokio::try_join!(requests.carry(from_client, to_server), replies.carry(from_server, to_client))?;
    Ok(())
}

struct OneWay<'a> {
    way: Way,
    /// Which of the relay's connections this is, in the order in which they were accepted.
    number: u64,
    limit: AtomicU64,
    limit_both: &'a AtomicU64,
    controls: &'a watch::Sender<Controls>,
    counters: &'a Counters,
}

impl OneWay<'_> {
    async fn carry(&self, from: OwnedReadHalf, to: OwnedWriteHalf) -> io::Result<()> {
        let (queue, queued) = mpsc::channel(CHUNKS_UNDER_WAY);
        tokio::try_join!(self.receive(from, queue), self.deliver(queued, to))?;
        Ok(())
    }

    /// Reads, and gives every chunk the time at which it is due on the other side.
    async fn receive(
        &self,
        mut from: OwnedReadHalf,
        queue: mpsc::Sender<(Instant, Vec<u8>)>,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        loop {
            self.not_stalled().await;
            let length = tokio::select! {
                read = from.read(&mut chunk) => match read {
                    Ok(length) => length,
                    // A client that crashed: what it sent is on its way all the same.
                    Err(_) if self.is_withheld() => 0,
                    Err(error) => return Err(error),
                },
                () = self.parted(), if self.way == Way::ToServer => 0,
            };
            if length == 0 {
                return Ok(());
            }
            if self.is_withheld() {
                self.counters.withheld.fetch_add(length as u64, Ordering::AcqRel);
            }
            if self.way == Way::ToClient && self.loses_reply() {
                return swallow(from, chunk).await;
            }
            let due = Instant::now() + self.controls.borrow().delay;
            if queue.send((due, chunk[..length].to_vec())).await.is_err() {
                return Ok(());
            }
        }
    }

    async fn deliver(
        &self,
        mut queued: mpsc::Receiver<(Instant, Vec<u8>)>,
        mut to: OwnedWriteHalf,
    ) -> io::Result<()> {
        loop {
            let next = tokio::select! {
                next = queued.recv() => next,
                () = self.parted(), if self.way == Way::ToClient => {
                    drop(to);
                    // The server's answers have nobody to go to.
                    while queued.recv().await.is_some() {}
                    return Ok(());
                }
            };
            let Some((due, chunk)) = next else { break };
            // The timer rounds up to a millisecond, which would slow down a relay without delay.
            if due > Instant::now() {
                sleep_until(due).await;
            }
            self.not_stalled().await;
            self.not_withheld().await;
            let allowed = self.left();
            let length = chunk.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
            let carried = length as u64;
            // Counted first, so that whoever has received a byte finds it counted.
            self.counters.of(self.way).fetch_add(carried, Ordering::Relaxed);
            to.write_all(&chunk[..length]).await?;
            self.limit.fetch_sub(carried, Ordering::Relaxed);
            let both = self.limit_both.load(Ordering::Relaxed);
            self.limit_both.store(both.saturating_sub(carried), Ordering::Relaxed);
            if self.left() == 0 {
                return Err(cut("the limit of bytes is reached"));
            }
        }
        // The end of one direction passes through; the other may go on.
        to.shutdown().await
    }

    /// Bytes until the connection is closed.
    fn left(&self) -> u64 {
        self.limit.load(Ordering::Relaxed).min(self.limit_both.load(Ordering::Relaxed))
    }

    async fn not_stalled(&self) {
        if self.controls.borrow().stall {
            let mut watched = self.controls.subscribe();
            // The sender of the channel is borrowed here, so waiting cannot fail.
            let _free = watched.wait_for(|controls| !controls.stall).await;
        }
    }

    fn is_withheld(&self) -> bool {
        self.way == Way::ToServer && self.number < self.controls.borrow().withheld
    }

    async fn not_withheld(&self) {
        if self.is_withheld() {
            let mut watched = self.controls.subscribe();
            let _delivered = watched.wait_for(|controls| self.number >= controls.withheld).await;
        }
    }

    /// Waits until the client is to be gone.
    async fn parted(&self) {
        let mut watched = self.controls.subscribe();
        let _parted = watched.wait_for(|controls| self.number < controls.parted).await;
    }

    fn loses_reply(&self) -> bool {
        let mut lost = false;
        self.controls.send_if_modified(|controls| {
            lost = controls.replies != Replies::Pass;
            if controls.replies == Replies::LoseNext {
                controls.replies = Replies::Pass;
            }
            false
        });
        lost
    }
}

/// Reads on until the server has nothing more to say, then asks for the connection to be closed.
async fn swallow(mut from: OwnedReadHalf, mut chunk: Vec<u8>) -> io::Result<()> {
    while let Ok(Ok(1..)) = tokio::time::timeout(QUIET, from.read(&mut chunk)).await {}
    Err(cut("replies are dropped"))
}

fn cut(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, why)
}
