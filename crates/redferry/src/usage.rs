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

/// Asks the operating system (getrusage).
pub(crate) fn now() -> Usage {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Usage::default() };
    let ms = |time: nix::sys::time::TimeVal| {
        u64::try_from(time.tv_sec() * 1000 + time.tv_usec() / 1000).unwrap_or(0)
    };
    // Linux counts ru_maxrss in KiB (getrusage(2)).
    let peak_rss_bytes = u64::try_from(usage.max_rss()).unwrap_or(0) * 1024;
    Usage { cpu_ms: ms(usage.user_time()) + ms(usage.system_time()), peak_rss_bytes }
}
