//! Which databases there are, which are wanted, and whether the target has a place for them.

use super::{Outcome, Picture, list};
use crate::preflight::findings::Layout;
use crate::preflight::wishes::DbWish;

pub(super) fn databases(picture: &Picture<'_>) -> Outcome {
    let source = &picture.source.facts;
    if picture.wishes.databases == DbWish::Default && source.databases.len() > 1 {
        let counts: Vec<String> =
            source.databases.iter().map(|found| format!("{} ({} keys)", found.db, found.keys)).collect();
        let numbers: Vec<String> = source.databases.iter().map(|found| found.db.to_string()).collect();
        return Outcome::refused(
            format!("the source has keys in databases {}, and none was chosen", list(&counts)),
            format!(
                "choose with --db (for example --db {}), or take all of them with --all-dbs --prefix-by-db",
                numbers.join(",")
            ),
        );
    }
    let found = [not_on_source(picture), not_on_target(picture), nothing_there(picture)];
    let moves: Vec<String> = picture
        .wanted
        .iter()
        .map(|&db| match picture.wishes.target_db(db) {
            same if same == db => format!("{db} ({} keys)", source.keys_in(db)),
            other => format!("{db} ({} keys) into {other}", source.keys_in(db)),
        })
        .collect();
    let word = if moves.len() == 1 { "database" } else { "databases" };
    Outcome::worst_of(
        found.into_iter().flatten().collect(),
        format!("the copy takes {word} {}", list(&moves)),
    )
}

fn not_on_source(picture: &Picture<'_>) -> Option<Outcome> {
    let missing = &picture.source.missing_dbs;
    let (_, words) = missing.first()?;
    let numbers: Vec<String> = missing.iter().map(|(db, _)| db.to_string()).collect();
    Some(Outcome::refused(
        format!("the source has no database {} ({words})", list(&numbers)),
        match picture.source.facts.topology {
            Layout::Cluster => "leave --db out: a cluster has database 0 only",
            Layout::Single => "correct --db",
        },
    ))
}

fn not_on_target(picture: &Picture<'_>) -> Option<Outcome> {
    let missing = &picture.target.missing_dbs;
    let (_, words) = missing.first()?;
    let numbers: Vec<String> = missing.iter().map(|(db, _)| db.to_string()).collect();
    let maps: Vec<String> = picture
        .wanted
        .iter()
        .filter(|&&db| missing.iter().any(|(gone, _)| *gone == picture.wishes.target_db(db)))
        .map(|db| format!("--db-map {db}=0"))
        .collect();
    let prefix = if picture.wanted.len() > 1 {
        ", with --db-prefix so that their keys stay apart, or use --prefix-by-db"
    } else {
        ""
    };
    Some(Outcome::refused(
        format!("the target has no database {} ({words})", list(&numbers)),
        format!("send them to another one: {}{prefix}", maps.join(" ")),
    ))
}

fn nothing_there(picture: &Picture<'_>) -> Option<Outcome> {
    let source = &picture.source.facts;
    if source.keys() == 0 {
        return Some(Outcome::note(format!("{} holds no keys", picture.origin())));
    }
    let empty: Vec<String> =
        picture.wanted.iter().filter(|&&db| source.keys_in(db) == 0).map(ToString::to_string).collect();
    (!empty.is_empty())
        .then(|| Outcome::note(format!("{}'s database {} holds no keys", picture.origin(), list(&empty))))
}
