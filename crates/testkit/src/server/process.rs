//! A server's operating-system process: started so that it cannot outlive the tests, stopped by its id.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::Binaries;
use crate::binaries::Program;

/// Clock ticks per second in `/proc` (proc_pid_stat(5)); Linux fixes it at 100 for user space.
const TICKS_PER_SECOND: u64 = 100;

/// Starts `redis-server CONFIG` in `folder`, with both its outputs appended to `log`.
pub(super) fn spawn(
    program: &Program,
    config: &Path,
    folder: &Path,
    log: File,
    clock_ahead_seconds: i64,
) -> io::Result<Child> {
    let mut command = guarded();
    // Only the server may see the old libraries, not the guard in front of it.
    if let Some(libraries) = program.libraries() {
        let mut variable = OsString::from("LD_LIBRARY_PATH=");
        variable.push(libraries);
        command.arg(variable);
    }
    if clock_ahead_seconds != 0 {
        let shifter = Binaries::get().clock_shifter();
        let shifter = shifter.ok_or_else(|| io::Error::other("no libfaketime on this machine"))?;
        command.arg(format!("LD_PRELOAD={}", shifter.display()));
        // The monotonic clock stays true, or every time-out would be another one.
        command.arg(format!("FAKETIME={clock_ahead_seconds:+}s")).arg("DONT_FAKE_MONOTONIC=1");
    }
    command.arg(program.path()).arg(config);
    spawn_guarded(command, folder, log)
}

/// The same for any other program that serves tests.
pub(crate) fn spawn_other(words: &[OsString], folder: &Path, log: File) -> io::Result<Child> {
    let mut command = guarded();
    command.args(words);
    spawn_guarded(command, folder, log)
}

fn spawn_guarded(mut command: Command, folder: &Path, log: File) -> io::Result<Child> {
    command.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    spawn_from_lasting_thread(command)
}

/// `env`, behind `setpriv` where there is one: the kernel then kills the server when its parent is gone, even
/// if that was killed itself and could clean up nothing. Both replace themselves, so the process id stays.
fn guarded() -> Command {
    static HAS_SETPRIV: OnceLock<bool> = OnceLock::new();
    let has_setpriv = *HAS_SETPRIV.get_or_init(|| {
        let tried = Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).output();
        let works = tried.is_ok_and(|output| output.status.success());
        if !works {
            eprintln!("testkit: no setpriv here: servers stay behind if a test run is killed");
        }
        works
    });
    if !has_setpriv {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "env"]);
    command
}

type Job = (Command, Sender<io::Result<Child>>);

/// The death signal is sent when the *thread* that started the process ends (prctl(2)). Threads of tests and
/// of Tokio's blocking pool end while their servers are still in use, so one thread that never ends starts all.
fn spawn_from_lasting_thread(command: Command) -> io::Result<Child> {
    static STARTER: OnceLock<Mutex<Sender<Job>>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, inbox) = channel::<Job>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                // The asker waits for the answer; if it is gone, so is the need for the server.
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(jobs)
    });
    let (answer, started) = channel();
    let gone = |_| io::Error::other("the thread that starts servers is gone");
    let sent = starter.lock().unwrap_or_else(PoisonError::into_inner).send((command, answer));
    sent.map_err(|_| io::Error::other("the thread that starts servers is gone"))?;
    started.recv().map_err(gone)?
}

/// Sends a signal by name through the `kill` program.
pub(super) fn signal(pid: u32, name: &str) -> io::Result<()> {
    let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill -{name} {pid} failed"))) }
}

/// User and system time that a process has used, to 10 ms. `None` when there is no such process.
pub(super) fn cpu_time(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; the third field follows the last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let (user, system) = (ticks(11)?, ticks(12)?);
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

/// Resident memory of a process in bytes. `None` when there is no such process.
pub(super) fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
