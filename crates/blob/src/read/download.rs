//! A blob, read by one request as long as its connection lasts, and by further ones from where it stopped.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG, IF_MATCH, RANGE};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use object_store::client::{HttpError, HttpResponse};

use super::{Output, Unwanted};
use crate::error::{Error, Kind};
use crate::storage::{Answer, Patience, Request, Storage, Trouble};

/// Bytes that are collected before they are handed on.
const COLLECT: usize = 256 * 1024;

/// Asks for the blob, begins to read it and returns its size.
pub(super) async fn start(storage: Storage, output: Output) -> Result<u64, Error> {
    let mut patience = storage.patience();
    let request = Request::new(Method::GET);
    let response = storage.send(&request, &mut patience).await.map_err(|answer| storage.explain(answer))?;
    let size = text(response.headers(), CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let etag = text(response.headers(), ETAG).map(str::to_owned);
    let (Some(size), Some(etag)) = (size, etag) else {
        let what = "the answer has no length or no ETag, so it is no storage account's";
        return Err(Error::new(
            Kind::Failed,
            storage.place(),
            what,
            "check the address and the proxies on the way",
        ));
    };
    patience.progress();
    let download = Download { storage, patience, size, etag, offset: 0 };
    tokio::spawn(download.run(response, output));
    Ok(size)
}

struct Download {
    storage: Storage,
    patience: Patience,
    size: u64,
    /// The version of the blob that is being read.
    etag: String,
    offset: u64,
}

impl Download {
    async fn run(mut self, response: HttpResponse, output: Output) {
        let mut body = response.into_body().bytes_stream();
        while self.offset < self.size {
            let trouble = match self.carry(&mut body, &output).await {
                Ok(None) => return,
                Ok(Some(trouble)) => Answer::Trouble(trouble),
                Err(Unwanted) => return,
            };
            let resumed = tokio::select! {
                () = output.chunks.closed() => return,
                resumed = self.resume(trouble) => resumed,
            };
            match resumed {
                Ok(resumed) => body = resumed,
                // Nobody wants the error either, if this fails.
                Err(error) => return drop(output.chunks.send(Err(error)).await),
            }
        }
    }

    /// Carries a body to its end. `None` if that is the blob's end too, else why it is not.
    async fn carry(
        &mut self,
        body: &mut BoxStream<'static, Result<Bytes, HttpError>>,
        output: &Output,
    ) -> Result<Option<Trouble>, Unwanted> {
        // TLS hands out 16 KiB at a time, which would make the few chunks that wait a short reserve.
        let mut collected = BytesMut::new();
        let trouble = loop {
            let next = tokio::select! {
                () = output.chunks.closed() => return Err(Unwanted),
                next = tokio::time::timeout(self.storage.stall_limit(), body.next()) => next,
            };
            match next {
                Err(_) => break Trouble::Silent,
                Ok(Some(Err(error))) => break Trouble::Http(error),
                Ok(None) => break Trouble::Short,
                Ok(Some(Ok(bytes))) => {
                    self.offset += bytes.len() as u64;
                    if bytes.len() >= COLLECT && collected.is_empty() {
                        output.send(bytes).await?;
                    } else {
                        collected.extend_from_slice(&bytes);
                        if collected.len() >= COLLECT {
                            output.send(collected.split().freeze()).await?;
                        }
                    }
                    // Only now: a reader that takes its time is no fault of the network.
                    self.patience.progress();
                }
            }
        };
        // Without a byte this was no progress, or a server that sends none would be asked for ever.
        if !collected.is_empty() {
            output.send(collected.freeze()).await?;
            self.patience.progress();
        }
        Ok((self.offset < self.size).then_some(trouble))
    }

    /// Asks for the rest, of the same version of the blob.
    async fn resume(
        &mut self,
        trouble: Answer,
    ) -> Result<BoxStream<'static, Result<Bytes, HttpError>>, Error> {
        self.patience.wait(trouble).await.map_err(|answer| self.storage.explain(answer))?;
        tracing::debug!(place = %self.storage.place(), offset = self.offset, "going on with a broken read");
        let request = Request::new(Method::GET)
            .header(RANGE, format!("bytes={}-", self.offset))
            .header(IF_MATCH, self.etag.as_str());
        let response = match self.storage.send(&request, &mut self.patience).await {
            Ok(response) => response,
            Err(answer) => return Err(self.lost(answer)),
        };
        let wanted = format!("bytes {}-{}/{}", self.offset, self.size - 1, self.size);
        let same = text(response.headers(), ETAG) == Some(self.etag.as_str());
        let right = text(response.headers(), CONTENT_RANGE) == Some(wanted.as_str());
        if !same || !right || response.status() != StatusCode::PARTIAL_CONTENT {
            return Err(self.changed());
        }
        Ok(response.into_body().bytes_stream())
    }

    fn lost(&self, answer: Answer) -> Error {
        match answer.status() {
            Some(
                StatusCode::PRECONDITION_FAILED | StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::NOT_FOUND,
            ) => self.changed(),
            _ => self.storage.explain(answer),
        }
    }

    fn changed(&self) -> Error {
        Error::new(
            Kind::Changed,
            self.storage.place(),
            format!(
                "it was replaced or deleted while it was read, after {} of {} bytes",
                self.offset, self.size
            ),
            "what has been read so far is not whole; start again when nothing writes to it",
        )
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
