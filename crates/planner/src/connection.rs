//! The connection settings of an application, for the new cache.
//!
//! A text is read into fields that know where they stand ([`Document`]), and only what has to change is exchanged
//! there. All else stays byte for byte, order, comments and quotes among it. A value of a form that encodes values is
//! encoded anew when something in it changes: a password beside a host is the same, its escapes may be others.

mod advice;
mod changes;
mod document;
mod form;
mod host;
mod json;
mod lines;
mod role;
mod source;
mod spring;
mod stack_exchange;
mod url;
mod xml;
mod yaml;

pub use changes::{Change, Kind};
pub(crate) use document::Edit;
pub use document::{Document, Field};
pub use form::Form;
pub use host::{Places, Wish};
pub(crate) use stack_exchange::is_option;

use serde::Serialize;

use crate::Catalog;

/// Connection settings before and after.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Conversion {
    pub form: Form,
    /// The whole text, with its passwords.
    pub converted: String,
    /// What was changed and what is left to do; never a password.
    pub notes: Vec<String>,
}

// Passwords are in the text.
impl std::fmt::Debug for Conversion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversion")
            .field("form", &self.form)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// Why connection settings cannot be converted. No message repeats a part of the text but a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    #[error("there is nothing to convert")]
    Empty,
    #[error("{given:?} is no form; use {known}")]
    UnknownForm { given: String, known: String },
    #[error("the text is not {form}: {problem}")]
    Unreadable { form: Form, problem: String },
    #[error(
        "{given:?} is no host name: write it without scheme, port and path, as `hostName` of the resource has it"
    )]
    BadHost { given: String },
    #[error("{given:?} is no region: write its short name, such as westeurope")]
    BadRegion { given: String },
    #[error(
        "the new name of {host} is not known: give it with --to-host (`hostName` of the resource), or the region \
         with --region for a guess"
    )]
    NewHostNeeded { host: String },
    #[error(
        "{host} is of Azure Cache for Redis Enterprise, which moves in another way (see `redferry dates`); give --to-host to convert it all the same"
    )]
    Enterprise { host: String },
    #[error(
        "no host of Azure Cache for Redis is in it; where the host has a name of its own or is set elsewhere, give \
         the new one with --to-host"
    )]
    NothingFound,
}

/// Converts connection settings of any form to those of Azure Managed Redis. The text tells the form when it is not told.
///
/// # Errors
/// The text is not of the form, has no host to convert, or the new host is not known.
pub fn convert(
    text: &str,
    wish: &Wish,
    told: Option<Form>,
    catalog: &Catalog,
) -> Result<Conversion, ConnectionError> {
    if text.trim().is_empty() {
        return Err(ConnectionError::Empty);
    }
    let places = Places::new(wish, catalog)?;
    let read = |form| -> Result<_, ConnectionError> {
        let document = Document::parse(text, form)?;
        let changes = changes::find(&document, &places, wish);
        Ok((form, document, changes))
    };
    let (mut form, mut document, mut changes) = read(told.unwrap_or_else(|| Form::of(text)))?;
    if !changes.found && changes.enterprise.is_none() && told.is_none() {
        // `cache = Redis(host="...")` can be a line of several forms.
        (form, document, changes) = read(Form::Source)?;
    }
    if let Some(host) = &changes.enterprise {
        return Err(ConnectionError::Enterprise { host: host.clone() });
    }
    if let Some(host) = &changes.unresolved {
        return Err(ConnectionError::NewHostNeeded { host: host.clone() });
    }
    if !changes.found {
        return Err(ConnectionError::NothingFound);
    }
    let mut notes = Vec::new();
    let said = changes.list.iter().map(|change| change.text.clone());
    for note in said.chain(changes.notes.iter().cloned()).chain(advice::of(text, form, &changes, wish)) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    Ok(Conversion { form, converted: document.write(&changes.edits), notes })
}

/// What would have to change in a text, for somebody who looks for it.
pub(crate) fn changes(
    text: &str,
    form: Form,
    wish: &Wish,
    places: &Places,
) -> Option<(Document, changes::Changes)> {
    let document = Document::parse(text, form).ok()?;
    let changes = changes::find(&document, places, wish);
    Some((document, changes))
}
