//! Azure's retail price API over HTTP. A command must not hang where there is no network: time, bytes and pages all have
//! an end.

mod trouble;

use std::collections::BTreeSet;
use std::time::Duration;

use planner::Date;
use planner::price::{Answer, PriceSource, Prices, answers, query};
use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use tokio::time::{Instant, sleep, timeout_at};

pub(crate) use self::trouble::Failure;
use self::trouble::Trouble;

/// How long a connection may take to be made.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long a region may take: all its pages, and what is tried again.
const LIMIT: Duration = Duration::from_secs(10);
/// The first wait before a question is asked again, where the API names none. Each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The largest page, in bytes. One of 1,000 meters, more than the API sends, has less than 1 MB.
const LARGEST: usize = 8 << 20;
/// Pages of a region. It has one or two.
const PAGES: usize = 20;

/// The API, or a mirror of it.
pub(super) struct RetailPrices {
    client: Client,
    api: Url,
}

impl RetailPrices {
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub(super) fn at(api: &Url) -> Result<RetailPrices, Failure> {
        // reqwest is built without a TLS library of its own. An error means that one is chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("redferry/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_LIMIT)
            // Prices are those of whom was asked.
            .redirect(Policy::none())
            .build()
            .map_err(|error| Failure::new(api, Trouble::Setup(trouble::innermost(error))))?;
        Ok(RetailPrices { client, api: api.clone() })
    }

    /// What these regions sell today; nothing where a region is not known.
    ///
    /// # Errors
    /// The API is not reached, refuses the question, or answers something else.
    pub(super) async fn of(
        &self,
        regions: &BTreeSet<String>,
        currency: &str,
        today: Date,
    ) -> Result<Prices, Failure> {
        let failed = |trouble| Failure::new(&self.api, trouble);
        let mut pages = Vec::new();
        for region in regions {
            let deadline = Instant::now() + LIMIT;
            let asked = self.pages(question(&self.api, region, currency), deadline);
            pages.extend(asked.await.map_err(failed)?);
        }
        Prices::of_answers(pages, PriceSource::Live, Some(today))
            .map_err(|error| failed(Trouble::NotUnderstood(error.to_string())))
    }

    /// Every page of an answer.
    async fn pages(&self, first: Url, deadline: Instant) -> Result<Vec<Answer>, Trouble> {
        let (mut pages, mut next) = (Vec::new(), Some(first));
        while let Some(url) = next {
            if pages.len() >= PAGES {
                return Err(Trouble::TooManyPages(PAGES));
            }
            let text = self.page(url, deadline).await?;
            pages.extend(answers(&text).map_err(|error| Trouble::NotUnderstood(error.to_string()))?);
            let link = pages.last().and_then(|page| page.next_page.as_deref());
            next = link.filter(|link| !link.is_empty()).map(|link| self.next_page(link)).transpose()?;
        }
        Ok(pages)
    }

    /// Where the next page is: at the same place as the others, or prices would be those of somebody else.
    fn next_page(&self, link: &str) -> Result<Url, Trouble> {
        let url = self.api.join(link).map_err(|_| Trouble::NotUnderstood("NextPageLink is no URL".into()))?;
        if url.origin() != self.api.origin() {
            return Err(Trouble::OtherOrigin(trouble::origin(&url)));
        }
        Ok(url)
    }

    /// Asks until there is an answer that another try would not change.
    async fn page(&self, url: Url, deadline: Instant) -> Result<String, Trouble> {
        let mut wait = FIRST_WAIT;
        loop {
            let busy = match self.once(url.clone(), deadline).await? {
                Got::Text(text) => return Ok(text),
                Got::Busy(busy) => busy,
            };
            let asked = busy.wait.unwrap_or(wait);
            if asked >= deadline.saturating_duration_since(Instant::now()) {
                return Err(Trouble::Busy { status: busy.status, wait: busy.wait });
            }
            tracing::debug!(status = %busy.status, wait = ?asked, "retail price API: asking again");
            sleep(asked).await;
            wait *= 2;
        }
    }

    async fn once(&self, url: Url, deadline: Instant) -> Result<Got, Trouble> {
        let late = |_| Trouble::Late(LIMIT);
        let asked = timeout_at(deadline, self.client.get(url).send()).await.map_err(late)?;
        let response = asked.map_err(Trouble::of)?;
        let status = response.status();
        if status.is_redirection() {
            return Err(Trouble::Redirected(trouble::target(&response)));
        }
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Ok(Got::Busy(Busy { status, wait: retry_after(&response) }));
        }
        let text = timeout_at(deadline, body(response)).await.map_err(late)?;
        if status.is_success() { text.map(Got::Text) } else { Err(Trouble::refusal(status, text)) }
    }
}

enum Got {
    Text(String),
    Busy(Busy),
}

/// Not now.
struct Busy {
    status: StatusCode,
    /// How long the API asks to be left alone.
    wait: Option<Duration>,
}

/// Spaces as %20: a plus is one in forms only.
fn question(api: &Url, region: &str, currency: &str) -> Url {
    let mut url = api.clone();
    url.query_pairs_mut().extend_pairs(query(region, currency));
    let encoded = url.query().map(|query| query.replace('+', "%20"));
    url.set_query(encoded.as_deref());
    url
}

/// In seconds. The API sends no dates.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn body(mut response: Response) -> Result<String, Trouble> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Trouble::of)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(Trouble::TooLarge(LARGEST));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Trouble::NotUnderstood("it is no UTF-8 text".into()))
}
