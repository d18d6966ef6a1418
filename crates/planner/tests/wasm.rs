//! The crate builds for a target that has no files, no sockets and no clock to reach for.

use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

#[test]
fn builds_for_the_web() {
    let run = |program: &str, args: &[&str]| {
        Command::new(program).current_dir(env!("CARGO_MANIFEST_DIR")).args(args).output().unwrap()
    };
    // The compiler's own answer, since not every machine has rustup.
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let libraries = run(&rustc, &["--print", "target-libdir", "--target", TARGET]);
    let folder = String::from_utf8_lossy(&libraries.stdout).trim().to_owned();
    if !libraries.status.success() || !std::path::Path::new(&folder).is_dir() {
        eprintln!("SKIPPED: the target {TARGET} is not installed; `rustup target add {TARGET}` brings it");
        return;
    }
    let built = run(env!("CARGO"), &["build", "--offline", "-p", "planner", "--target", TARGET]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}
