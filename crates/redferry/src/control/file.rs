//! The file beside the state of a sync that says where it answers and how to ask. Who can read it can ask.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use client::secret::Secret;
use serde::{Deserialize, Serialize};

use super::{Control, ControlError};

const FORMAT: u32 = 1;

/// What is behind the name of the state file.
pub(super) const ENDING: &str = ".control";

/// Its content. No `Debug`, because of the token.
#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    address: SocketAddr,
    token: String,
    pid: u32,
}

/// Its place, beside a state file.
pub(crate) fn beside(state: &Path) -> PathBuf {
    let mut name = OsString::from(state);
    name.push(ENDING);
    name.into()
}

/// The file, as long as the sync runs.
#[derive(Debug)]
pub(crate) struct Announced {
    file: PathBuf,
}

impl Announced {
    /// Writes it, in place of one that an earlier process left behind: whoever holds the lock of the state file is
    /// the only one who may.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(file: &Path, address: SocketAddr, token: &Secret) -> Result<Announced, ControlError> {
        let unwritable = |source| ControlError::Unwritable { file: file.to_owned(), source };
        let content =
            Content { format: FORMAT, address, token: token.expose().to_owned(), pid: std::process::id() };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Temporary files are made with mode 0600, so that nobody else can open it at any time.
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        serde_json::to_writer(&mut new, &content).map_err(|error| unwritable(error.into()))?;
        new.write_all(b"\n").map_err(unwritable)?;
        new.persist(file).map_err(|error| unwritable(error.error))?;
        Ok(Announced { file: file.to_owned() })
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

impl Control {
    /// Reads it.
    ///
    /// # Errors
    /// There is none, it may not be read, or it is something else.
    pub(super) fn read(file: PathBuf) -> Result<Control, ControlError> {
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(ControlError::NoSuchFile(file)),
            Err(source) => return Err(ControlError::Unreadable { file, source }),
        };
        match serde_json::from_slice::<Content>(&text) {
            Ok(content) if content.format == FORMAT => Ok(Control {
                file,
                address: content.address,
                token: Secret::new(content.token),
                process: content.pid,
            }),
            Ok(content) => {
                let why = format!("it has format {}, and {FORMAT} is expected", content.format);
                Err(ControlError::Damaged { file, why })
            }
            // The error may quote what it does not like, so only its place is told.
            Err(error) => {
                let why = format!("line {}, column {} is not as expected", error.line(), error.column());
                Err(ControlError::Damaged { file, why })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_old_file_is_replaced_and_only_its_owner_may_read_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = beside(&folder.path().join("sync.state.json"));
        std::fs::write(&file, "{}").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let address: SocketAddr = "127.0.0.1:7".parse().unwrap();
        let announced = Announced::write(&file, address, &Secret::new("sesame")).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let control = Control::read(file.clone()).unwrap();
        assert_eq!((control.address, control.token.expose()), (address, "sesame"));
        assert!(!format!("{control:?}").contains("sesame"));
        drop(announced);
        assert!(matches!(Control::read(file), Err(ControlError::NoSuchFile(_))));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_its_token() {
        let folder = tempfile::tempdir().unwrap();
        for text in [
            r#"{"format":2,"address":"127.0.0.1:7","token":"sesame","pid":1}"#,
            r#"{"format":1,"address":"127.0.0.1:7","token":"sesame"}"#,
            r#"{"format":1,"address":"sesame","token":"sesame","pid":1}"#,
            r#"{"format":1,"tok"#,
        ] {
            let file = folder.path().join("damaged.control");
            std::fs::write(&file, text).unwrap();
            let error = Control::read(file).unwrap_err();
            assert!(matches!(error, ControlError::Damaged { .. }), "{error}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }
}
