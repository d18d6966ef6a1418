//! How far a copy is: bars on a terminal, lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use engine::{LaneStatus, Progress};
use indicatif::{HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};

const REFRESH: Duration = Duration::from_millis(200);

/// How often a line is logged where there is no terminal.
const LOG_EVERY: Duration = Duration::from_secs(10);

static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Standard error for log lines: they go above the bars while there are some.
pub(crate) fn stderr_beside_bars() -> Box<dyn Write> {
    match BARS.get() {
        Some(bars) => Box::new(Above { bars: bars.clone(), line: Vec::new() }),
        None => Box::new(io::stderr()),
    }
}

struct Above {
    bars: MultiProgress,
    line: Vec<u8>,
}

impl Write for Above {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Above {
    fn drop(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let _ = self.bars.println(line.trim_end());
    }
}

/// Shows progress until it is dropped or aborted.
pub(crate) async fn show(progress: Progress, quiet: bool) {
    if quiet {
        return;
    }
    if io::stderr().is_terminal() {
        bars(progress).await;
    } else {
        lines(progress).await;
    }
}

async fn lines(progress: Progress) {
    let began = Instant::now();
    let mut before = 0;
    loop {
        tokio::time::sleep(LOG_EVERY).await;
        let lanes = progress.lanes();
        let (settled, expected, bytes) = sums(&lanes);
        let rate = (settled - before) / LOG_EVERY.as_secs();
        before = settled;
        tracing::info!(
            "{} of about {} keys, {}, {} keys/s{}",
            HumanCount(settled),
            HumanCount(expected),
            HumanBytes(bytes),
            HumanCount(rate),
            left(settled, expected, began),
        );
        for lane in lanes {
            if let Some(why) = &lane.waiting {
                tracing::info!("{}: waiting: {why}", lane.node);
            }
        }
    }
}

fn left(settled: u64, expected: u64, began: Instant) -> String {
    if settled == 0 || expected <= settled {
        return String::new();
    }
    let seconds = began.elapsed().as_secs_f64() * (expected - settled) as f64 / settled as f64;
    format!(", about {} left", HumanDuration(Duration::from_secs_f64(seconds)))
}

fn sums(lanes: &[LaneStatus]) -> (u64, u64, u64) {
    lanes.iter().fold((0, 0, 0), |(settled, expected, bytes), lane| {
        let done = lane.total.settled();
        (settled + done, expected + lane.expected.max(done), bytes + lane.total.bytes)
    })
}

async fn bars(progress: Progress) {
    let bars = BARS.get_or_init(MultiProgress::new).clone();
    let style = |template: &str| {
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ")
    };
    let node_style = style("{prefix:>24} [{bar:28}] {human_pos:>12}/{human_len} {msg}");
    let total_style = style("{prefix:>24} [{bar:28}] {human_pos:>12}/{human_len} {msg}, ETA {eta}");
    let total = bars.add(ProgressBar::new(0).with_style(total_style).with_prefix("total"));
    let mut nodes: Vec<ProgressBar> = Vec::new();
    let _cleanup = Cleanup { bars: bars.clone() };
    loop {
        let lanes = progress.lanes();
        let (settled, expected, bytes) = sums(&lanes);
        total.set_length(expected);
        total.set_position(settled);
        let rate = HumanCount(total.per_sec() as u64);
        total.set_message(format!("{rate} keys/s, {}", HumanBytes(bytes)));
        if lanes.len() > 1 {
            while nodes.len() < lanes.len() {
                let bar = ProgressBar::new(0).with_style(node_style.clone());
                nodes.push(bars.insert_before(&total, bar));
            }
        }
        for (lane, bar) in lanes.iter().zip(&nodes) {
            bar.set_prefix(if lane.db == 0 {
                lane.node.to_string()
            } else {
                format!("{} db{}", lane.node, lane.db)
            });
            bar.set_length(lane.expected.max(lane.total.settled()));
            bar.set_position(lane.total.settled());
            bar.set_message(lane.waiting.clone().unwrap_or_else(|| HumanBytes(lane.total.bytes).to_string()));
        }
        tokio::time::sleep(REFRESH).await;
    }
}

struct Cleanup {
    bars: MultiProgress,
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        let _ = self.bars.clear();
    }
}
