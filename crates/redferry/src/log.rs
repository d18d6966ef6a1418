//! Messages on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging: warnings and what the user asked for beyond them; `REDFERRY_LOG` overrides.
pub(crate) fn start(verbose: u8, quiet: bool) {
    let level = match (quiet, verbose) {
        (true, _) => "warn",
        (false, 0) => "info",
        (false, 1) => "debug",
        (false, _) => "trace",
    };
    let ours =
        ["redferry", "engine", "verify", "client", "blob"].map(|name| format!("{name}={level}")).join(",");
    let filter =
        EnvFilter::try_from_env("REDFERRY_LOG").unwrap_or_else(|_| EnvFilter::new(format!("warn,{ours}")));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(crate::progress::stderr_beside_bars)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
