//! What a storage account's refusals mean ("Blob Storage error codes" and "Common REST API error codes", Azure
//! documentation).

use std::error::Error as _;
use std::fmt;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use object_store::client::{HttpError, HttpErrorKind};

use crate::error::{Error, Kind};
use crate::place::{BlobPlace, Purpose, Sas};

/// Anything but success.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The account has answered, and no.
    Refused { status: StatusCode, code: String, text: String, wait: Option<Duration> },
    /// There was no whole answer.
    Trouble(Trouble),
    /// No token could be had; with what was tried.
    NoToken(String),
    /// The request cannot even be written.
    Invalid,
}

/// What keeps an answer from coming.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The connection could not be made, or broke.
    Http(HttpError),
    /// The connection is open and nothing comes.
    Silent,
    /// The body ended early.
    Short,
}

/// What the request was signed with.
pub(crate) enum Used<'a> {
    Key,
    Sas(&'a Sas),
    Entra,
}

impl Answer {
    pub(super) fn refusal(status: StatusCode, headers: &HeaderMap, body: &str) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let code = header("x-ms-error-code").or_else(|| element(body, "Code").map(str::to_owned));
        let seconds = header("retry-after").and_then(|text| text.parse().ok());
        Self::Refused {
            status,
            code: code.unwrap_or_default(),
            text: element(body, "Message")
                .and_then(|text| text.lines().next())
                .unwrap_or_default()
                .to_owned(),
            wait: seconds.map(|seconds: u64| Duration::from_secs(seconds.min(30))),
        }
    }

    /// Whether no repetition would change it.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Refused { status, .. } => {
                !status.is_server_error()
                    && *status != StatusCode::TOO_MANY_REQUESTS
                    && *status != StatusCode::REQUEST_TIMEOUT
            }
            Self::Trouble(trouble) => trouble.is_certificate(),
            Self::NoToken(_) | Self::Invalid => true,
        }
    }

    /// How long the account asks to be left alone.
    pub(super) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Refused { wait, .. } => *wait,
            _ => None,
        }
    }

    /// The account's own name for it; empty without one.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    pub(super) fn explain(
        self,
        place: &BlobPlace,
        purpose: Purpose,
        used: &Used<'_>,
        give_up: Duration,
    ) -> Error {
        let error = |kind, what: String, advice: &str| Error::new(kind, place, what, advice.to_owned());
        match self {
            Self::Trouble(trouble) if trouble.is_certificate() => error(
                Kind::Refused,
                format!("the server's certificate is not trusted ({trouble})"),
                "if a firewall opens TLS here, give its certificate as one to trust",
            ),
            Self::Trouble(trouble) => error(
                Kind::Unreachable,
                format!("nothing came through in spite of all attempts, for up to {give_up:?} ({trouble})"),
                "check the account's name, the network, and that the account's firewall lets this machine in",
            ),
            Self::NoToken(tried) => error(
                Kind::NoCredentials,
                format!("no token of Microsoft Entra could be had ({tried})"),
                super::LOGIN_ADVICE,
            ),
            Self::Invalid => error(
                Kind::Unsuitable,
                "its name or credentials cannot be written into a request".to_owned(),
                "check the name for unusual characters",
            ),
            Self::Refused { status, code, text, .. } => match status {
                StatusCode::NOT_FOUND => not_found(place, &code),
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    let (what, advice) = forbidden(purpose, used, &code);
                    error(
                        Kind::Refused,
                        format!("the storage account refused it: {what}{}", in_brackets(&code)),
                        advice,
                    )
                }
                StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::BAD_REQUEST => {
                    let (kind, what, advice) = conflict(&code);
                    error(kind, format!("{what} ({status}{}{})", separated(&code), separated(&text)), advice)
                }
                _ => error(
                    if status.is_server_error() { Kind::Unreachable } else { Kind::Failed },
                    format!("the storage account answers {status}{}{}", separated(&code), separated(&text)),
                    "try again later; if it stays, look at the account's health in the Azure portal",
                ),
            },
        }
    }
}

fn not_found(place: &BlobPlace, code: &str) -> Error {
    if code == "ContainerNotFound" || code == "ContainerBeingDeleted" {
        let what = format!("there is no container {} in the storage account", place.container);
        return Error::new(Kind::NoContainer, place, what, "check its name, or create it");
    }
    Error::new(
        Kind::NotFound,
        place,
        "there is no such blob",
        "check the container and the path; capitals matter",
    )
}

