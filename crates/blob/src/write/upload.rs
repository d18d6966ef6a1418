//! A block blob: blocks of 8 MiB, some at a time, that become a blob by one request at the end ("Put Block" and
//! "Put Block List", Azure documentation).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use http::{Method, StatusCode};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::task::JoinSet;

use crate::error::{Error, Kind};
use crate::storage::{Answer, Request, Storage};

/// Bytes of a block.
pub(super) const BLOCK: usize = 8 * 1024 * 1024;

/// Blocks on their way at a time.
pub(super) const IN_FLIGHT: usize = 4;

/// Most blocks of a blob ("Scalability and performance targets for Blob storage", Azure documentation).
pub(super) const MAX_BLOCKS: usize = 50_000;

/// An upload. Dropping it stops the blocks on their way.
pub(super) struct Upload {
    storage: Arc<Storage>,
    overwrite: bool,
    /// Tells the blocks of this upload from any other's.
    id: String,
    blocks: usize,
    block: BytesMut,
    on_their_way: JoinSet<Result<(), Answer>>,
}

impl Upload {
    /// Looks whether the container is there, the login is good and the name is free, before gigabytes are sent.
    pub(super) async fn create(storage: Storage, overwrite: bool) -> Result<Self, Error> {
        let looked = storage.send(&Request::new(Method::HEAD), &mut storage.patience()).await;
        match looked {
            Ok(_) if !overwrite => return Err(exists(&storage)),
            Ok(response) => {
                let kind = response.headers().get("x-ms-blob-type");
                if kind.is_some_and(|kind| kind != "BlockBlob") {
                    return Err(Error::new(
                        Kind::Unsuitable,
                        storage.place(),
                        "it exists and is no block blob",
                        "delete it first, or choose another name",
                    ));
                }
            }
            Err(answer) if Storage::is_missing_blob(&answer) => {}
            // Who may only write gets no answer to this question. The end will tell.
            Err(answer)
                if answer.status() == Some(StatusCode::FORBIDDEN)
                    && storage.sas().is_some_and(|sas| sas.may_lack_read())
                    && answer.code() != "AuthenticationFailed" => {}
            Err(answer) => return Err(storage.explain(answer)),
        }
        let mut random = [0; 8];
        SystemRandom::new().fill(&mut random).map_err(|_| {
            Error::new(
                Kind::Failed,
                storage.place(),
                "this system gives no random numbers",
                "check /dev/urandom",
            )
        })?;
        Ok(Self {
            storage: Arc::new(storage),
            overwrite,
            id: format!("{:016x}", u64::from_be_bytes(random)),
            blocks: 0,
            block: BytesMut::new(),
            on_their_way: JoinSet::new(),
        })
    }

    pub(super) async fn write(&mut self, mut bytes: Bytes) -> Result<(), Error> {
        while !bytes.is_empty() {
            if self.block.capacity() == 0 {
                self.block.reserve(BLOCK);
            }
            let part = bytes.split_to(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(&part);
            if self.block.len() == BLOCK {
                self.send_block().await?;
            }
        }
        Ok(())
    }

    /// Makes the blob. With `overwrite` off, the account itself sees to it that it is a new one.
    pub(super) async fn finish(mut self) -> Result<(), Error> {
        if !self.block.is_empty() {
            self.send_block().await?;
        }
        while let Some(sent) = self.on_their_way.join_next().await {
            self.settle(sent)?;
        }
        let list: String =
            (0..self.blocks).map(|index| format!("<Latest>{}</Latest>", block_id(&self.id, index))).collect();
        let xml = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{list}</BlockList>");
        let mut request = Request::new(Method::PUT)
            .query("comp", "blocklist")
            .header(CONTENT_TYPE, "application/xml")
            .body(xml.into());
        if !self.overwrite {
            request = request.header(IF_NONE_MATCH, "*");
        }
        match self.storage.send(&request, &mut self.storage.patience()).await {
            Ok(_) => Ok(()),
            Err(answer)
                if matches!(
                    answer.status(),
                    Some(StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED)
                ) && !self.overwrite =>
            {
                // The reply to an earlier attempt may have been lost. Then the blob is there, and it is ours.
                if self.is_made().await { Ok(()) } else { Err(self.refused(answer)) }
            }
            Err(answer) => Err(self.storage.explain(answer)),
        }
    }

    async fn send_block(&mut self) -> Result<(), Error> {
        if self.blocks == MAX_BLOCKS {
            return Err(Error::new(
                Kind::Unsuitable,
                self.storage.place(),
                "it would become larger than 390 GiB, the most that can be written to one blob here",
                "compress it, or write one for each shard",
            ));
        }
        while self.on_their_way.len() >= IN_FLIGHT {
            if let Some(sent) = self.on_their_way.join_next().await {
                self.settle(sent)?;
            }
        }
        let request = Request::new(Method::PUT)
            .query("comp", "block")
            .query("blockid", block_id(&self.id, self.blocks))
            .body(std::mem::take(&mut self.block).freeze());
        self.blocks += 1;
        let storage = Arc::clone(&self.storage);
        self.on_their_way.spawn(async move {
            let mut patience = storage.patience();
            // The container has been seen, so it is worth the whole time.
            patience.progress();
            storage.send(&request, &mut patience).await.map(drop)
        });
        Ok(())
    }

    fn settle(&self, sent: Result<Result<(), Answer>, tokio::task::JoinError>) -> Result<(), Error> {
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(answer)) => Err(self.storage.explain(answer)),
            Err(stopped) => Err(Error::new(
                Kind::Failed,
                self.storage.place(),
                "a block was not sent",
                "start again; the runtime was shutting down, or this is a bug",
            )
            .because(stopped)),
        }
    }

    /// Whether the blob consists of this upload's blocks.
    async fn is_made(&self) -> bool {
        if self.blocks == 0 {
            // Nothing tells one empty blob from another.
            return false;
        }
        let request =
            Request::new(Method::GET).query("comp", "blocklist").query("blocklisttype", "committed");
        let Ok(response) = self.storage.send(&request, &mut self.storage.patience()).await else {
            return false;
        };
        let Ok(list) = response.into_body().bytes().await else { return false };
        let list = String::from_utf8_lossy(&list);
        list.contains(&block_id(&self.id, 0)) && list.matches("<Name>").count() == self.blocks
    }

    fn refused(&self, answer: Answer) -> Error {
        match answer.code() {
            "BlobAlreadyExists" | "ConditionNotMet" | "" => exists(&self.storage),
            _ => self.storage.explain(answer),
        }
    }
}

/// Names of blocks are base64 and equally long. These are base64 of bytes that nobody looks at: 16 hexadecimal digits
/// and 8 decimal ones are a multiple of four of base64's own characters.
fn block_id(id: &str, index: usize) -> String {
    format!("{id}{index:08}")
}

fn exists(storage: &Storage) -> Error {
    let what = "it exists";
    Error::new(Kind::AlreadyExists, storage.place(), what, "allow to overwrite it, or choose another name")
}
