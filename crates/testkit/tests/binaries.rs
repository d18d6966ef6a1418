//! The programs are fetched, of the pinned versions, and start.

use testkit::Binaries;

#[test]
fn the_pinned_servers_are_here() {
    let binaries = Binaries::get();
    let wanted = if binaries.source_has_tls() { "6.0." } else { "6.2." };
    assert!(binaries.redis6.version().starts_with(wanted), "{}", binaries.redis6.version());
    assert_eq!(binaries.redis7.version(), "7.4.1");
    for module in binaries.modules().unwrap() {
        assert!(module.is_file(), "{} is missing", module.display());
    }
}