fn forbidden(purpose: Purpose, used: &Used<'_>, code: &str) -> (String, &'static str) {
    let role = match purpose {
        Purpose::Read => "the role Storage Blob Data Reader",
        Purpose::Write => "the role Storage Blob Data Contributor",
    };
    match code {
        "KeyBasedAuthenticationNotPermitted" => {
            return (
                "it takes no account keys and no SAS made with them".to_owned(),
                "log in with Entra, az login for example",
            );
        }
        "AuthorizationSourceIPMismatch" => {
            return ("the SAS is for other IP addresses".to_owned(), "make a SAS for this machine's address");
        }
        "AuthorizationProtocolMismatch" => {
            return ("the SAS is for https:// only".to_owned(), "write https:// in front");
        }
        "PublicAccessNotPermitted" | "NoAuthenticationInformation" => {
            return ("it lets nobody in without a login".to_owned(), super::LOGIN_ADVICE);
        }
        _ => {}
    }
    let complaint = match used {
        Used::Sas(sas) => sas.complaint(purpose, SystemTime::now()),
        Used::Key | Used::Entra => None,
    };
    // What a firewall answers; Azurite answers it to a wrong key.
    let firewall = code == "AuthorizationFailure" && complaint.is_none();
    let likely = complaint.unwrap_or_else(|| match used {
        Used::Sas(_) => {
            "its SAS is not accepted: it is for another blob, was copied incompletely, was revoked, or \
                         allows too little"
                .to_owned()
        }
        Used::Key => {
            "the account key is wrong, or this machine's clock is more than 15 minutes off".to_owned()
        }
        Used::Entra => format!("the one logged in lacks {role}"),
    });
    let advice = match (used, purpose) {
        (Used::Sas(_), Purpose::Read) => "make a SAS that is valid now and allows to read (r)",
        (Used::Sas(_), Purpose::Write) => "make a SAS that is valid now and allows to create and write (cw)",
        (Used::Key, _) => "copy the key anew from the storage account's page in the Azure portal",
        (Used::Entra, _) => {
            "give it the role on the storage account or the container; that takes some minutes to be in force"
        }
    };
    if firewall {
        return (format!("{likely}, or the account's firewall does not let this machine in"), advice);
    }
    (likely, advice)
}

fn conflict(code: &str) -> (Kind, &'static str, &'static str) {
    match code {
        "BlobAlreadyExists" => {
            (Kind::AlreadyExists, "it exists", "allow to overwrite it, or choose another name")
        }
        "ConditionNotMet" | "TargetConditionNotMet" => {
            (Kind::Changed, "it changed meanwhile", "start again when nothing writes to it")
        }
        "InvalidBlobType" => {
            (Kind::Unsuitable, "it exists and is no block blob", "delete it first, or choose another name")
        }
        "BlobArchived" | "BlobBeingRehydrated" => (
            Kind::Unsuitable,
            "it is in the archive tier",
            "bring it to the hot or cool tier first, which takes hours",
        ),
        "BlobImmutableDueToPolicy" => {
            (Kind::Refused, "the container's policy does not allow to change it", "choose another name")
        }
        code if code.starts_with("Lease") => {
            (Kind::Refused, "somebody holds a lease on it", "wait for its end or break the lease")
        }
        "InvalidBlockList" => (
            Kind::Changed,
            "another upload to the same name was finished meanwhile",
            "make sure that only one writes to it, and start again",
        ),
        _ => (
            Kind::Failed,
            "the storage account did not accept the request",
            "look the code up in Azure's documentation",
        ),
    }
}

impl Trouble {
    /// Whether the certificate is why, which no repetition changes.
    fn is_certificate(&self) -> bool {
        matches!(self, Self::Http(_)) && self.to_string().contains("certificate")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, code, .. } => write!(f, "{status}{}", separated(code)),
            Self::Trouble(trouble) => trouble.fmt(f),
            Self::NoToken(tried) => f.write_str(tried),
            Self::Invalid => f.write_str("no valid request"),
        }
    }
}

impl fmt::Display for Trouble {
    /// The innermost cause says most; none of them holds a URL, object_store takes it out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Silent => return f.write_str("the connection is open but silent"),
            Self::Short => return f.write_str("the answer ended early"),
            Self::Http(error) => error,
        };
        let mut cause = error.source();
        while let Some(inner) = cause.and_then(|cause| cause.source()) {
            cause = Some(inner);
        }
        let what = match error.kind() {
            HttpErrorKind::Connect => "no connection",
            HttpErrorKind::Timeout => "a time-out",
            _ => "the connection broke",
        };
        match cause {
            Some(cause) => write!(f, "{what}: {cause}"),
            None => f.write_str(what),
        }
    }
}

fn in_brackets(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(" ({code})") }
}

fn separated(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(", {text}") }
}

/// The text of an XML element that occurs once and has no attributes, as in every error of a storage account.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text)
}
