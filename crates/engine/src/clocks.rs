//! Reading servers' clocks (design rule R11).

use client::{Error, Read, SourceConnection, TargetConnection};
use migration::expiry::{Clock, ClockSample};
use resp::Value;

/// Samples per estimate; the one with the shortest round trip decides.
const SAMPLES: usize = 8;

/// Reads a source node's clock.
pub(crate) async fn of_source(
    connection: &mut SourceConnection,
    now_us: impl Fn() -> u64,
) -> Result<Option<Clock>, Error> {
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let sent_us = now_us();
        let reply = connection.ask(Read::Time).await?;
        samples.extend(sample(sent_us, now_us(), &reply));
    }
    Ok(Clock::estimate(&samples))
}

/// Reads a target node's clock.
pub(crate) async fn of_target(
    connection: &mut TargetConnection,
    now_us: impl Fn() -> u64,
) -> Result<Option<Clock>, Error> {
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let sent_us = now_us();
        let reply = connection.ask(&[b"TIME"]).await?;
        samples.extend(sample(sent_us, now_us(), &reply));
    }
    Ok(Clock::estimate(&samples))
}

/// Reads the answer to TIME: microseconds since 1970.
pub(crate) fn time_us(reply: &Value) -> Option<u64> {
    let parts = reply.as_array()?;
    let seconds = u64::try_from(parts.first()?.as_i64()?).ok()?;
    let micros = u64::try_from(parts.get(1)?.as_i64()?).ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

fn sample(sent_us: u64, received_us: u64, reply: &Value) -> Option<ClockSample> {
    Some(ClockSample { sent_us, received_us, server_us: time_us(reply)? })
}
