//! Connection strings of storage accounts, as the portal shows them.

use crate::place::Endpoint;
use crate::secret::Secret;

/// What of a connection string concerns blobs.
pub(super) struct ConnectionString {
    pub(super) account: String,
    pub(super) key: Option<Secret>,
    pub(super) sas: Option<Secret>,
    pub(super) endpoint: Option<Endpoint>,
}

/// Account and key that every emulator has ("Use the Azurite emulator", Azure documentation). No secret.
const EMULATOR: (&str, &str) = (
    "devstoreaccount1",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
);

impl ConnectionString {
    /// The error says what is wrong and repeats nothing.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut account = None;
        let (mut key, mut sas, mut blob, mut suffix) = (None, None, None, None);
        let (mut tls, mut emulator) = (true, false);
        for field in text.trim().split(';').filter(|field| !field.trim().is_empty()) {
            let (name, value) = field.split_once('=').ok_or("one of its fields has no =")?;
            let value = value.trim();
            match name.trim().to_ascii_lowercase().as_str() {
                "accountname" => account = Some(value.to_owned()),
                "accountkey" => key = Some(Secret::new(value)),
                "sharedaccesssignature" => sas = Some(Secret::new(value)),
                "blobendpoint" => blob = Some(value.to_owned()),
                "endpointsuffix" => suffix = Some(value.to_ascii_lowercase()),
                "defaultendpointsprotocol" => tls = !value.eq_ignore_ascii_case("http"),
                "usedevelopmentstorage" => emulator = value.eq_ignore_ascii_case("true"),
                _ => {}
            }
        }
        if emulator {
            account.get_or_insert(EMULATOR.0.to_owned());
            key.get_or_insert(Secret::new(EMULATOR.1));
            blob.get_or_insert(format!("http://127.0.0.1:10000/{}", EMULATOR.0));
        }
        let (account, endpoint) = match blob {
            Some(url) => {
                let (account, endpoint) = endpoint(&url, account.as_deref())?;
                (account, Some(endpoint))
            }
            None => {
                let account = account.ok_or("it has neither AccountName nor BlobEndpoint")?;
                if !tls {
                    return Err(
                        "DefaultEndpointsProtocol=http would send the data in plain text; write https",
                    );
                }
                let endpoint = suffix.map(|suffix| Endpoint {
                    tls: true,
                    host: format!("{account}.blob.{suffix}"),
                    account_in_path: false,
                });
                (account, endpoint)
            }
        };
        Ok(Self { account, key, sas, endpoint })
    }
}

/// Reads the URL of a blob service: `https://account.blob.core.windows.net`, `http://127.0.0.1:10000/devstoreaccount1`,
/// or any host at all where the account is known.
pub(super) fn endpoint(url: &str, account: Option<&str>) -> Result<(String, Endpoint), &'static str> {
    let (scheme, rest) = url.split_once("://").ok_or("its endpoint is no URL")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err("its endpoint begins with neither https:// nor http://"),
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, path) = (host.to_ascii_lowercase(), path.trim_end_matches('/'));
    if host.is_empty() || host.contains(['@', '?', '#']) || path.contains(['/', '?', '#']) {
        return Err("its endpoint is not of the form https://account.blob.core.windows.net");
    }
    if !tls && !crate::place::is_this_machine(&host) {
        return Err("its endpoint is plain http://, which is for an emulator on this machine only");
    }
    let account_in_path = !path.is_empty();
    let named = if account_in_path { Some(path) } else { host.split_once(".blob.").map(|(name, _)| name) };
    let account = account.or(named).ok_or("its endpoint names no account; add AccountName")?;
    Ok((account.to_owned(), Endpoint { tls, host, account_in_path }))
}
