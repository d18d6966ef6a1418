//! The program as its users see it: the real binary against real servers.

mod bad_input;
mod choice;
mod healing;
mod layouts;
mod rdb;
mod resume;
mod source_reads;
mod status;
mod support;
mod sync;
mod turns;
mod values;
mod verify;
