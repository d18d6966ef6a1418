//! Reads key state on the source and makes the target equal.
