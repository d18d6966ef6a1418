//! Texts that are read whole, from a file or standard input, and no larger than they can be.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The whole of a file as text.
///
/// # Errors
/// It cannot be read, is larger than `largest` bytes, or is no text; in words that stand behind its name.
pub(crate) fn of_file(file: &Path, largest: u64) -> Result<String, String> {
    whole(File::open(file).map_err(|error| error.to_string())?, largest)
}

/// The same of standard input.
pub(crate) fn of_stdin(largest: u64) -> Result<String, String> {
    whole(io::stdin().lock(), largest)
}

fn whole(reader: impl Read, largest: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    reader.take(largest + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > largest {
        return Err(format!("it is larger than {} MiB", largest >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text; save it as UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn only_whole_texts_are_read() {
        let most = vec![b'x'; 1 << 20];
        assert_eq!(whole(&most[..], 1 << 20).map(|text| text.len()), Ok(1 << 20));
        let more = vec![b'x'; (1 << 20) + 1];
        assert_eq!(whole(&more[..], 1 << 20), Err("it is larger than 1 MiB".to_owned()));
        assert!(whole(&b"caf\xe9"[..], 1 << 20).is_err_and(|error| error.contains("UTF-8")));
    }
}
