//! How late a change arrives: a key is set on the source, and a connection to the target is told when it is set there.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use testkit::Access;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PREFIX: &str = "probe:";

/// Pause between two probes.
const EVERY: Duration = Duration::from_millis(10);

/// A change that takes longer than this is lost.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// Times from the source's acknowledgement to the target's word, for so long.
///
/// # Errors
/// A server refuses what is asked of it, or a change does not arrive.
pub async fn lags(source: &Access, target: &Access, time: Duration) -> Result<Vec<Duration>> {
    let mut source = TcpStream::connect((source.host.as_str(), source.port)).await?;
    let mut target = TcpStream::connect((target.host.as_str(), target.port)).await?;
    source.set_nodelay(true)?;
    let tracking = format!("HELLO 3\r\nCLIENT TRACKING ON BCAST PREFIX {PREFIX}\r\nPING\r\n");
    target.write_all(tracking.as_bytes()).await?;
    until(&mut target, "+PONG\r\n").await?;
    let (begin, mut lags, mut number) = (Instant::now(), Vec::new(), 0_u64);
    while begin.elapsed() < time {
        number += 1;
        let key = format!("{PREFIX}{number:09}");
        source.write_all(format!("SET {key} x\r\n").as_bytes()).await?;
        until(&mut source, "+OK\r\n").await?;
        let set = Instant::now();
        until(&mut target, &key).await?;
        lags.push(set.elapsed());
        tokio::time::sleep(EVERY).await;
    }
    Ok(lags)
}

/// Reads until this was said; what is said behind it is nobody's business.
async fn until(stream: &mut TcpStream, words: &str) -> Result<()> {
    let mut said = Vec::new();
    let heard = async {
        loop {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                bail!("the server closed the connection");
            }
            said.extend_from_slice(&buffer[..count]);
            if said.windows(words.len()).any(|window| window == words.as_bytes()) {
                return Ok(());
            }
        }
    };
    tokio::time::timeout(LOST_AFTER, heard).await.with_context(|| format!("{words:?} was not heard"))?
}
