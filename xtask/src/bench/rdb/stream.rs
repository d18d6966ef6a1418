//! A stream larger than memory: it must pass through in the same few megabytes whatever its size.

use anyhow::{Result, ensure};

use super::pass::Level;
use super::reading::Reading;
use crate::bench::table::{self, Cells, Layout};

/// What a process may hold at its peak, the program itself included.
const MEMORY: u64 = 64 << 20;

/// Passes the stream through each level and prints what that took.
///
/// # Errors
/// Something else was read than was generated, or a process held too much.
pub async fn run(reading: &Reading, size: u64, layout: Layout) -> Result<()> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let mut cells: Cells = vec![("stream, GiB".to_owned(), format!("{:.2}", mib(size) / 1024.0))];
    let mut most = 0;
    for level in [Level::Bytes, Level::Raw, Level::Decoded] {
        eprintln!("bench: stream of {:.0} MiB: {}", mib(size), level.name());
        let read = reading.stream(level, size).await?;
        most = most.max(read.peak_rss);
        let name = if level == Level::Bytes { "generated only" } else { level.name() };
        if level != Level::Bytes {
            cells.push((format!("{name}: keys"), read.keys.to_string()));
        }
        cells.push((format!("{name}: GB/s"), format!("{:.2}", read.speed())));
        cells.push((format!("{name}: peak RSS, MiB"), format!("{:.1}", mib(read.peak_rss))));
    }
    println!("{}", table::of(&[cells], layout));
    ensure!(most <= MEMORY, "{:.1} MiB were held, more than {:.0}", mib(most), mib(MEMORY));
    Ok(())
}
