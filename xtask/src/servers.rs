//! `cargo xtask servers`: fetch the Redis servers that the tests run, ahead of the first test.

use testkit::Binaries;

/// Fetches what is missing and prints what there is.
///
/// # Errors
/// When a server is neither here nor to be had; the error says what is missing.
pub fn fetch() -> anyhow::Result<()> {
    let binaries = Binaries::fetch()?;
    let tls = if binaries.source_has_tls() {
        "with TLS"
    } else {
        "without TLS: TLS tests of the source are skipped"
    };
    println!("Redis {} {tls}: {}", binaries.redis6.version(), binaries.redis6.path().display());
    println!("Redis {}: {}", binaries.redis7.version(), binaries.redis7.path().display());
    for module in binaries.modules()? {
        println!("  module {}", module.display());
    }
    Ok(())
}
