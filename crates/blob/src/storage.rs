//! One blob of a storage account: signed requests, what their answers mean, and how long to keep trying.

mod answer;
mod patience;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential};
use object_store::client::{
    HttpClient, HttpConnector, HttpRequest, HttpRequestBody, HttpResponse, ReqwestConnector,
};
use object_store::{BackoffConfig, Certificate, ClientOptions, RetryConfig};

use crate::Network;
use crate::access::{Access, Login, Resolved, Tokens};
use crate::error::{Error, Kind};
use crate::place::{BlobPlace, Purpose, Sas, percent};
pub(crate) use answer::{Answer, Trouble};
pub(crate) use patience::Patience;

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// How long an open connection may stay silent before another one is tried.
const STALL_LIMIT: Duration = Duration::from_secs(20);

/// Slowest network that uploads are made for, in bytes per second: a block must be through in its time.
const SLOWEST: u64 = 64 * 1024;

/// A blob and the way to it.
pub(crate) struct Storage {
    place: BlobPlace,
    purpose: Purpose,
    client: HttpClient,
    credentials: Credentials,
    /// URL of the blob, encoded, without query.
    url: String,
    give_up: Duration,
}

enum Credentials {
    Key(Arc<AzureCredential>),
    Sas(Sas, Arc<AzureCredential>),
    Entra(Tokens),
}

/// A request, without its signature.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Option<Bytes>,
}

impl Request {
    pub(crate) fn new(method: Method) -> Self {
        Self { method, query: Vec::new(), headers: Vec::new(), body: None }
    }

    #[must_use]
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub(crate) fn body(mut self, body: Bytes) -> Self {
        self.body = Some(body);
        self
    }
}

impl Storage {
    /// Finds credentials. Nothing is sent yet.
    pub(crate) fn open(
        place: &BlobPlace,
        access: &Access,
        network: &Network,
        purpose: Purpose,
    ) -> Result<Self, Error> {
        // reqwest is built without a TLS library of its own. An error means that the program has chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Resolved { endpoint, login } = access.resolve(place)?;
        let no_login = |problem: String| {
            Error::new(
                Kind::NoCredentials,
                place,
                format!("there is no way to log in: {problem}"),
                LOGIN_ADVICE,
            )
        };
        let options = client_options(place, network)?;
        let credentials = match login {
            Login::Key(key) => {
                let key = AzureAccessKey::try_new(key.expose().trim())
                    .map_err(|_| no_login("the account key is not base64".to_owned()))?;
                Credentials::Key(Arc::new(AzureCredential::AccessKey(key)))
            }
            Login::Sas(sas) => {
                let credential = AzureCredential::SASToken(sas.expose().to_vec());
                Credentials::Sas(sas, Arc::new(credential))
            }
            Login::Entra(entra) => {
                let retry = RetryConfig {
                    backoff: BackoffConfig::default(),
                    max_retries: 10,
                    retry_timeout: network.give_up,
                };
                let tokens = entra.tokens(&place.account, &endpoint, &options, &retry).map_err(no_login)?;
                Credentials::Entra(tokens)
            }
        };
        let client = ReqwestConnector::default().connect(&options.with_allow_http(!endpoint.tls)).map_err(
            |error| Error::new(Kind::Failed, place, "TLS cannot be set up", TLS_ADVICE).because(error),
        )?;
        let url =
            format!("{}/{}/{}", endpoint.url(&place.account), place.container, percent::path(&place.path));
        Ok(Self { place: place.clone(), purpose, client, credentials, url, give_up: network.give_up })
    }

    pub(crate) fn place(&self) -> &BlobPlace {
        &self.place
    }

    /// The SAS that requests are sent with, if it is one.
    pub(crate) fn sas(&self) -> Option<&Sas> {
        match &self.credentials {
            Credentials::Sas(sas, _) => Some(sas),
            Credentials::Key(_) | Credentials::Entra(_) => None,
        }
    }

