//! Trying each command that the copy writes with, in ways that cannot write.
//!
//! `SET ... XX` on a key that does not exist and `RESTORE` of a payload that is none are carried out and
//! change nothing. All others are queued in a transaction that is discarded: the server refuses what it
//! does not know or does not allow when the command is queued (server.c, processCommand).

use client::reply::ReplyKind;
use client::{Error, TargetConnection};
use resp::Value;

use super::findings::CommandFacts;
use super::probe_key::ProbeKey;
use super::source_commands::refusal;

/// A far moment, in milliseconds since 1970.
const IN_2100: &[u8] = b"4102444800000";

/// What a target said.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) commands: Vec<CommandFacts>,
    pub(super) restore: bool,
    /// `None` when the target refused for a reason of its own before it read the options.
    pub(super) set_pxat: Option<bool>,
}

/// Tries whether a node takes writes at all.
///
/// # Errors
/// The connection is lost.
pub(super) async fn try_set(
    connection: &mut TargetConnection,
    key: &ProbeKey,
) -> Result<Option<ReplyKind>, Error> {
    Ok(error_kind(&connection.ask(&[b"SET", key.name(), b"x", b"XX"]).await?))
}

/// Tries all commands on one node of the target.
///
/// # Errors
/// The connection is lost.
pub(super) async fn try_all(connection: &mut TargetConnection, key: &ProbeKey) -> Result<Tried, Error> {
    let key = key.name();
    let set = connection.ask(&[b"SET", key, b"x", b"XX"]).await?;
    let set_pxat = connection.ask(&[b"SET", key, b"x", b"XX", b"PXAT", IN_2100]).await?;
    let restore = connection.ask(&[b"RESTORE", key, b"0", b"no payload"]).await?;
    let set_pxat = match error_kind(&set_pxat) {
        None => Some(true),
        Some(ReplyKind::SyntaxError) => Some(false),
        Some(_) => None,
    };
    let restores = takes_payloads(&restore);
    let pexpireat_needed = set_pxat == Some(false);
    let mut commands = vec![
        facts("SET", true, "writes strings", &set),
        CommandFacts {
            command: "RESTORE",
            available: restores,
            needed: false,
            note: if restores {
                "writes all other types".into()
            } else {
                refusal(&restore).unwrap_or("the server does not take payloads").to_owned()
            },
        },
        facts("TIME", true, "carries times to live from clock to clock", &connection.ask(&[b"TIME"]).await?),
    ];
    let trials = trials(key, pexpireat_needed);
    let multi = connection.ask(&[b"MULTI"]).await?;
    commands.push(facts("MULTI", false, "", &multi));
    if multi.is_error() {
        for trial in trials {
            // Without arguments a command that exists complains about their number and does nothing.
            let reply = connection.ask(&[trial.command.as_bytes()]).await?;
            commands.push(facts(trial.command, trial.needed, trial.purpose, &reply));
        }
    } else {
        for trial in &trials {
            connection.push(&trial.args);
        }
        for trial in &trials {
            commands.push(facts(trial.command, trial.needed, trial.purpose, &connection.reply().await?));
        }
        connection.ask(&[b"DISCARD"]).await?;
    }
    Ok(Tried { commands, restore: restores, set_pxat })
}

/// A payload that is refused for what it is was looked at; a target that cannot write now would look at
/// it later.
fn takes_payloads(reply: &Value) -> bool {
    !matches!(
        error_kind(reply),
        None | Some(
            ReplyKind::UnknownCommand
                | ReplyKind::NoPerm
                | ReplyKind::Other
                | ReplyKind::SyntaxError
                | ReplyKind::WrongArity
        )
    )
}

fn error_kind(reply: &Value) -> Option<ReplyKind> {
    match reply {
        Value::Error(text) => Some(ReplyKind::of(text)),
        _ => None,
    }
}

fn facts(command: &'static str, needed: bool, purpose: &str, reply: &Value) -> CommandFacts {
    let refusal = refusal(reply);
    CommandFacts {
        command,
        available: refusal.is_none(),
        needed,
        note: refusal.unwrap_or(purpose).to_owned(),
    }
}

struct Trial<'a> {
    command: &'static str,
    args: Vec<&'a [u8]>,
    needed: bool,
    purpose: &'static str,
}

fn trials<'a>(key: &'a [u8], pexpireat_needed: bool) -> Vec<Trial<'a>> {
    const LARGE: &str = "writes large keys in pieces, and all keys where RESTORE is refused";
    let trial = |command: &'static str, args: &[&'a [u8]], needed, purpose| Trial {
        command,
        args: [command.as_bytes(), key].into_iter().chain(args.iter().copied()).collect(),
        needed,
        purpose,
    };
    let read_group = Trial {
        command: "XREADGROUP",
        args: vec![b"XREADGROUP", b"GROUP", b"group", b"consumer", b"STREAMS", key, b"0"],
        needed: false,
        purpose: "writes groups of large streams",
    };
    let mut group = trial("XGROUP", &[b"group", b"0"], false, "writes groups of large streams");
    group.args.insert(1, b"CREATE");
    vec![
        trial("DEL", &[], true, "removes keys that are gone"),
        trial("RENAME", &[key], true, "puts large keys into their place"),
        trial("PEXPIREAT", &[IN_2100], pexpireat_needed, "writes times to live"),
        trial("UNLINK", &[], false, LARGE),
        trial("EXISTS", &[], false, LARGE),
        trial("RENAMENX", &[key], false, LARGE),
        trial("SETRANGE", &[b"0", b"x"], false, LARGE),
        trial("RPUSH", &[b"x"], false, LARGE),
        trial("SADD", &[b"x"], false, LARGE),
        trial("HSET", &[b"x", b"x"], false, LARGE),
        trial("ZADD", &[b"1", b"x"], false, LARGE),
        trial("XADD", &[b"*", b"x", b"x"], false, LARGE),
        trial("XTRIM", &[b"MAXLEN", b"0"], false, LARGE),
        trial("XDEL", &[b"0-1"], false, LARGE),
        trial("XSETID", &[b"0-1"], false, LARGE),
        group,
        read_group,
        trial("XCLAIM", &[b"group", b"consumer", b"0", b"0-1"], false, "writes groups of large streams"),
        trial("HPEXPIREAT", &[IN_2100, b"FIELDS", b"1", b"x"], false, "carries expiry of hash fields"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn a_target_takes_payloads_when_it_looked_at_ours() {
        let takes = |text: &'static str| takes_payloads(&Value::Error(Bytes::from_static(text.as_bytes())));
        assert!(takes("ERR DUMP payload version or checksum are wrong"));
        assert!(takes("ERR Bad data format"));
        assert!(takes("OOM command not allowed when used memory > 'maxmemory'."));
        assert!(!takes("ERR unknown command 'RESTORE'"));
        assert!(!takes("ERR RESTORE is not supported in an active-active database"));
        assert!(!takes("NOPERM this user has no permissions to run the 'restore' command"));
    }
}
