//! `cargo xtask bench sync`: how late changes arrive, what following costs the source, redferry and its memory.

mod load;
mod probe;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::Args;
use migration::dirty::{DirtyKeys, Settled};
use serde_json::Value;
use testkit::Server;
use testkit::server::Reply;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::machine::{Manners, own_peak_rss};
use super::statistics::Spread;
use super::table::{self, Cells, Layout};
use crate::program::{self, Build};
use load::{Load, Loading};

/// Names that are written to.
const KEYS: u64 = 1_000_000;

/// What can be chosen.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// One round of short measurements
    #[arg(long)]
    quick: bool,
    /// Wait for a quiet machine before each round
    #[arg(long)]
    patient: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Layout::Text)]
    output: Layout,
}

/// How many names are marked to see what they take.
#[derive(Debug, Clone, Copy, Args)]
pub struct Marks {
    /// Names
    keys: u64,
}

/// Who listens while clients write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    /// Nobody.
    Nobody,
    /// A connection that only reads what CLIENT TRACKING says: what hearing of changes costs at least.
    Tracking,
    /// redferry.
    Redferry,
}

/// Measures and prints the table.
///
/// # Errors
/// Something could not be built or started, a change was lost, or both sides are not equal at the end.
pub async fn run(options: &Options) -> Result<()> {
    let bench = SyncBench {
        redferry: program::build("redferry", Build::Release)?,
        xtask: program::build("xtask", Build::Release)?,
        options: options.clone(),
    };
    let mut cells = Cells::new();
    let unpipelined = bench.slowed(&mut cells, "un-pipelined", 1).await?;
    bench.slowed(&mut cells, "pipelines of 16", 16).await?;
    bench.cost(&mut cells, "un-pipelined", 1, unpipelined / 2.0).await?;
    bench.cost(&mut cells, "pipelines of 16", 16, 100_000.0).await?;
    for share in [0.25, 0.5, 0.75] {
        bench.lag(&mut cells, share, unpipelined * share).await?;
    }
    bench.flood(&mut cells).await?;
    bench.marks(&mut cells).await?;
    println!("{}", table::of(&[cells], options.output));
    Ok(())
}

struct SyncBench {
    redferry: PathBuf,
    xtask: PathBuf,
    options: Options,
}

impl SyncBench {
    fn time(&self) -> Duration {
        Duration::from_secs(if self.options.quick { 2 } else { 5 })
    }

    async fn quiet(&self) {
        let manners = if self.options.patient { Manners::Patient } else { Manners::Hurried };
        manners.wait().await;
    }

    /// Writes as fast as the source takes it, with everybody listening in turn. Returns what it takes with nobody.
    async fn slowed(&self, cells: &mut Cells, name: &str, pipeline: usize) -> Result<f64> {
        let load = Load { clients: 50, pipeline, keys: KEYS, rate: None };
        let rate = async |_: &Server, loading: Loading| {
            tokio::time::sleep(self.time()).await;
            Ok(loading.end().await?.1)
        };
        let [alone, tracked, followed] = self.beside_nobody(name, &load, rate).await?;
        cells.push((format!("{name}: writes/s, nobody listens"), format!("{:.0}", alone.median())));
        cells.push((format!("{name}: share left, a bare tracking connection"), tracked.shown()));
        cells.push((format!("{name}: share left, redferry sync"), followed.shown()));
        Ok(alone.median())
    }