    /// A fresh measure of how long to keep trying.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.give_up)
    }

    /// How long an open connection may stay silent.
    pub(crate) fn stall_limit(&self) -> Duration {
        STALL_LIMIT.min(self.give_up)
    }

    /// Sends a request until it is answered with a success, a refusal that no repetition changes, or patience ends.
    pub(crate) async fn send(
        &self,
        request: &Request,
        patience: &mut Patience,
    ) -> Result<HttpResponse, Answer> {
        loop {
            match self.attempt(request).await {
                Ok(response) => return Ok(response),
                Err(answer) if answer.is_final() => return Err(answer),
                Err(answer) => patience.wait(answer).await?,
            }
        }
    }

    async fn attempt(&self, request: &Request) -> Result<HttpResponse, Answer> {
        let signed = self.signed(request).await?;
        let length = request.body.as_ref().map_or(0, Bytes::len) as u64;
        let limit = self.stall_limit() + Duration::from_secs(length / SLOWEST);
        let response = tokio::time::timeout(limit, self.client.execute(signed))
            .await
            .map_err(|_| Answer::Trouble(Trouble::Silent))?
            .map_err(|error| Answer::Trouble(Trouble::Http(error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(self.stall_limit(), body.bytes()).await;
        // Some answers have no text, and what the header says is enough.
        let body = body.ok().and_then(Result::ok).unwrap_or_default();
        Err(Answer::refusal(parts.status, &parts.headers, &String::from_utf8_lossy(&body)))
    }

    async fn signed(&self, request: &Request) -> Result<HttpRequest, Answer> {
        let credential = match &self.credentials {
            Credentials::Key(credential) | Credentials::Sas(_, credential) => Arc::clone(credential),
            Credentials::Entra(tokens) => tokens.get().await.map_err(Answer::NoToken)?,
        };
        let mut url = self.url.clone();
        for (index, (name, value)) in request.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(&format!("{name}={}", percent::segment(value)));
        }
        let mut headers = HeaderMap::new();
        if let Some(body) = &request.body {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        let invalid = |_| Answer::Invalid;
        for (name, value) in &request.headers {
            headers.insert(name.clone(), HeaderValue::from_str(value).map_err(invalid)?);
        }
        let body = request.body.clone().map_or_else(HttpRequestBody::empty, HttpRequestBody::from);
        let mut signed = http::Request::builder().method(request.method.clone()).uri(url).body(body);
        if let Ok(signed) = &mut signed {
            *signed.headers_mut() = headers;
        }
        let mut signed = signed.map_err(|_| Answer::Invalid)?;
        // A secondary is signed for by the name of its primary.
        let account = self.place.account.strip_suffix("-secondary").unwrap_or(&self.place.account);
        AzureAuthorizer::new(&credential, account).try_authorize(&mut signed).map_err(|_| Answer::Invalid)?;
        Ok(signed)
    }

    /// What a failed request means for the user.
    pub(crate) fn explain(&self, answer: Answer) -> Error {
        let login = match &self.credentials {
            Credentials::Key(_) => answer::Used::Key,
            Credentials::Sas(sas, _) => answer::Used::Sas(sas),
            Credentials::Entra(_) => answer::Used::Entra,
        };
        answer.explain(&self.place, self.purpose, &login, self.give_up)
    }

    /// Whether a failed request means that there is no such blob, though everything else is there.
    pub(crate) fn is_missing_blob(answer: &Answer) -> bool {
        matches!(answer, Answer::Refused { status: StatusCode::NOT_FOUND, code, .. }
            if code != "ContainerNotFound" && code != "ContainerBeingDeleted")
    }
}

const LOGIN_ADVICE: &str = "set AZURE_STORAGE_KEY, AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_SAS_TOKEN, put a \
                            SAS behind the blob's URL, or log in with az login";

const TLS_ADVICE: &str = "check the certificates of this system and those given to trust besides";

fn client_options(place: &BlobPlace, network: &Network) -> Result<ClientOptions, Error> {
    let mut options = ClientOptions::new()
        .with_user_agent(HeaderValue::from_static(concat!("redferry/", env!("CARGO_PKG_VERSION"))))
        // A download takes as long as it takes; silence is what is limited.
        .with_timeout_disabled()
        .with_connect_timeout(CONNECT_LIMIT.min(network.give_up));
    if let Some(pem) = &network.authorities {
        let certificates = Certificate::from_pem_bundle(pem).map_err(|error| {
            Error::new(Kind::Failed, place, "the certificates to trust cannot be read", TLS_ADVICE)
                .because(error)
        })?;
        for certificate in certificates {
            options = options.with_root_certificate(certificate);
        }
    }
    Ok(options)
}
