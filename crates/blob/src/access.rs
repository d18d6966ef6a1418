//! How to be let into a storage account.
//!
//! Taken from the environment by the names that Azure's own tools use. The first that is there wins:
//!
//! 1. the SAS in the blob's own URL;
//! 2. `AZURE_STORAGE_CONNECTION_STRING`, if it is for the blob's account (key or SAS; it also names the endpoint);
//! 3. `AZURE_STORAGE_KEY`, also called `AZURE_STORAGE_ACCOUNT_KEY` and `AZURE_STORAGE_ACCESS_KEY`;
//! 4. `AZURE_STORAGE_SAS_TOKEN`;
//! 5. Entra: `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE` (workload identity), or
//!    `AZURE_CLIENT_SECRET`;
//! 6. the managed identity of this machine (`IDENTITY_ENDPOINT`, or 169.254.169.254), the one of `AZURE_CLIENT_ID` if
//!    that is set;
//! 7. the Azure CLI's login.
//!
//! 3 and 4 are for the account that `AZURE_STORAGE_ACCOUNT` names, and for any account without that.
//! `AZURE_TOKEN_CREDENTIALS` (`dev`, `prod`, or a credential's name) leaves out some of 5 to 7, as in Azure's SDKs.

mod connection_string;
mod entra;

use std::fmt;

use crate::error::{Error, Kind};
use crate::place::{BlobPlace, Endpoint, Sas};
use crate::secret::Secret;
use connection_string::ConnectionString;
use entra::Entra;

pub(crate) use entra::Tokens;

/// Credentials, or where to look for them. `Debug` shows no secrets.
#[derive(Debug, Clone)]
pub struct Access(Source);

#[derive(Debug, Clone)]
enum Source {
    Environment(Box<Environment>),
    Key(Secret),
    Sas(Secret),
}

/// What the environment says. Nothing of it is checked before a blob needs it.
#[derive(Debug, Clone, Default)]
struct Environment {
    account: Option<String>,
    endpoint: Option<String>,
    connection_string: Option<Secret>,
    key: Option<Secret>,
    sas: Option<Secret>,
    entra: Entra,
}

/// What a blob is reached with.
pub(crate) struct Resolved {
    pub(crate) endpoint: Endpoint,
    pub(crate) login: Login,
}

/// One way of being let in.
pub(crate) enum Login {
    Key(Secret),
    Sas(Sas),
    Entra(Entra),
}

impl Access {
    /// Reads the environment as described above. Never fails: what is missing or wrong is an error of the blob that needs it.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same from any other source of variables.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let text =
            |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|text| !text.is_empty()));
        let secret = |names: &[&str]| text(names).map(Secret::new);
        Self(Source::Environment(Box::new(Environment {
            account: text(&["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"]),
            endpoint: text(&["AZURE_STORAGE_SERVICE_ENDPOINT"]),
            connection_string: secret(&["AZURE_STORAGE_CONNECTION_STRING"]),
            key: secret(&["AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY"]),
            sas: secret(&["AZURE_STORAGE_SAS_TOKEN"]),
            entra: Entra::from_variables(text),
        })))
    }

    /// One of the account's two keys, in base64 as the portal shows it.
    pub fn shared_key(key: Secret) -> Self {
        Self(Source::Key(key))
    }

    /// A shared access signature of the account, the container or the blob.
    pub fn sas(token: Secret) -> Self {
        Self(Source::Sas(token))
    }

    /// Endpoint and credentials for one blob.
    pub(crate) fn resolve(&self, place: &BlobPlace) -> Result<Resolved, Error> {
        let mut endpoint = place.endpoint.clone();
        let login = match &self.0 {
            Source::Environment(environment) => environment.resolve(place, &mut endpoint)?,
            Source::Key(key) => Login::Key(key.clone()),
            Source::Sas(token) => Login::Sas(parse_sas(place, token, "the SAS given for it")?),
        };
        Ok(Resolved {
            endpoint: endpoint.unwrap_or_else(|| Endpoint::public(&place.account)),
            login: place.sas.clone().map_or(login, Login::Sas),
        })
    }
}

impl Environment {
    fn resolve(&self, place: &BlobPlace, endpoint: &mut Option<Endpoint>) -> Result<Login, Error> {
        let account = &place.account;
        let mut connection = None;
        if let Some(text) = &self.connection_string {
            let parsed = ConnectionString::parse(text.expose())
                .map_err(|problem| bad_variable(place, "AZURE_STORAGE_CONNECTION_STRING", problem))?;
            connection = Some(parsed).filter(|parsed| parsed.account == *account);
        }
        if endpoint.is_none() {
            *endpoint = match (&connection, &self.endpoint) {
                (Some(connection), _) => connection.endpoint.clone(),
                (None, Some(url)) => connection_string::endpoint(url, Some(account))
                    .map(|(_, endpoint)| Some(endpoint))
                    .map_err(|problem| bad_variable(place, "AZURE_STORAGE_SERVICE_ENDPOINT", problem))?,
                (None, None) => None,
            };
        }
        if place.sas.is_some() {
            // It wins; whatever else is set need not even be valid.
            return Ok(Login::Entra(self.entra.clone()));
        }
        if let Some(connection) = connection {
            if let Some(key) = connection.key {
                return Ok(Login::Key(key));
            }
            if let Some(sas) = connection.sas {
                return parse_sas(place, &sas, "the SAS in AZURE_STORAGE_CONNECTION_STRING").map(Login::Sas);
            }
        }
        if self.account.as_ref().is_none_or(|own| own == account) {
            if let Some(key) = &self.key {
                return Ok(Login::Key(key.clone()));
            }
            if let Some(token) = &self.sas {
                return parse_sas(place, token, "AZURE_STORAGE_SAS_TOKEN").map(Login::Sas);
            }
        }
        Ok(Login::Entra(self.entra.clone()))
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "its account key",
            Self::Sas(_) => "a SAS",
            Self::Entra(_) => "Microsoft Entra",
        })
    }
}

fn parse_sas(place: &BlobPlace, token: &Secret, whose: &'static str) -> Result<Sas, Error> {
    Sas::parse(token.expose()).map_err(|error| bad_variable(place, whose, error.0))
}

fn bad_variable(place: &BlobPlace, name: &'static str, problem: &'static str) -> Error {
    Error::new(
        Kind::NoCredentials,
        place,
        format!("{name} is not valid: {problem}"),
        "copy it anew from the storage account's page in the Azure portal, in quotes",
    )
}

#[cfg(test)]
mod tests;
