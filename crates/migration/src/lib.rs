//! The decisions of a migration, without clock, socket or value bytes.
