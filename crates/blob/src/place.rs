//! Where bytes are: a local file, or a blob.
//!
//! | Text | Means |
//! |---|---|
//! | `dump.rdb`, `./x`, `/abs` | a local file |
//! | `az://account/container/path` | a blob; the cloud is Azure's public one, unless the environment names an endpoint |
//! | `https://account.blob.core.windows.net/container/path[?SAS]` | a blob, of any Azure cloud |
//! | `http://127.0.0.1:PORT/account/container/path[?SAS]` | a blob of an emulator; also `https://` and `localhost` |

pub(crate) mod percent;
mod sas;
mod url;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

pub(crate) use sas::{Purpose, Sas};
pub(crate) use url::is_this_machine;

/// A local file or a blob. `Display` gives text that parses back to the same place, without the SAS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file of this machine.
    File(PathBuf),
    /// A blob of an Azure storage account.
    Blob(BlobPlace),
}

/// A blob's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobPlace {
    pub(crate) account: String,
    pub(crate) container: String,
    /// The blob's name, not encoded, without a slash in front.
    pub(crate) path: String,
    pub(crate) endpoint: Option<Endpoint>,
    pub(crate) sas: Option<Sas>,
}

/// The root of an account's blob service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) tls: bool,
    /// Host name in lower case, with its port if there is one.
    pub(crate) host: String,
    /// Whether the account is the first part of the path, as with the emulator, and not of the host's name.
    pub(crate) account_in_path: bool,
}

impl Place {
    /// Reads any of the accepted forms. An error repeats no part of the text, since a mistyped address may hold its
    /// signature anywhere.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        if text.is_empty() {
            return Err(PlaceError("it is empty"));
        }
        if text == "-" {
            return Err(PlaceError(
                "standard input and output are not supported, since a broken stream could not be resumed; \
                 name a file",
            ));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return url::parse(scheme, rest).map(Self::Blob);
        }
        // A URL that lost its scheme would otherwise be shown as a path, signature and all.
        let lower = text.to_ascii_lowercase();
        if lower.contains("sig=") && lower.contains('?') || lower.contains(".blob.core.") {
            return Err(PlaceError("it looks like a blob's URL without https:// in front"));
        }
        if text.ends_with('/') {
            return Err(PlaceError("it is a folder; name a file"));
        }
        Ok(Self::File(PathBuf::from(text)))
    }

    /// Whether it is a blob.
    pub fn is_blob(&self) -> bool {
        matches!(self, Self::Blob(_))
    }

    /// Whether the last part of its name ends in `.gz`. Reading does not depend on it.
    pub fn names_gzip(&self) -> bool {
        let name = match self {
            Self::File(path) => path.as_os_str().to_string_lossy().into_owned(),
            Self::Blob(blob) => blob.path.clone(),
        };
        name.to_ascii_lowercase().ends_with(".gz")
    }
}

impl BlobPlace {
    /// The storage account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The container.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The blob's name inside its container.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Another blob of the same container, let in the same way.
    pub fn with_path(&self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self.clone() }
    }
}

impl Endpoint {
    /// The public cloud's endpoint of an account.
    pub(crate) fn public(account: &str) -> Self {
        Self { tls: true, host: format!("{account}.blob.core.windows.net"), account_in_path: false }
    }

    /// URL of the account, without a slash at its end.
    pub(crate) fn url(&self, account: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        let host = &self.host;
        if self.account_in_path {
            format!("{scheme}://{host}/{}", percent::segment(account))
        } else {
            format!("{scheme}://{host}")
        }
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Self, PlaceError> {
        Self::parse(text)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Blob(blob) => blob.fmt(f),
        }
    }
}

impl fmt::Display for BlobPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.endpoint {
            None => write!(f, "az://{}", self.account)?,
            Some(endpoint) => f.write_str(&endpoint.url(&self.account))?,
        }
        write!(f, "/{}/{}", self.container, percent::path(&self.path))
    }
}

/// Why a text is no place. Holds no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of the file or blob is not valid: {0}; it is a path (dump.rdb), az://account/container/path, or \
     https://account.blob.core.windows.net/container/path with or without a SAS"
)]
pub struct PlaceError(pub(crate) &'static str);

#[cfg(test)]
mod tests;
