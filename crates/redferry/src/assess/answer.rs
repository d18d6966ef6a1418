//! Questions to a node that may be refused, but must be answered.

use std::time::Duration;

use client::{Error, Kind, Read, SourceConnection};
use resp::Value;
use tokio::time::timeout;

/// A node that does not answer within this time is not there.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The answer to one question; an error reply is an answer.
pub(super) async fn ask(node: &mut SourceConnection, read: Read<'_>) -> Result<Value, Error> {
    node.push(read);
    reply(node).await
}

/// The answer to the oldest open question.
pub(super) async fn reply(node: &mut SourceConnection) -> Result<Value, Error> {
    match timeout(ANSWER_TIMEOUT, node.reply()).await {
        Ok(answer) => answer,
        Err(_) => Err(node.peer().error(Kind::Silent(ANSWER_TIMEOUT))),
    }
}

/// The text of an answer, or in a few words that it was refused.
pub(super) fn text(command: &str, answer: &Value) -> Result<String, String> {
    match answer {
        Value::Bulk(_) | Value::Verbatim(_) | Value::Simple(_) => {
            Ok(String::from_utf8_lossy(answer.as_bytes().unwrap_or_default()).into_owned())
        }
        other => Err(refusal(command, other)),
    }
}

/// Only the first word of an error: the rest may repeat what was asked.
pub(super) fn refusal(command: &str, answer: &Value) -> String {
    match answer {
        Value::Error(text) => {
            let text = String::from_utf8_lossy(text);
            let word = text.split_whitespace().next().unwrap_or("ERR");
            format!("the source refused {command} ({word})")
        }
        _ => format!("the source answered {command} with something else"),
    }
}
