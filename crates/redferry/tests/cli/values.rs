//! What the keys hold: big values, times to live, modules, targets that do not take every payload, and keys
//! that change while they are copied.

mod big;
mod changing;
mod other_servers;
mod time_to_live;
mod use_counts;