    /// What a write costs the source when everybody keeps pace: what following takes from a source that has a core to
    /// itself, which no rate tells where all programs share two.
    async fn cost(&self, cells: &mut Cells, name: &str, pipeline: usize, rate: f64) -> Result<()> {
        let load = Load { clients: 50, pipeline, keys: KEYS, rate: Some(rate) };
        let name = format!("{name} at {rate:.0}/s");
        let cpu = async |source: &Server, loading: Loading| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = Spent::by(source)?;
            tokio::time::sleep(self.time()).await;
            let each = Spent::by(source)?.each_write_since(&before);
            loading.end().await?;
            Ok(each)
        };
        let [alone, tracked, followed] = self.beside_nobody(&name, &load, cpu).await?;
        cells.push((format!("{name}: source's CPU, us per write, nobody listens"), alone.shown()));
        cells.push((format!("{name}: times that, a bare tracking connection"), tracked.shown()));
        cells.push((format!("{name}: times that, redferry sync"), followed.shown()));
        Ok(())
    }

    /// A measure of the source under load with nobody listening, and with the others in parts of that in the same round.
    async fn beside_nobody(
        &self,
        name: &str,
        load: &Load,
        measure: impl AsyncFn(&Server, Loading) -> Result<f64>,
    ) -> Result<[Spread; 3]> {
        let (mut alone, mut tracked, mut followed) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..if self.options.quick { 1 } else { 5 } {
            eprintln!("bench: {name}, round {}", round + 1);
            self.quiet().await;
            for listener in [Listener::Nobody, Listener::Tracking, Listener::Redferry] {
                let (source, target) = (Server::plain6().start(), Server::plain7().start());
                let listening = self.listen(listener, &source, &target).await?;
                let measured = measure(&source, load.start(&source.access(), round)).await?;
                match listener {
                    Listener::Nobody => alone.push(measured),
                    Listener::Tracking => tracked.push(measured / alone[alone.len() - 1]),
                    Listener::Redferry => followed.push(measured / alone[alone.len() - 1]),
                }
                listening.end().await?;
            }
        }
        Ok([alone, tracked, followed].map(Spread::of))
    }

    /// Lets somebody listen.
    async fn listen(&self, listener: Listener, source: &Server, target: &Server) -> Result<Listening> {
        Ok(match listener {
            Listener::Nobody => Listening::Nobody,
            Listener::Tracking => Listening::Tracking(tokio::spawn(track(source.access().port))),
            Listener::Redferry => Listening::Redferry(Box::new(self.follow(source, target).await?)),
        })
    }

    /// How late changes arrive at a rate, and what a change costs redferry.
    async fn lag(&self, cells: &mut Cells, share: f64, rate: f64) -> Result<()> {
        let percent = share * 100.0;
        eprintln!("bench: lag at {percent:.0} % of the source's capacity");
        self.quiet().await;
        let (source, target) = (Server::plain6().start(), Server::plain7().start());
        let sync = self.follow(&source, &target).await?;
        let load = Load { clients: 50, pipeline: 1, keys: KEYS, rate: Some(rate) };
        let loading = load.start(&source.access(), 1);
        let mut lags = probe::lags(&source.access(), &target.access(), self.time() * 4).await?;
        let (_, written) = loading.end().await?;
        let report = sync.end().await?;
        lags.sort();
        let at = |part: f64| lags[((lags.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        let number = |name: &str| report[name].as_f64().with_context(|| format!("no {name} in the report"));
        let name = format!("{percent:.0} % of that");
        cells.push((format!("{name}: writes/s"), format!("{written:.0}")));
        cells.push((
            format!("{name}: lag p50 / p99 / max, ms"),
            format!("{:.1} / {:.1} / {:.1}", at(0.5), at(0.99), at(1.0)),
        ));
        cells.push((
            format!("{name}: redferry's CPU, us per change"),
            format!("{:.2}", number("cpu_ms")? * 1e3 / number("changes")?),
        ));
        Ok(())
    }

    /// 100,000 writes a second for a minute: nothing may be lost.
    async fn flood(&self, cells: &mut Cells) -> Result<()> {
        eprintln!("bench: 100,000 writes/s");
        self.quiet().await;
        let (source, target) = (Server::plain6().start(), Server::plain7().start());
        let sync = self.follow(&source, &target).await?;
        let load = Load { clients: 20, pipeline: 16, keys: KEYS, rate: Some(100_000.0) };
        let loading = load.start(&source.access(), 2);
        tokio::time::sleep(if self.options.quick { self.time() } else { Duration::from_secs(60) }).await;
        let (written, rate) = loading.end().await?;
        let drained = Instant::now();
        let report = sync.end().await?;
        let drained = drained.elapsed();
        let compared = self.verify(&source, &target).await?;
        cells.push(("100,000 writes/s: writes, per s".into(), format!("{written}, {rate:.0}")));
        cells.push(("100,000 writes/s: changes heard".into(), report["changes"].to_string()));
        cells.push((
            "100,000 writes/s: gaps besides the beginning".into(),
            program::gaps(&report).to_string(),
        ));
        cells.push((
            "100,000 writes/s: ready after the last, s".into(),
            format!("{:.1}", drained.as_secs_f64()),
        ));
        cells.push((
            "100,000 writes/s: peak memory of redferry, MB".into(),
            format!("{:.0}", report["peak_rss_bytes"].as_f64().unwrap_or(f64::NAN) / 1e6),
        ));
        cells.push(("100,000 writes/s: keys compared afterwards, none differs".into(), compared.to_string()));
        Ok(())
    }

    /// What marks of changed keys take.
    async fn marks(&self, cells: &mut Cells) -> Result<()> {
        let keys: u64 = if self.options.quick { 1_000_000 } else { 10_000_000 };
        eprintln!("bench: {keys} marks");
        let mut command = Command::new(&self.xtask);
        command.args(["bench", "marks", &keys.to_string()]).stderr(Stdio::inherit());
        let output = command.output().await.context("the program cannot be started")?;
        let report = program::report("marking", &output)?;
        let number = |name: &str| report[name].as_f64().unwrap_or(f64::NAN);
        cells.push((
            format!("{keys} marks of 16 bytes: bytes each"),
            format!("{:.0}", number("bytes_per_key")),
        ));
        cells.push((format!("{keys} marks: ns to mark / to take and settle"), {
            format!("{:.0} / {:.0}", number("mark_ns"), number("take_ns"))
        }));
        Ok(())
    }

    /// Starts redferry and waits until it follows.
    async fn follow(&self, source: &Server, target: &Server) -> Result<Following> {
        let folder = tempfile::tempdir().context("no temporary folder to run in")?;
        let mut command =
            program::redferry(&self.redferry, "sync", &source.access(), &target.access(), folder.path());
        command.args(["--until-quiet", "2s", "--output", "json", "--quiet"]);
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let child = command.spawn().context("redferry cannot be started")?;
        let begin = Instant::now();
        loop {
            source.command(&["SET", "witness", "there"]);
            tokio::time::sleep(Duration::from_millis(50)).await;
            if target.command(&["EXISTS", "witness"]) == Reply::Integer(1) {
                return Ok(Following { child, _folder: folder });
            }
            ensure!(begin.elapsed() < Duration::from_secs(20), "redferry does not follow");
        }
    }

    /// Compares both sides, and says how many keys those are; that any differs is an error.
    async fn verify(&self, source: &Server, target: &Server) -> Result<u64> {
        let folder = tempfile::tempdir().context("no temporary folder to run in")?;
        let mut command =
            program::redferry(&self.redferry, "verify", &source.access(), &target.access(), folder.path());
        command.args(["--output", "json", "--quiet"]).stderr(Stdio::inherit());
        let output = command.output().await.context("redferry cannot be started")?;
        let report = program::report("redferry verify", &output)?;
        let keys = report["keys_compared"].as_u64().filter(|keys| *keys > 0);
        keys.context("nothing was compared")
    }
}

/// Somebody who listens.
enum Listening {
    Nobody,
    Tracking(JoinHandle<Result<()>>),
    Redferry(Box<Following>),
}

impl Listening {
    async fn end(self) -> Result<()> {
        match self {
            Listening::Nobody => {}
            Listening::Tracking(task) => task.abort(),
            Listening::Redferry(sync) => drop(sync.end().await?),
        }
        Ok(())
    }
}

/// What a server has done up to now.
struct Spent {
    cpu_us: f64,
    writes: f64,
}

impl Spent {
    fn by(server: &Server) -> Result<Spent> {
        let section = |name: &str| match server.command(&["INFO", name]) {
            Reply::Bulk(Some(text)) => Ok(String::from_utf8_lossy(&text).into_owned()),
            other => Err(anyhow!("INFO {name} answered {other:?}")),
        };
        let (cpu, commands) = (section("cpu")?, section("commandstats")?);
        let number = |text: &str, begin: &str| -> Result<f64> {
            let value = text.lines().find_map(|line| line.strip_prefix(begin));
            let value =
                value.and_then(|value| value.split(',').next()).and_then(|value| value.trim().parse().ok());
            value.with_context(|| format!("INFO has no {begin}"))
        };
        let seconds = number(&cpu, "used_cpu_user:")? + number(&cpu, "used_cpu_sys:")?;
        Ok(Spent { cpu_us: seconds * 1e6, writes: number(&commands, "cmdstat_set:calls=")? })
    }

    fn each_write_since(&self, before: &Spent) -> f64 {
        (self.cpu_us - before.cpu_us) / (self.writes - before.writes)
    }
}

/// A sync that ends when nobody has written for two seconds.
struct Following {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Following {
    /// Waits for it, and returns its report.
    async fn end(self) -> Result<Value> {
        let output = self.child.wait_with_output().await.context("redferry cannot be waited for")?;
        program::report("redferry sync", &output)
    }
}

/// Reads what CLIENT TRACKING says, and does nothing with it.
async fn track(port: u16) -> Result<()> {
    use tokio::io::AsyncReadExt as _;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"HELLO 3\r\nCLIENT TRACKING ON BCAST\r\nSUBSCRIBE nothing\r\n").await?;
    let mut buffer = vec![0; 1 << 16];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// Marks names, takes and settles them, and prints what that took; in a process of its own, so that its memory can be
/// told.
///
/// # Errors
/// Not every name was kept.
pub fn marks(marks: Marks) -> Result<()> {
    let before = own_peak_rss();
    let mut dirty = DirtyKeys::new(usize::MAX);
    let begin = Instant::now();
    for number in 0..marks.keys {
        ensure!(dirty.mark(number, 0, format!("key:{number:012}").as_bytes()), "a mark found no room");
    }
    let marked = begin.elapsed();
    let bytes = own_peak_rss().saturating_sub(before);
    let begin = Instant::now();
    loop {
        let taken = dirty.take(marks.keys, 1_000);
        if taken.is_empty() {
            break;
        }
        for one in taken {
            dirty.settle(marks.keys, one.ticket, Settled::Synced { cost_us: 1 });
        }
    }
    let settled = begin.elapsed();
    ensure!(dirty.is_empty(), "marks are left");
    let each = |time: Duration| time.as_nanos() as f64 / marks.keys as f64;
    let report = serde_json::json!({
        "bytes_per_key": bytes as f64 / marks.keys as f64,
        "mark_ns": each(marked),
        "take_ns": each(settled),
    });
    println!("{report}");
    Ok(())
}
