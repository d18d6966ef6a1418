//! Redis' own parser, of the crate `librdb`.

use std::hint::black_box;
use std::path::Path;

use anyhow::{Context as _, Result};
use librdb::{KeyInfo, Parser, RdbHandlers};

use super::pass::Written;

struct Count(Written);

impl Count {
    fn element(&mut self, text: &[u8]) {
        self.0.elements += 1;
        self.0.text_bytes += black_box(text).len() as u64;
    }
}

impl RdbHandlers for Count {
    fn handle_new_key(&mut self, key: &[u8], info: &KeyInfo) -> librdb::Result<()> {
        black_box((key, info));
        self.0.keys += 1;
        Ok(())
    }

    fn handle_string_value(&mut self, value: &[u8]) -> librdb::Result<()> {
        self.0.text_bytes += black_box(value).len() as u64;
        Ok(())
    }

    fn handle_list_item(&mut self, item: &[u8]) -> librdb::Result<()> {
        self.element(item);
        Ok(())
    }

    fn handle_hash_field(&mut self, field: &[u8], value: &[u8], _expire_at: i64) -> librdb::Result<()> {
        self.element(field);
        self.0.text_bytes += black_box(value).len() as u64;
        Ok(())
    }

    fn handle_set_member(&mut self, member: &[u8]) -> librdb::Result<()> {
        self.element(member);
        Ok(())
    }

    fn handle_zset_member(&mut self, member: &[u8], score: f64) -> librdb::Result<()> {
        black_box(score);
        self.element(member);
        Ok(())
    }
}

/// Reads a file, with its checksum.
///
/// # Errors
/// It cannot be opened or is damaged.
pub fn read(file: &Path) -> Result<Written> {
    let bytes = file.metadata().with_context(|| file.display().to_string())?.len();
    let mut parser = Parser::new(Count(Written { bytes, ..Written::default() }))?;
    parser.parse_file(file).context("librdb")?;
    Ok(parser.into_handler().0)
}
