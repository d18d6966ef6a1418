//! Real servers, a faulty relay, data sets and an independent comparison, for tests.

pub mod access;
pub use access::Access;
