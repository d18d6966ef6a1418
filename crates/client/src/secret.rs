//! Passwords and tokens: where they come from, and the type that keeps them out of every log and error.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Largest password file in bytes. An Entra token is 2 to 4 KB; more than this is the wrong file.
const MAX_FILE: u64 = 64 * 1024;

/// A password or token. `Debug` and `Display` print `***`; only [`Secret::expose`] gives the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps text that is already at hand.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it to a server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reads the environment variable `name`. Unset, empty and non-UTF-8 are errors.
    pub fn from_env(name: &str) -> Result<Self, SecretError> {
        let value = std::env::var_os(name).ok_or_else(|| SecretError::NotSet(name.to_owned()))?;
        let text =
            value.into_string().map_err(|_| SecretError::NotText(Origin::Variable(name.to_owned())))?;
        Self::non_empty(text, || Origin::Variable(name.to_owned()))
    }

    /// Reads a file of at most 64 KiB and cuts one line end off its end. Empty and non-UTF-8 are errors that
    /// name the file and nothing of its content.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        let origin = || Origin::File(path.to_owned());
        let bytes =
            read_bounded(path).map_err(|source| SecretError::Unreadable { path: path.to_owned(), source })?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(SecretError::TooLong(path.to_owned()));
        }
        let mut text = String::from_utf8(bytes).map_err(|_| SecretError::NotText(origin()))?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Self::non_empty(text, origin)
    }

    /// Asks on the terminal without echo. An error when there is no terminal, or the answer is empty.
    pub fn prompt(question: &str) -> Result<Self, SecretError> {
        let text = rpassword::prompt_password(question).map_err(SecretError::NoTerminal)?;
        Self::non_empty(text, || Origin::Prompt)
    }

    fn non_empty(text: String, origin: impl FnOnce() -> Origin) -> Result<Self, SecretError> {
        if text.is_empty() { Err(SecretError::Empty(origin())) } else { Ok(Self(text)) }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Reads up to one byte more than [`MAX_FILE`], so that the caller sees when there is more.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where a secret was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable of this name.
    Variable(String),
    /// A file.
    File(PathBuf),
    /// The terminal.
    Prompt,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::File(path) => write!(f, "the password file {}", path.display()),
            Self::Prompt => f.write_str("the answer to the password prompt"),
        }
    }
}

/// Why there is no password. Never carries any part of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable does not exist.
    #[error("the environment variable {0} is not set; export it, or give the password in a file")]
    NotSet(String),
    /// The file cannot be opened or read.
    #[error("the password file {} cannot be read; check the path and its permissions", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is larger than any password or token.
    #[error("the password file {} is longer than 64 KiB; it should hold the password and nothing else", .0.display())]
    TooLong(PathBuf),
    /// The bytes are not UTF-8.
    #[error("{0} is not UTF-8 text; it should hold the password and nothing else")]
    NotText(Origin),
    /// There is nothing in it.
    #[error("{0} is empty; leave the password option away to connect without one")]
    Empty(Origin),
    /// Nobody can be asked.
    #[error(
        "the password cannot be asked for, there is no terminal; give it in an environment variable or a file"
    )]
    NoTerminal(#[source] io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    #[test]
    fn printing_shows_stars_only() {
        let secret = Secret::new("hunter2hunter2");
        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "*** *** ***");
        assert_eq!(secret.expose(), "hunter2hunter2");
    }

    #[test]
    fn one_line_end_is_cut_and_nothing_else() {
        for (content, expected) in [
            (&b"abc="[..], "abc="),
            (b"abc=\n", "abc="),
            (b"abc=\r\n", "abc="),
            (b" abc \n\n", " abc \n"),
            (b"abc\r", "abc\r"),
        ] {
            assert_eq!(Secret::from_file(file(content).path()).unwrap().expose(), expected);
        }
    }

    #[test]
    fn errors_name_the_file_and_not_the_content() {
        let long = vec![b'x'; MAX_FILE as usize + 1];
        for content in [&b""[..], b"\n", b"sesame\xff", &long] {
            let file = file(content);
            let error = Secret::from_file(file.path()).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(file.path().to_str().unwrap()), "{text}");
            assert!(!text.contains("sesame") && !text.contains("xxxx"), "{text}");
        }
        let error = Secret::from_file("does/not/exist").unwrap_err();
        assert!(
            matches!(error, SecretError::Unreadable { .. }) && error.to_string().contains("does/not/exist")
        );
    }

    #[test]
    fn the_longest_file_is_read() {
        let content = vec![b'x'; MAX_FILE as usize];
        assert_eq!(Secret::from_file(file(&content).path()).unwrap().expose().len(), content.len());
    }

    #[test]
    fn environment_variables() {
        // Cargo sets this one for every test.
        assert_eq!(Secret::from_env("CARGO_PKG_NAME").unwrap().expose(), "client");
        let error = Secret::from_env("REDFERRY_NOT_SET").unwrap_err();
        assert!(matches!(&error, SecretError::NotSet(name) if name == "REDFERRY_NOT_SET"), "{error}");
    }
}
