//! Writes to and reads from all lines at once, until some work is done.
//!
//! Nothing waits for one line while another could move: a server that is behind with reading still gets its replies
//! read, so neither side's buffers can stop the other.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use client::Kind;
use tokio::time::{Instant, sleep_until};

use super::line::Line;
use super::lines::Lines;
use super::setback::Setback;
use super::sides::{SOURCE, Sides};
use crate::brake::Brake;

/// What is done with replies.
pub(super) trait Work: Send {
    /// Takes what has come on a line, as far as it goes.
    fn digest(&mut self, line: &mut Line, sides: &Sides) -> Result<(), Setback>;

    /// Asks what follows from that.
    fn go_on(&mut self, lines: &mut Lines);

    fn is_done(&self) -> bool;
}

/// Runs work to its end.
///
/// # Errors
/// A line broke, was silent too long, or said that the whole batch is out of place; the lines cannot be used again.
pub(super) async fn drive(lines: &mut Lines, work: &mut impl Work, brake: &dyn Brake) -> Result<(), Setback> {
    let silence = lines.silence;
    let mut alarm = pin!(sleep_until(Instant::now() + silence));
    poll_fn(|cx| {
        loop {
            if work.is_done() {
                return Poll::Ready(Ok(()));
            }
            let mut moved = false;
            for index in 0..lines.all.len() {
                moved |= turn(&mut lines.all[index], work, &lines.sides, brake, cx)?;
                work.go_on(lines);
            }
            if !moved {
                break;
            }
        }
        while alarm.as_mut().poll(cx).is_ready() {
            alarm.as_mut().reset(next_alarm(lines, silence)?);
        }
        Poll::Pending
    })
    .await
}

/// Writes and reads once; says whether something came.
fn turn(
    line: &mut Line,
    work: &mut impl Work,
    sides: &Sides,
    brake: &dyn Brake,
    cx: &mut Context<'_>,
) -> Result<bool, Setback> {
    if line.writing {
        match line.connection.poll_write(cx) {
            Poll::Ready(written) => {
                written?;
                line.writing = false;
            }
            Poll::Pending => {}
        }
    }
    if line.oldest().is_none() {
        return Ok(false);
    }
    let Poll::Ready(read) = line.connection.poll_read(cx) else { return Ok(false) };
    let read = read? as u64;
    line.heard = std::time::Instant::now();
    if line.side == SOURCE {
        brake.read(read);
    }
    work.digest(line, sides)?;
    Ok(true)
}

/// When to look again whether a line is silent.
fn next_alarm(lines: &Lines, silence: Duration) -> Result<Instant, Setback> {
    let mut next = Instant::now() + silence;
    for line in lines.all.iter().filter(|line| line.oldest().is_some()) {
        if line.heard.elapsed() >= silence {
            return Err(line.error(Kind::Silent(silence)));
        }
        next = next.min(Instant::from_std(line.heard) + silence);
    }
    Ok(next)
}
