//! The decisions of a migration, without clock, socket or value bytes.
//!
//! Everything here is a function of its arguments: time comes in as microseconds, facts come in as
//! lines, and what to do comes out. That is what lets the simulation replay a failing run from its seed.

pub mod conflict;
pub mod dirty;
pub mod expiry;
pub mod follow;
pub mod naming;
pub mod pace;
pub mod pages;
pub mod recent;
pub mod selection;
pub mod sequence;
pub mod tally;
