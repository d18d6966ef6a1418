//! Protection of the source: how much may be read, and how fast.

mod latency;
mod throttle;

pub use latency::LatencyGuard;
pub use throttle::Throttle;
