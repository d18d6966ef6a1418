//! Redis commands: the generated table, the positions of keys in a command, hash slots and hash tags.
//!
//! - [`lookup`] and [`find`] give a [`Command`]: its flags, arity and categories, and which servers know it.
//! - [`keys`] and [`Command::keys`] say which arguments are keys and which of those are written. What cannot be
//!   known is an error and never guessed.
//! - [`slot`] and [`tag_for_slot`] are Redis Cluster's hashing, and back.

mod bits;
mod command;
mod keys;
mod parse;
mod slot;
#[rustfmt::skip]
mod table;

pub use bits::{Access, Categories, Flags};
pub use command::{Command, find, lookup, table};
pub use keys::{KeyPosition, Keys, KeysError, keys};
pub use slot::{SLOTS, hash_tag, slot, tag_for_slot};
