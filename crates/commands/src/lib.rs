//! Redis commands: the generated table, hash slots and hash tags.
