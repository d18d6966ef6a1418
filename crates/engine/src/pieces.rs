//! stub
use std::sync::Arc;
use client::{Error, Node};
use client::reply::ReplyKind;
use migration::tally::{Cause, KeyType};
use crate::run::Run;
#[derive(Debug)]
pub(crate) struct PieceCopier { }
#[derive(Debug)]
pub(crate) enum PiecesEnd { Copied { kind: KeyType, bytes: u64 }, Not(Cause), Refused { node: String, kind: ReplyKind, text: String }, Moved, Stopped }
impl PieceCopier { pub(crate) fn new(_run: Arc<Run>, _node: Node, _db: u32) -> Self { PieceCopier {} }
 pub(crate) async fn copy(&mut self, _key: &[u8]) -> Result<PiecesEnd, Error> { Ok(PiecesEnd::Not(Cause::RestoreRefused)) } }
