//! Removing keys from the target one by one, by UNLINK or, where that is not allowed, by DEL.

use client::reply::ReplyKind;
use client::{Error, Kind, Peer, TargetConnection};
use resp::Value;

/// The command that removes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Removal {
    /// Does not make the server wait until the value's memory is free.
    #[default]
    Unlink,
    /// Where UNLINK is not allowed.
    Del,
}

impl Removal {
    /// Its name.
    pub(crate) fn command(self) -> &'static [u8] {
        match self {
            Removal::Unlink => b"UNLINK",
            Removal::Del => b"DEL",
        }
    }
}

/// Removes each of these keys and returns what the server said to each: 1 when the key was there, 0 when it
/// was not, or an error.
///
/// Each key gets a command of its own: one command for several keys of different slots is refused by some
/// clustering policies.
///
/// # Errors
/// The connection is lost.
pub(crate) async fn each(connection: &mut TargetConnection, keys: &[&[u8]]) -> Result<Vec<Value>, Error> {
    let mut replies = send(connection, Removal::Unlink, keys).await?;
    let refused: Vec<usize> = (0..keys.len()).filter(|&index| is_refused(&replies[index])).collect();
    let again: Vec<&[u8]> = refused.iter().map(|&index| keys[index]).collect();
    for (index, reply) in refused.into_iter().zip(send(connection, Removal::Del, &again).await?) {
        replies[index] = reply;
    }
    Ok(replies)
}

/// What an error reply to one of the removals, or to a look at one key, means. Its words hold no name: Redis
/// repeats the arguments of a command that it does not know.
pub(crate) fn refusal(peer: &Peer, command: &'static str, reply: &Value) -> Error {
    let mut error = Error::from_reply(peer, command, reply);
    if let Kind::Reply { kind: ReplyKind::UnknownCommand, text, .. } = &mut *error.kind {
        *text = "unknown command".to_owned();
    }
    error
}

/// Whether an error reply means that the server does not let this user run the command.
pub(crate) fn is_not_allowed(kind: &ReplyKind) -> bool {
    matches!(kind, ReplyKind::UnknownCommand | ReplyKind::NoPerm)
}

fn is_refused(reply: &Value) -> bool {
    matches!(reply, Value::Error(text) if is_not_allowed(&ReplyKind::of(text)))
}

async fn send(
    connection: &mut TargetConnection,
    command: Removal,
    keys: &[&[u8]],
) -> Result<Vec<Value>, Error> {
    for key in keys {
        connection.push(&[command.command(), key]);
    }
    let mut replies = Vec::with_capacity(keys.len());
    for _ in keys {
        replies.push(connection.reply().await?);
    }
    Ok(replies)
}
