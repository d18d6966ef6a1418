//! How far a run is: bars on a terminal, lines elsewhere.

mod following;
mod pace;

use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use client::Node;
use indicatif::{HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressStyle};

use crate::forecast;
pub(crate) use following::Following;
use pace::{Pace, WINDOW};

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

/// Something that goes on, lane by lane.
pub(crate) trait Watched: Send {
    /// Each lane as it is now.
    fn rows(&self) -> Vec<Row>;

    /// What is said of all lanes together, behind the number of keys.
    fn remark(&self) -> Option<String>;

    /// Whether it is over when all keys are done, so that it can be said when.
    fn ends(&self) -> bool {
        true
    }
}

/// One node and database.
pub(crate) struct Row {
    name: String,
    done: u64,
    expected: u64,
    /// What is said beside the keys.
    remark: String,
    /// Why nothing moves, where that is so.
    waiting: Option<String>,
}

impl Watched for engine::Progress {
    fn rows(&self) -> Vec<Row> {
        let row = |lane: engine::LaneStatus| Row {
            name: place(&lane.node, lane.db),
            done: lane.total.settled(),
            expected: lane.expected,
            remark: HumanBytes(lane.total.bytes).to_string(),
            waiting: lane.waiting,
        };
        self.lanes().into_iter().map(row).collect()
    }

    fn remark(&self) -> Option<String> {
        let bytes = self.lanes().iter().map(|lane| lane.total.bytes).sum();
        Some(HumanBytes(bytes).to_string())
    }
}

impl Watched for engine::import::ImportProgress {
    fn rows(&self) -> Vec<Row> {
        let status = self.status();
        vec![Row {
            name: status.file,
            done: status.total.settled(),
            expected: status.expected,
            remark: HumanBytes(status.total.bytes).to_string(),
            waiting: status.waiting,
        }]
    }

    fn remark(&self) -> Option<String> {
        let status = self.status();
        Some(format!("{}, {}", HumanBytes(status.total.bytes), status.file))
    }
}

impl Watched for verify::Progress {
    fn rows(&self) -> Vec<Row> {
        let row = |lane: verify::LaneStatus| Row {
            name: format!("{} {}", lane.side, place(&lane.node, lane.db)),
            done: lane.keys,
            expected: lane.expected,
            remark: String::new(),
            waiting: lane.waiting,
        };
        self.lanes().into_iter().map(row).collect()
    }

    fn remark(&self) -> Option<String> {
        match self.suspects() {
            0 => None,
            1 => Some("1 key seems to differ and is looked at again".to_owned()),
            more => Some(format!("{} keys seem to differ and are looked at again", HumanCount(more))),
        }
    }
}

fn place(node: &Node, db: u32) -> String {
    if db == 0 { node.to_string() } else { format!("{node} db{db}") }
}

/// Waits for work and shows meanwhile how far it is.
pub(crate) async fn beside<T>(
    watched: impl Watched + 'static,
    quiet: bool,
    work: impl Future<Output = T>,
) -> T {
    let shown = tokio::spawn(show(watched, quiet));
    let ended = work.await;
    shown.abort();
    // The bars are cleared before anything else is said.
    let _ = shown.await;
    ended
}

async fn show(progress: impl Watched, quiet: bool) {
    if quiet {
        return;
    }
    if io::stderr().is_terminal() {
        bars(progress).await;
    } else {
        lines(progress).await;
    }
}

async fn lines(progress: impl Watched) {
    let began = Instant::now();
    let mut before = 0;
    loop {
        tokio::time::sleep(LOG_EVERY).await;
        let rows = progress.rows();
        let (done, expected) = sums(&rows);
        let rate = done.saturating_sub(before) / LOG_EVERY.as_secs();
        before = done;
        let left = forecast::until(done, expected, done, began.elapsed()).filter(|_| progress.ends());
        tracing::info!(
            "{} of about {} keys, {}{} keys/s{}",
            HumanCount(done),
            HumanCount(expected),
            progress.remark().map(|remark| remark + ", ").unwrap_or_default(),
            HumanCount(rate),
            left.map(|left| format!(", about {} left", HumanDuration(left))).unwrap_or_default(),
        );
        for row in rows {
            if let Some(why) = &row.waiting {
                tracing::info!("{}: waiting: {why}", row.name);
            }
        }
    }
}

fn sums(rows: &[Row]) -> (u64, u64) {
    rows.iter().fold((0, 0), |(done, expected), row| (done + row.done, expected + row.expected.max(row.done)))
}

async fn bars(progress: impl Watched) {
    let bars = BARS.get_or_init(MultiProgress::new).clone();
    let style = |template: &str| {
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ")
    };
    let node_style = style("{prefix:>24} [{bar:28}] {human_pos:>12}/{human_len} {msg}");
    let total_style = match progress.ends() {
        true => style("{prefix:>24} [{bar:28}] {human_pos:>12}/{human_len} {msg}, ETA {eta}"),
        false => node_style.clone(),
    };
    let total = bars.add(ProgressBar::new(0).with_style(total_style).with_prefix("total"));
    let mut nodes: Vec<ProgressBar> = Vec::new();
    // What is done already was not done now, after a resumption.
    let mut pace = Pace::from(sums(&progress.rows()).0);
    let _cleanup = Cleanup { bars: bars.clone() };
    loop {
        let rows = progress.rows();
        let (done, expected) = sums(&rows);
        total.set_length(expected);
        total.set_position(done);
        let (grown, over) = pace.grown(done, WINDOW);
        let rate = HumanCount(forecast::per_second(grown, over));
        total.set_message(match progress.remark() {
            Some(remark) => format!("{rate} keys/s, {remark}"),
            None => format!("{rate} keys/s"),
        });
        if rows.len() > 1 {
            while nodes.len() < rows.len() {
                let bar = ProgressBar::new(0).with_style(node_style.clone());
                nodes.push(bars.insert_before(&total, bar));
            }
        }
        for (row, bar) in rows.into_iter().zip(&nodes) {
            bar.set_prefix(row.name);
            bar.set_length(row.expected.max(row.done));
            bar.set_position(row.done);
            bar.set_message(row.waiting.unwrap_or(row.remark));
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
