//! Does the copy go the right way round, and does it hit what it should?

use client::address::Service;
use migration::conflict::OnConflict;

use super::{Outcome, Picture};
use crate::preflight::identity::Identity;

pub(super) fn same_server(picture: &Picture<'_>) -> Outcome {
    match picture.identity {
        Identity::Different => Outcome::ok("source and target are different servers"),
        Identity::Same(reason) => Outcome::refused(
            format!("source and target are the same server: {reason}"),
            "check both addresses; the target is a cache of its own",
        ),
        Identity::Unknown => Outcome::warning(
            "it could not be proved that source and target are different servers: they hide their run ids \
             and refuse CLIENT SETNAME or CLIENT LIST",
            "look at both host names again before you go on",
        ),
    }
}

/// Signs that the user gave the two addresses in the wrong order. They forbid what would destroy the good
/// cache, and make a remark otherwise: copying back is a way that people go.
pub(super) fn swapped(picture: &Picture<'_>) -> Outcome {
    let (source, target) = (picture.source, picture.target);
    let mut signs = Vec::new();
    if source.facts.keys() == 0 && target.facts.keys() > 0 {
        signs.push(format!("the source is empty and the target holds {} keys", target.facts.keys()));
    }
    if matches!(source.service, Service::AzureManaged) && target.service == Service::AzureCache {
        signs.push("the source is Azure Managed Redis and the target Azure Cache for Redis".to_owned());
    }
    if signs.is_empty() {
        return Outcome::ok("nothing suggests that source and target were swapped");
    }
    let text = format!("{}: did you swap --source and --target?", signs.join(", and "));
    if picture.wishes.flush_target {
        Outcome::refused(text, "exchange the two addresses; emptying this target would lose what it holds")
    } else {
        Outcome::warning(text, "exchange the two addresses, unless this is the way you want")
    }
}

pub(super) fn target_empty(picture: &Picture<'_>) -> Outcome {
    let facts = &picture.target.facts;
    let dbs = picture.target_dbs();
    let keys: u64 = dbs.iter().map(|&db| facts.keys_in(db)).sum();
    let elsewhere = facts.keys() - keys;
    let wishes = picture.wishes;
    if keys == 0 {
        return match elsewhere {
            0 => Outcome::ok("the target holds no keys"),
            _ if wishes.flush_target => Outcome::note(format!(
                "{elsewhere} keys in other databases of the target will be removed too"
            )),
            _ => Outcome::note(format!(
                "the target's databases to be written are empty; {elsewhere} keys in its others stay"
            )),
        };
    }
    let holds = format!("the target holds {keys} keys");
    if wishes.resuming {
        return Outcome::ok(format!("{holds}, and an earlier run goes on"));
    }
    if wishes.flush_target {
        return Outcome::note(format!("all {} keys of the target will be removed first", facts.keys()));
    }
    match wishes.on_conflict {
        OnConflict::Replace if wishes.follows => Outcome::note(format!(
            "{holds}; those of the same name are overwritten, those that the source does not have are deleted"
        )),
        OnConflict::Skip => Outcome::note(format!("{holds}; those that exist there already are kept")),
        OnConflict::Replace => Outcome::note(format!("{holds}; those of the same name are overwritten")),
        OnConflict::Refuse => {
            let hint = match super::way::swapped(picture).status {
                _ if wishes.from_files => "",
                crate::preflight::Status::Ok => "",
                _ => "; did you swap --source and --target?",
            };
            if wishes.follows {
                return Outcome::refused(
                    format!(
                        "{holds}{hint}; a sync makes the target equal to the source, so those that the source does not \
                         have would be DELETED"
                    ),
                    "give --adopt-target if that is meant, as it is after a copy or an earlier sync to this target; \
                     else name another target",
                );
            }
            let empty = if wishes.from_files { "empty it" } else { "empty it with --flush-target" };
            Outcome::refused(
                format!("{holds}{hint}"),
                format!(
                    "{empty}, or say what happens to keys that exist: --on-conflict skip keeps the target's, \
                     --on-conflict replace overwrites them"
                ),
            )
        }
    }
}
