//! Why a try ended before the key was copied, and what a server's error reply means for it.

use client::Error;
use client::reply::ReplyKind;
use migration::tally::Cause;
use resp::Value;

use super::PiecesEnd;

/// An end before the end.
#[derive(Debug)]
pub(super) enum Early {
    /// A connection is lost, or cannot be used any more.
    Lost(Error),
    /// The key's end is known.
    End(PiecesEnd),
    /// The key's end is known from a server's error reply.
    Not {
        /// Its cause.
        cause: Cause,
        /// Who said what, for the log.
        words: String,
    },
    /// The source's key changed while it was read.
    Changed,
    /// The target's key is not what was written.
    Incomplete,
}

/// The result of one step of a try.
pub(super) type Step<T> = Result<T, Early>;

impl From<Error> for Early {
    fn from(error: Error) -> Early {
        Early::Lost(error)
    }
}

impl Early {
    /// What a source's error reply to a read means.
    pub(super) fn by_source(error: Error) -> Early {
        let client::Kind::Reply { kind, text, .. } = &*error.kind else { return Early::Lost(error) };
        match kind {
            ReplyKind::Moved { .. } | ReplyKind::Ask { .. } => Early::End(PiecesEnd::SourceMoved),
            ReplyKind::NoPerm => Early::not(Cause::SourceForbids, &error, text),
            ReplyKind::TryAgain
            | ReplyKind::ClusterDown
            | ReplyKind::Loading
            | ReplyKind::MasterDown
            | ReplyKind::ReadOnly
            | ReplyKind::Busy
            | ReplyKind::MaxClients
            | ReplyKind::NoAuth
            | ReplyKind::WrongPass => Early::Lost(error),
            // Another type, no key or no group: somebody replaced or removed it since it was looked at.
            ReplyKind::WrongType => Early::Changed,
            _ if is_missing(text) => Early::Changed,
            _ => Early::not(Cause::SourceError, &error, text),
        }
    }

    /// What a target's error reply to a write means.
    pub(super) fn by_target(error: Error) -> Early {
        let client::Kind::Reply { command, kind, text } = &*error.kind else { return Early::Lost(error) };
        match kind {
            ReplyKind::Moved { .. }
            | ReplyKind::Ask { .. }
            | ReplyKind::TryAgain
            | ReplyKind::ClusterDown => Early::End(PiecesEnd::TargetMoved),
            // "... to access a key" is about this key's name or the temporary one's, all else about the user.
            ReplyKind::NoPerm if text.contains("to access") => Early::not(Cause::TargetForbids, &error, text),
            ReplyKind::Oom
            | ReplyKind::ReadOnly
            | ReplyKind::MisConf
            | ReplyKind::NoReplicas
            | ReplyKind::NoAuth
            | ReplyKind::WrongPass
            | ReplyKind::NoPerm => Early::End(PiecesEnd::Refused {
                node: error.peer.node.to_string(),
                kind: kind.clone(),
                text: text.clone(),
            }),
            ReplyKind::Loading | ReplyKind::MasterDown | ReplyKind::Busy | ReplyKind::MaxClients => {
                Early::Lost(error)
            }
            // A target before 7.4, for a hash whose fields expire.
            ReplyKind::UnknownCommand if *command == "HPEXPIREAT" => {
                Early::not(Cause::FormatUnfit, &error, text)
            }
            // The temporary key was there a moment ago.
            _ if is_missing(text) => Early::Incomplete,
            _ if is_about_size(text) => Early::not(Cause::TooLarge, &error, text),
            _ => Early::not(Cause::TargetError, &error, text),
        }
    }

    fn not(cause: Cause, error: &Error, text: &str) -> Early {
        let client::Kind::Reply { command, .. } = &*error.kind else {
            return Early::Not { cause, words: error.peer.to_string() };
        };
        // Redis repeats the arguments of a command that it does not know: names and values.
        let said = text.split(['`', '\'', ',']).next().unwrap_or_default().trim_end();
        Early::Not { cause, words: format!("{} said to {command}: {said}", error.peer) }
    }
}

/// A reply that should not be an error, as it is; else the error.
pub(super) fn no_error(reply: Value, error: impl FnOnce(&Value) -> Early) -> Step<Value> {
    if reply.is_error() { Err(error(&reply)) } else { Ok(reply) }
}

/// `ERR no such key`, also with more words before it, and `NOGROUP ...` (t_stream.c, db.c).
fn is_missing(text: &str) -> bool {
    text.starts_with("NOGROUP") || text.contains("no such key") || text.contains("requires the key to exist")
}

/// `invalid bulk length` (networking.c), `string exceeds maximum allowed size` (t_string.c), and
/// `maximum` or `too large` in what services say.
fn is_about_size(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["bulk length", "maximum allowed size", "too large", "too big"].iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use client::{Node, Peer, Side};

    use super::*;

    fn error(side: Side, text: &'static str) -> Error {
        let peer = Peer { side, node: Node { host: "cache.example".into(), port: 10000 } };
        Error::from_reply(&peer, "RPUSH", &Value::Error(Bytes::from_static(text.as_bytes())))
    }

    fn cause(early: &Early) -> Option<Cause> {
        if let Early::Not { cause, .. } = early { Some(*cause) } else { None }
    }

    #[test]
    fn refusals_of_a_key_are_told_from_refusals_of_everything() {
        let by_target = |text| Early::by_target(error(Side::Target, text));
        let key = by_target("NOPERM No permissions to access a key");
        assert_eq!(cause(&key), Some(Cause::TargetForbids), "{key:?}");
        for text in
            ["NOPERM User app has no permissions to run the 'rpush' command", "OOM command not allowed"]
        {
            let early = by_target(text);
            assert!(matches!(&early, Early::End(PiecesEnd::Refused { .. })), "{text}: {early:?}");
        }
        assert_eq!(cause(&by_target("ERR Protocol error: invalid bulk length")), Some(Cause::TooLarge));
        let too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
        assert_eq!(cause(&by_target(too_long)), Some(Cause::TooLarge));
        assert!(matches!(by_target("ERR no such key"), Early::Incomplete));
        assert!(matches!(by_target("MOVED 12 10.0.0.1:8500"), Early::End(PiecesEnd::TargetMoved)));
        assert!(matches!(by_target("LOADING Redis is loading"), Early::Lost(_)));
    }

    #[test]
    fn a_source_that_lost_the_key_is_asked_again() {
        let by_source = |text| Early::by_source(error(Side::Source, text));
        for text in ["WRONGTYPE Operation against", "ERR no such key", "NOGROUP No such key 'secret'"] {
            assert!(matches!(by_source(text), Early::Changed), "{text}");
        }
        assert_eq!(cause(&by_source("NOPERM this user has no permissions")), Some(Cause::SourceForbids));
        for text in ["MOVED 12 10.0.0.1:8500", "ASK 12 10.0.0.1:8500"] {
            assert!(matches!(by_source(text), Early::End(PiecesEnd::SourceMoved)), "{text}");
        }
        assert!(matches!(by_source("CLUSTERDOWN The cluster is down"), Early::Lost(_)));
        assert_eq!(cause(&by_source("ERR something else")), Some(Cause::SourceError));
    }

    #[test]
    fn words_for_the_log_hold_no_arguments() {
        let texts = [
            "ERR unknown command `SSCAN`, with args beginning with: `secret`",
            "ERR unknown command 'X', with secret",
        ];
        for text in texts {
            let Early::Not { words, .. } = Early::by_source(error(Side::Source, text)) else {
                panic!("{text}")
            };
            assert!(words.contains("unknown command") && !words.contains("secret"), "{words}");
        }
    }
}
