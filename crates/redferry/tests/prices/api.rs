//! A server in the place of the retail price API, which answers as a test wants it, and remembers what it was asked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use testkit::tls::Identity;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub type Answer = Response<BoxBody<Bytes, Infallible>>;

/// The server, for as long as the test's runtime.
pub struct Api {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// As it arrived.
    pub uri: String,
    /// Decoded.
    pub query: Vec<(String, String)>,
}

impl Asked {
    /// The filter, or how the next page is called.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

impl Api {
    /// Answers each request by its number, from 0.
    pub async fn start(answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static) -> Api {
        Api::listen(answer, None).await
    }

    /// The same by HTTPS, as `localhost`.
    pub async fn start_tls(
        identity: &Identity,
        answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static,
    ) -> Api {
        let certificates =
            CertificateDer::pem_file_iter(&identity.cert).unwrap().map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_file(&identity.key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap();
        Api::listen(answer, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn listen(
        answer: impl Fn(usize, &Asked) -> Answer + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = match tls {
            Some(_) => format!("https://localhost:{port}/api/retail/prices"),
            None => format!("http://127.0.0.1:{port}/api/retail/prices"),
        };
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, asks) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, answer, asks) = (tls.clone(), Arc::clone(&answer), Arc::clone(&asks));
                tokio::spawn(async move {
                    match tls {
                        // A client that does not trust the certificate goes away.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, &*answer, &asks).await;
                            }
                        }
                        None => serve(stream, &*answer, &asks).await,
                    }
                });
            }
        });
        Api { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &(dyn Fn(usize, &Asked) -> Answer + Send + Sync),
    asks: &Mutex<Vec<Asked>>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let uri = request.uri().to_string();
        let url = Url::parse("http://api").unwrap().join(&uri).unwrap();
        let asked = Asked { uri, query: url.query_pairs().into_owned().collect() };
        let number = {
            let mut asks = asks.lock().unwrap();
            asks.push(asked.clone());
            asks.len() - 1
        };
        std::future::ready(Ok::<_, Infallible>(answer(number, &asked)))
    });
    // A client that goes away in the middle of an answer is what some tests want.
    _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An answer with this body.
pub fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
    Response::builder().status(status).body(Full::new(body.into()).boxed()).unwrap()
}

/// The same with a header.
pub fn with_header(status: u16, name: &str, value: &str) -> Answer {
    Response::builder().status(status).header(name, value).body(Full::default().boxed()).unwrap()
}

/// A page of meters, each a SKU and its price in a region.
pub fn page(region: &str, prices: &[(&str, f64)], next: Option<&str>) -> Answer {
    let item = |(sku, price): &(&str, f64)| {
        json!({ "meterName": format!("{sku} Cache Instance"), "armRegionName": region, "retailPrice": price,
                "currencyCode": "USD", "type": "Consumption", "serviceName": "Redis Cache",
                "unitOfMeasure": "1 Hour" })
    };
    let items: Vec<Value> = prices.iter().map(item).collect();
    let page =
        json!({ "BillingCurrency": "USD", "Items": items, "NextPageLink": next, "Count": items.len() });
    answer(200, page.to_string())
}

/// An answer that never ends: with more and more bytes, or with nothing after the first.
pub fn endless(bytes: bool) -> Answer {
    Response::new(Endless { bytes, begun: false }.boxed())
}

struct Endless {
    bytes: bool,
    begun: bool,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.begun && !self.bytes {
            return Poll::Pending;
        }
        self.begun = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 64 * 1024])))))
    }
}

/// Where nobody listens.
pub fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}/api/retail/prices", listener.local_addr().unwrap())
}
