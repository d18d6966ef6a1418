//! What is wrong with an address, said without repeating any of it: a mistyped address may hold its password
//! anywhere, so the only input that ever reaches an error is the name of an unknown option.

use std::borrow::Cow;
use std::fmt;

/// One example of each valid form, shown with every error.
const FORMS: &str = "an address is rediss://[user[:password]@]host[:port][/database], \
                     cache.redis.cache.windows.net:6380,password=...,ssl=True (as the Azure portal shows it), \
                     host:port, or host";

/// The part of an address that cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The text as a whole.
    Whole,
    /// What stands before `://`.
    Scheme,
    /// User and password before `@`, or the options of those names.
    Credentials,
    /// The host name or IP address.
    Host,
    /// The port number.
    Port,
    /// The database number.
    Database,
    /// An option of a connection string, or of a URL's query.
    Option,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "text",
            Self::Scheme => "scheme",
            Self::Credentials => "user or password",
            Self::Host => "host",
            Self::Port => "port",
            Self::Database => "database",
            Self::Option => "options",
        })
    }
}

/// Why a text is not the address of a server. Holds no part of a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server address is not valid, {part}: {problem}; {FORMS}")]
pub struct AddressError {
    part: Part,
    problem: Cow<'static, str>,
}

impl AddressError {
    pub(super) fn new(part: Part, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { part, problem: problem.into() }
    }

    /// An option nobody knows. Its name is shown only when it can hardly be a secret in the wrong place.
    pub(super) fn unknown_option(name: &str, known: &'static str) -> Self {
        let plain = name.len() <= 24 && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        Self::new(
            Part::Option,
            if plain && !name.is_empty() {
                format!("there is no option named {name}; the ones that matter are {known}")
            } else {
                format!("one of them has no known name; the ones that matter are {known}")
            },
        )
    }

    /// Which part is wrong.
    pub fn part(&self) -> Part {
        self.part
    }

    /// What is wrong with it.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}
