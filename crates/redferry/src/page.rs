//! Pages for people: one file, no script, nothing loaded, fit to be attached to a change request and to be printed.

mod html;

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::NamedTempFile;

pub(crate) use html::{Html, bar};

const STYLE: &str = include_str!("page/style.css");

/// Whether there can be a file of this name, before the work that it is to tell of.
pub(crate) fn can_be_written(file: &Path) -> io::Result<()> {
    if file.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    beside(file).map(drop)
}

/// Writes the page whole, or leaves what was there.
pub(crate) fn write(file: &Path, page: &str) -> io::Result<()> {
    let mut new = beside(file)?;
    new.write_all(page.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map(drop).map_err(|error| error.error)
}

/// A file in the same folder, so that it can take the other's place at once. Whoever may read the folder may read it,
/// as with any other file that a user makes.
fn beside(file: &Path) -> io::Result<NamedTempFile> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o644)).tempfile_in(folder)
}

impl Html {
    /// A page up to the beginning of its body.
    pub(crate) fn page(title: &str) -> Html {
        let mut page = Html::default();
        page.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        // Whatever a name might smuggle in, the browser loads and runs nothing.
        page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
        page.raw("<title>").text(title).raw("</title>\n");
        page.raw("<style>\n").raw(STYLE).raw("</style>\n</head>\n<body>\n");
        page
    }

    /// The whole page, with who made it and what is on no page.
    pub(crate) fn ended(mut self) -> String {
        self.raw("<footer>").text("Made by redferry ").text(env!("CARGO_PKG_VERSION"));
        self.text(". Values and passwords are on no page; names of keys only where they were asked for.");
        self.raw("</footer>\n</body>\n</html>\n");
        self.into_text()
    }
}
