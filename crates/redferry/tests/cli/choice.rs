//! What the user chooses: keys, names, databases, conflicts, emptying the target, speed.

mod conflict;
mod databases;
mod filters;
mod flush;
mod speed;
