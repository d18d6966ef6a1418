//! What this process has used, as the operating system counts it.

use nix::sys::resource::{UsageWho, getrusage};

/// CPU time and memory of this process so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// User and system time, milliseconds.
    pub(crate) cpu_ms: u64,
    /// Largest resident set, bytes.
    pub(crate) peak_rss_bytes: u64,
}

/// Asks the operating system.
pub(crate) fn now() -> Usage {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Usage::default() };
    let ms = |time: nix::sys::time::TimeVal| {
        u64::try_from(time.tv_sec() * 1000 + time.tv_usec() / 1000).unwrap_or(0)
    };
    // getrusage's ru_maxrss outlives exec: it would tell of the program that started this one if that was larger.
    let peak_kib = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| peak_kib(&status));
    // Linux counts ru_maxrss in KiB (getrusage(2)).
    let peak_kib = peak_kib.unwrap_or_else(|| u64::try_from(usage.max_rss()).unwrap_or(0));
    Usage { cpu_ms: ms(usage.user_time()) + ms(usage.system_time()), peak_rss_bytes: peak_kib * 1024 }
}

/// `VmHWM` of /proc/self/status (proc_pid_status(5)), KiB.
fn peak_kib(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::peak_kib;

    #[test]
    fn the_peak_is_read_from_the_kernels_table() {
        assert_eq!(peak_kib("VmPeak:\t  999 kB\nVmHWM:\t    7912 kB\nVmRSS:\t 100 kB\n"), Some(7912));
        assert_eq!(peak_kib("VmRSS:\t 100 kB\n"), None);
    }
}
