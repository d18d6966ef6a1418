//! Tokens of Microsoft Entra: from a client secret, a federated token, a managed identity or the Azure CLI.

use std::sync::Arc;
use std::time::Duration;

use object_store::azure::{AzureConfigKey, AzureCredential, AzureCredentialProvider, MicrosoftAzureBuilder};
use object_store::{ClientOptions, RetryConfig};
use tokio::sync::OnceCell;

use crate::place::{Endpoint, is_this_machine};
use crate::secret::Secret;

/// How long a machine that is no Azure machine may take to show it.
const METADATA_LIMIT: Duration = Duration::from_secs(5);

/// What the environment says about Entra.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entra {
    tenant: Option<String>,
    client: Option<String>,
    client_secret: Option<Secret>,
    federated_token_file: Option<String>,
    authority: Option<String>,
    identity_endpoint: Option<String>,
    only: Option<String>,
}

/// The ways to a token, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Workload,
    ClientSecret,
    ManagedIdentity,
    Cli,
}

/// Tokens for one account, renewed before they expire.
pub(crate) struct Tokens {
    ways: Vec<(Way, AzureCredentialProvider)>,
    /// Which of the ways has worked.
    chosen: OnceCell<usize>,
}

impl Entra {
    pub(super) fn from_variables(text: impl Fn(&[&str]) -> Option<String>) -> Self {
        Self {
            tenant: text(&["AZURE_TENANT_ID"]),
            client: text(&["AZURE_CLIENT_ID"]),
            client_secret: text(&["AZURE_CLIENT_SECRET"]).map(Secret::new),
            federated_token_file: text(&["AZURE_FEDERATED_TOKEN_FILE"]),
            authority: text(&["AZURE_AUTHORITY_HOST"]),
            identity_endpoint: text(&["IDENTITY_ENDPOINT", "MSI_ENDPOINT"]),
            only: text(&["AZURE_TOKEN_CREDENTIALS"]),
        }
    }

    /// The ways that the variables are there for. A service principal that is told in full is meant, so nothing is
    /// tried after it.
    fn ways(&self) -> Vec<Way> {
        let principal = self.tenant.is_some() && self.client.is_some();
        let wanted = |way: &Way| match self.only.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("dev") | Some("azureclicredential") => *way == Way::Cli,
            Some("prod") => *way != Way::Cli,
            Some("environmentcredential") => *way == Way::ClientSecret,
            Some("workloadidentitycredential") => *way == Way::Workload,
            Some("managedidentitycredential") => *way == Way::ManagedIdentity,
            _ => true,
        };
        let mut ways = Vec::new();
        if principal && self.federated_token_file.is_some() {
            ways.push(Way::Workload);
        }
        if principal && self.client_secret.is_some() {
            ways.push(Way::ClientSecret);
        }
        ways.retain(wanted);
        if ways.is_empty() {
            ways.extend([Way::ManagedIdentity, Way::Cli].iter().filter(|way| wanted(way)));
        }
        ways
    }

    /// Where tokens come from. The error says why there can be none.
    pub(crate) fn tokens(
        &self,
        account: &str,
        endpoint: &Endpoint,
        options: &ClientOptions,
        retry: &RetryConfig,
    ) -> Result<Tokens, String> {
        if !endpoint.tls {
            return Err("tokens are sent over https:// only".to_owned());
        }
        let ways = self.ways();
        if ways.is_empty() {
            return Err(
                "AZURE_TOKEN_CREDENTIALS leaves no way to a token that the other variables allow".to_owned()
            );
        }
        let authority =
            self.authority.clone().unwrap_or_else(|| default_authority(&endpoint.host).to_owned());
        let plain = authority.strip_prefix("http://").map(|host| host.trim_end_matches('/'));
        if plain.is_some_and(|host| !is_this_machine(host)) {
            return Err(
                "AZURE_AUTHORITY_HOST is plain http://, which would show the client secret".to_owned()
            );
        }
        let options = options.clone().with_timeout(Duration::from_secs(30)).with_allow_http(plain.is_some());
        let provider = |way: Way| -> Result<AzureCredentialProvider, String> {
            let mut builder = MicrosoftAzureBuilder::new()
                .with_account(account)
                .with_container_name("unused")
                .with_client_options(options.clone())
                .with_retry(if way == Way::ManagedIdentity {
                    RetryConfig { max_retries: 2, retry_timeout: METADATA_LIMIT, ..retry.clone() }
                } else {
                    retry.clone()
                })
                .with_credential_type(match way {
                    Way::Workload => "workload_identity",
                    Way::ClientSecret => "client_secret",
                    Way::ManagedIdentity => "managed_identity",
                    Way::Cli => "azure_cli",
                });
            for (key, value) in [
                (AzureConfigKey::AuthorityHost, Some(&authority)),
                (AzureConfigKey::AuthorityId, self.tenant.as_ref()),
                (AzureConfigKey::ClientId, self.client.as_ref()),
                (AzureConfigKey::FederatedTokenFile, self.federated_token_file.as_ref()),
                (AzureConfigKey::MsiEndpoint, self.identity_endpoint.as_ref()),
            ] {
                if let Some(value) = value {
                    builder = builder.with_config(key, value);
                }
            }
            if let Some(secret) = &self.client_secret {
                builder = builder.with_config(AzureConfigKey::ClientSecret, secret.expose());
            }
            let store = builder.build().map_err(|error| first_line(&error.to_string()))?;
            Ok(Arc::clone(store.credentials()))
        };
        let ways = ways.into_iter().map(|way| Ok((way, provider(way)?))).collect::<Result<_, String>>()?;
        Ok(Tokens { ways, chosen: OnceCell::new() })
    }
}

