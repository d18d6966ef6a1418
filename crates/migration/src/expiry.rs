//! Time to live across two clocks.
//!
//! A key expires at one instant. The source tells it as what is left on its clock, the target wants it
//! as a moment on its own (RESTORE ... ABSTTL, PEXPIREAT). Both clocks are tied to redferry's monotonic
//! clock by TIME, each with an error that is known and carried along.

mod clock;
mod deadline;

pub use clock::{Clock, ClockSample, drifted};
pub use deadline::{Deadline, deadline_from_local_ms, deadline_on_target_ms};

#[cfg(test)]
mod tests;
