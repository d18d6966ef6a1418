//! Can both sides do what the copy needs?

use super::{Outcome, Picture, list};
use crate::preflight::findings::SideFacts;

pub(super) fn commands(picture: &Picture<'_>) -> Outcome {
    let mut found = Vec::new();
    for (name, facts) in [("source", &picture.source.facts), ("target", &picture.target.facts)] {
        let missing: Vec<String> = facts
            .commands
            .iter()
            .filter(|tried| tried.needed && !tried.available)
            .map(|tried| format!("{} ({})", tried.command, tried.note))
            .collect();
        if !missing.is_empty() {
            found.push(Outcome::refused(
                format!("the {name} lacks {}", list(&missing)),
                "give this user a data access policy that allows them, or use another user",
            ));
        }
    }
    let lacks = |facts: &SideFacts, command| !facts.commands.is_empty() && !facts.has(command);
    if lacks(&picture.target.facts, "RESTORE") {
        found.push(Outcome::warning(
            "the target takes no RESTORE: values are written type by type, which is slower, and module \
             types cannot be copied",
            "a geo-replicated cache behaves so; import before linking it if you can",
        ));
    }
    if lacks(&picture.source.facts, "MEMORY USAGE") {
        found.push(Outcome::warning(
            "the source has no MEMORY USAGE: large keys are told by their number of elements alone",
            "lower --big-key if elements are large",
        ));
    }
    for (name, facts) in [("source", &picture.source.facts), ("target", &picture.target.facts)] {
        let missing: Vec<String> = facts
            .commands
            .iter()
            .filter(|tried| !tried.needed && !tried.available && !has_another_way(tried.command))
            .map(|tried| tried.command.to_owned())
            .collect();
        if !missing.is_empty() {
            found.push(Outcome::warning(
                format!("the {name} lacks {}: some large keys cannot be copied in pieces", list(&missing)),
                "allow these commands to this user, or raise --big-key if the keys are not too large",
            ));
        }
    }
    Outcome::worst_of(found, "everything that is needed can be used")
}

/// Commands that have a remark of their own, that only a newer version has, or that only an option needs.
fn has_another_way(command: &str) -> bool {
    matches!(
        command,
        "RESTORE"
            | "MEMORY USAGE"
            | "HPEXPIRETIME"
            | "HPEXPIREAT"
            | "PEXPIREAT"
            | "OBJECT IDLETIME"
            | "OBJECT FREQ"
            | "MULTI"
    )
}

pub(super) fn version(picture: &Picture<'_>) -> Outcome {
    let (source, target) = (&picture.source.facts, &picture.target.facts);
    match (source.release(), target.release()) {
        (Some(from), Some(to)) if from > to => Outcome::warning(
            format!(
                "the source ({}) is newer than the target ({}): values are written in their older form, and \
                 those that have none (hash fields that expire) are refused",
                source.version.as_deref().unwrap_or_default(),
                target.version.as_deref().unwrap_or_default()
            ),
            "use a target of the same version or a newer one if you can",
        ),
        (Some(_), Some(_)) => Outcome::ok("the target is not older than the source"),
        _ => Outcome::note("a side does not tell its version; payloads are tried"),
    }
}

pub(super) fn modules(picture: &Picture<'_>) -> Outcome {
    let Some(source) = &picture.source.facts.modules else {
        return Outcome::note("the source does not list its modules; Azure Cache for Redis has none");
    };
    if source.is_empty() {
        return Outcome::ok("the source has no modules");
    }
    let names = || list(&source.iter().map(|module| module.name.clone()).collect::<Vec<_>>());
    let Some(target) = &picture.target.facts.modules else {
        return Outcome::warning(
            format!("the source has {}, and the target does not list its modules", names()),
            "make sure that the target has them: keys of their types cannot be copied without",
        );
    };
    let missing: Vec<String> = source
        .iter()
        .filter(|module| !target.iter().any(|other| other.name.eq_ignore_ascii_case(&module.name)))
        .map(|module| module.name.clone())
        .collect();
    if missing.is_empty() {
        Outcome::ok(format!("the target has the source's modules: {}", names()))
    } else {
        Outcome::warning(
            format!("the target lacks the source's modules {}", list(&missing)),
            "create the target with these modules: keys of their types cannot be copied without",
        )
    }
}
