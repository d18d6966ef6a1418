//! A text as fields that can be exchanged in place.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ConnectionError, Form, json, lines, source, xml, yaml};

/// A text and what is set in it.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    form: Form,
    fields: Vec<Field>,
}

/// One setting.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name in parts and lower case: `spring.redis.host`, `SPRING_REDIS_HOST` and `springRedisHost` are the same.
    pub name: Vec<String>,
    /// Without quotes and encoding.
    pub value: String,
    /// Where the encoded value stands in the text, without its quotes.
    pub span: Range<usize>,
    /// Which file within the file, or which element, it is a setting of, by where that begins; those of others do not
    /// belong to it. 0 is the whole.
    pub(super) file: usize,
    pub(super) coding: Coding,
}

// Values can be passwords.
impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("name", &self.name).field("span", &self.span).finish_non_exhaustive()
    }
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Plain,
    /// In double quotes, with backslashes, as JSON and YAML have it.
    Json,
    /// In single quotes, doubled inside.
    YamlSingle,
    /// A value of a properties file, with backslashes.
    Properties,
    /// An attribute, with entities.
    Xml,
    /// A value of a Kubernetes secret.
    Base64,
}

/// What stands instead of a part of the text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) span: Range<usize>,
    pub(crate) new: String,
}

impl Document {
    /// Reads a text of a form.
    ///
    /// # Errors
    /// It is not of that form.
    pub fn parse(text: &str, form: Form) -> Result<Document, ConnectionError> {
        let mut fields = match form {
            Form::StackExchange | Form::Url => lines::whole(text),
            Form::Json => {
                json::fields(text).map_err(|problem| ConnectionError::Unreadable { form, problem })?
            }
            Form::Xml => xml::fields(text),
            Form::Properties => lines::properties(text),
            Form::Env => lines::env(text),
            Form::Yaml => yaml::fields(text),
            Form::Source => source::fields(text),
        };
        if fields.iter().any(|field| field.name == ["kind"] && field.value == "Secret") {
            fields
                .iter_mut()
                .filter(|field| field.name.first().is_some_and(|name| name == "data"))
                .for_each(decode);
        }
        Ok(Document { text: text.to_owned(), form, fields })
    }

    pub fn form(&self) -> Form {
        self.form
    }

    /// In the order of the text.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text with other values at these fields.
    pub fn with(&self, values: &[(&Field, &str)]) -> String {
        let edits: Vec<Edit> = values.iter().map(|(field, value)| field.edit(value)).collect();
        self.write(&edits)
    }

    /// A part of the text with these exchanged, all of which are in it.
    pub(crate) fn write_within(&self, edits: &[Edit], part: Range<usize>) -> String {
        let all = self.write(edits);
        let longer = all.len() + part.end - self.text.len();
        all[part.start..longer].to_owned()
    }

    /// The text with these exchanged. Edits that overlap an earlier one are left out.
    pub(crate) fn write(&self, edits: &[Edit]) -> String {
        let mut edits: Vec<&Edit> = edits.iter().collect();
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let (mut written, mut at) = (String::with_capacity(self.text.len() + 64), 0);
        for edit in edits.into_iter() {
            if edit.span.start < at {
                continue;
            }
            written.push_str(&self.text[at..edit.span.start]);
            written.push_str(&edit.new);
            at = edit.span.end;
        }
        written.push_str(&self.text[at..]);
        written
    }
}

impl Field {
    pub(super) fn plain(name: Vec<String>, text: &str, span: Range<usize>) -> Field {
        Field { name, value: text[span.clone()].to_owned(), span, file: 0, coding: Coding::Plain }
    }

    /// This value instead, written as the old one was.
    pub(super) fn edit(&self, value: &str) -> Edit {
        let new = match self.coding {
            Coding::Plain => value.to_owned(),
            Coding::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Coding::YamlSingle => value.replace('\'', "''"),
            Coding::Properties => value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r"),
            Coding::Xml => xml::encode(value),
            Coding::Base64 => STANDARD.encode(value),
        };
        Edit { span: self.span.clone(), new }
    }
}

/// A value of a secret that is text; one that is not stays as it stands.
fn decode(field: &mut Field) {
    let decoded = STANDARD.decode(field.value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(value) = decoded {
        field.value = value;
        field.coding = Coding::Base64;
        field.name.remove(0);
    }
}

/// The parts of a name, in lower case.
pub(super) fn parts(name: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut before = None;
    for char in name.chars() {
        let begins =
            char.is_uppercase() && before.is_some_and(|char: char| char.is_lowercase() || char.is_numeric());
        if (begins || !char.is_alphanumeric()) && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        if char.is_alphanumeric() {
            part.extend(char.to_lowercase());
        }
        before = Some(char);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}
