//! Why the retail price API gave no prices.

use std::fmt;
use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;

use crate::printable::printable;

/// What went wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error("the retail price API at {place}: {trouble}")]
pub(crate) struct Failure {
    place: String,
    trouble: Trouble,
}

impl Failure {
    pub(super) fn new(api: &Url, trouble: Trouble) -> Failure {
        Failure { place: origin(api), trouble }
    }

    /// Whether the API was reached and does not take the question, which nothing but another question changes.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.trouble, Trouble::Refused { .. })
    }
}

/// Anything but prices.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
    #[error("no connection: {0}")]
    NoConnection(String),
    #[error("the connection broke: {0}")]
    Broken(String),
    #[error("no whole answer within {} s", .0.as_secs())]
    Late(Duration),
    #[error("it answers {status}{}", asked(.wait))]
    Busy { status: StatusCode, wait: Option<Duration> },
    /// In the API's own words.
    #[error("it refuses the question: {status}, {said}")]
    Refused { status: StatusCode, said: String },
    /// Whoever answered is perhaps not the API.
    #[error("it answers {0}")]
    Status(StatusCode),
    #[error("it sends on to {0}, which is not followed")]
    Redirected(String),
    #[error("its next page is at {0}, which is not followed")]
    OtherOrigin(String),
    #[error("its answer is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error("its answer has more than {0} pages")]
    TooManyPages(usize),
    #[error("{0}")]
    NotUnderstood(String),
}

impl Trouble {
    pub(super) fn of(error: reqwest::Error) -> Trouble {
        let connecting = error.is_connect();
        let cause = innermost(error);
        if connecting { Trouble::NoConnection(cause) } else { Trouble::Broken(cause) }
    }

    /// An answer that is no success, with its body if that came.
    pub(super) fn refusal(status: StatusCode, body: Result<String, Trouble>) -> Trouble {
        let said = body.ok().and_then(|body| serde_json::from_str::<Complaint>(&body).ok());
        match said {
            Some(said) => Trouble::Refused { status, said: said.to_string() },
            None => Trouble::Status(status),
        }
    }
}

/// The API's own error, `{"Error": {"Code": "BadRequest", "Message": "..."}}`.
#[derive(Deserialize)]
struct Complaint {
    #[serde(rename = "Error", alias = "error")]
    error: Detail,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Detail {
    Text(String),
    Parts {
        #[serde(rename = "Code", alias = "code")]
        code: String,
        #[serde(rename = "Message", alias = "message", default)]
        message: String,
    },
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            Detail::Text(text) => f.write_str(&printable(text.as_bytes())),
            Detail::Parts { code, message } => {
                write!(f, "{}: {}", printable(code.as_bytes()), printable(message.as_bytes()))
            }
        }
    }
}

fn asked(wait: &Option<Duration>) -> String {
    wait.map_or(String::new(), |wait| format!(" and asks to wait {} s", wait.as_secs()))
}

/// The innermost cause says most; the outer ones say what was tried, which is known.
pub(super) fn innermost(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Where a URL leads to, without what is asked there.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Where an answer sends on to.
pub(super) fn target(response: &Response) -> String {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let url = location.and_then(|location| response.url().join(location).ok());
    url.map_or("elsewhere".into(), |url| origin(&url))
}