impl Tokens {
    /// The token, from memory or anew. The error says what was tried and what came of it.
    pub(crate) async fn get(&self) -> Result<Arc<AzureCredential>, String> {
        if let Some(chosen) = self.chosen.get() {
            let (way, provider) = &self.ways[*chosen];
            return way.ask(provider).await.map_err(|problem| format!("{}: {problem}", way.name()));
        }
        let mut problems = Vec::new();
        for (index, (way, provider)) in self.ways.iter().enumerate() {
            match way.ask(provider).await {
                Ok(credential) => {
                    tracing::debug!(way = way.name(), "storage token");
                    // Another task may have been faster; then its choice stays.
                    let _ = self.chosen.set(index);
                    return Ok(credential);
                }
                Err(problem) => problems.push(format!("{}: {problem}", way.name())),
            }
        }
        Err(problems.join("; "))
    }
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Workload => "workload identity (AZURE_FEDERATED_TOKEN_FILE)",
            Self::ClientSecret => "client secret (AZURE_CLIENT_SECRET)",
            Self::ManagedIdentity => "managed identity",
            Self::Cli => "Azure CLI",
        }
    }

    async fn ask(self, provider: &AzureCredentialProvider) -> Result<Arc<AzureCredential>, String> {
        let provider = Arc::clone(provider);
        let answer = match self {
            // It runs `az` and waits for it, which must not hold up other tasks.
            Self::Cli => {
                let runtime = tokio::runtime::Handle::current();
                let asked = move || runtime.block_on(provider.get_credential());
                tokio::task::spawn_blocking(asked).await.map_err(|error| error.to_string())?
            }
            Self::ManagedIdentity => tokio::time::timeout(METADATA_LIMIT, provider.get_credential())
                .await
                .map_err(|_| "nothing answers, so this is no Azure machine with an identity".to_owned())?,
            Self::Workload | Self::ClientSecret => provider.get_credential().await,
        };
        answer.map_err(|error| complaint(&error))
    }
}

/// Login servers by cloud ("National clouds", Microsoft Entra documentation).
fn default_authority(host: &str) -> &'static str {
    if host.ends_with(".usgovcloudapi.net") {
        "https://login.microsoftonline.us"
    } else if host.ends_with(".chinacloudapi.cn") {
        "https://login.chinacloudapi.cn"
    } else {
        "https://login.microsoftonline.com"
    }
}

/// What a login server says, without the request around it.
fn complaint(error: &object_store::Error) -> String {
    let text = error.to_string();
    // Entra answers {"error_description":"AADSTS7000215: Invalid client secret provided. ...\r\nTrace ID: ..."}.
    if let Some((_, said)) = text.split_once("\"error_description\":\"") {
        let said = said.split(['"', '\n', '\r']).next().unwrap_or_default();
        return first_line(said.split("\\r\\n").next().unwrap_or_default());
    }
    // "Error performing GET http://... in 2s, after 2 retries, ... - HTTP error: error sending request"
    first_line(text.split_once(" - ").map_or(text.as_str(), |(_, said)| said))
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("Generic MicrosoftAzure error: ").unwrap_or(line).chars().take(300).collect()
}
