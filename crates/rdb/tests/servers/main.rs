//! Payloads and files against real servers of many versions: what they take, and what they say is in it then.
//!
//! Values are random; a failing test prints the seed, which `REDFERRY_SEED` sets.

mod files;
mod fixtures;
mod fleet;
mod matrix;
mod payloads;
mod typed;
mod values;

use std::time::{SystemTime, UNIX_EPOCH};

/// A seed for this run; it is shown when the test fails.
fn seed() -> u64 {
    let given = std::env::var("REDFERRY_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_millis() as u64)
    });
    println!("REDFERRY_SEED={seed}");
    seed
}
