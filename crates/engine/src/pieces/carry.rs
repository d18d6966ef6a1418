//! The loop that moves pieces: the next one is read while the last one is written.

use std::time::Duration;

use resp::Value;

use super::PiecesEnd;
use super::attempt::Job;
use super::early::{Early, Step};
use super::reader::Reader;
use super::size::{Measure, PieceSize};
use super::writer::Writer;
use crate::run::Run;

/// Pieces that may be on their way to the target without an acknowledgement.
pub(super) const MAX_DUE: usize = 4;

/// One type's way to read and write its pieces.
pub(super) trait Pages {
    /// Queues the requests for the next page of about `count` elements. Returns how many replies they have;
    /// 0 when there is nothing more to ask.
    fn ask(&mut self, reader: &mut Reader, count: u32) -> usize;

    /// Takes the page in.
    fn receive(&mut self, replies: Vec<Value>) -> Result<Measure, Unfit>;

    /// Queues the writes for what was received.
    fn write(&mut self, writer: &mut Writer);
}

/// A page that cannot be used.
#[derive(Debug)]
pub(super) enum Unfit {
    /// It can only be so because the key changed.
    Changed,
    /// The answer to this command is not what any Redis answers.
    Odd(&'static str),
}

/// Moves all pages.
pub(super) async fn carry(job: &mut Job<'_>, pages: &mut impl Pages, size: &mut PieceSize) -> Step<()> {
    let mut due = pages.ask(&mut job.lines.reader, size.count());
    let mut replies = job.lines.reader.collect(due).await?;
    while due > 0 {
        let measure = pages.receive(replies).map_err(|unfit| match unfit {
            Unfit::Changed => Early::Changed,
            Unfit::Odd(command) => job.lines.reader.odd(command),
        })?;
        size.saw(measure);
        job.bytes += measure.bytes;
        hold_back(job.run, measure.bytes).await?;
        due = pages.ask(&mut job.lines.reader, size.count());
        pages.write(&mut job.lines.writer);
        (replies, ()) = tokio::try_join!(job.lines.reader.collect(due), job.lines.writer.settle(MAX_DUE))?;
    }
    Ok(())
}

/// Books what was read, and waits while the run reads more than it may or the source is slow.
pub(super) async fn hold_back(run: &Run, bytes: u64) -> Step<()> {
    run.throttle().charge(run.now_us(), 0, bytes);
    let pause_us = run.guard().pause_us();
    if pause_us > 0 {
        tokio::time::sleep(Duration::from_micros(pause_us)).await;
    }
    loop {
        if run.stop.is_asked() {
            return Err(Early::End(PiecesEnd::Stopped));
        }
        let wait_us = run.throttle().try_take(run.now_us(), 0, 0);
        let Some(wait_us) = wait_us else { return Ok(()) };
        tokio::time::sleep(Duration::from_micros(wait_us.min(100_000))).await;
    }
}
