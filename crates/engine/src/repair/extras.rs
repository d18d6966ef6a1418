//! Removing keys that only the target has.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use client::reply::ReplyKind;
use client::{Error, Kind, Peer, Read, Recovery, Side, SourceConnection, TargetConnection, Topology};
use migration::pace::Throttle;
use tokio::time::timeout;

use super::Repair;
use crate::patience::Patience;
use crate::run::Stop;
use crate::stop::Halt;
use crate::unlink;

/// Keys between the question to the source and the removal. Few, so that they follow each other at once.
const CHUNK: usize = 100;

/// A database and a name on the target.
type Name = (u32, Vec<u8>);

/// Index of the owner among the primaries, and database.
type Place = (usize, u32);

/// What became of keys that only the target had. Names that are in none of the lists are not there any more.
#[derive(Debug, Default)]
pub struct DeletedOutcome {
    /// Keys removed, as acknowledged.
    pub deleted: u64,
    /// Names on the target whose key the source has after all. They were left alone, or removed a moment
    /// before the source got the key: either way they are to be copied.
    pub on_source: Vec<Name>,
    /// Names that were left alone because one of the sides forbids to look at them or to remove them, or
    /// because nothing is copied into their database.
    pub refused: Vec<Name>,
    /// Names whose end is not known because it ended early.
    pub left: Vec<Name>,
    /// Why it ended before it was done.
    pub halt: Option<Halt>,
}

/// As [`Repair::delete_extras`].
pub(super) async fn delete(repair: &Repair, names: Vec<Name>, stop: &Stop) -> DeletedOutcome {
    let mut outcome = DeletedOutcome::default();
    let rules: Vec<u32> = repair.naming.source_dbs().filter_map(|db| repair.naming.target_db(db)).collect();
    let (names, foreign) = names.into_iter().partition(|(db, _)| rules.contains(db));
    (outcome.left, outcome.refused) = (names, foreign);
    outcome.halt = delete_all(repair, &mut outcome, stop).await.err();
    outcome
}

async fn delete_all(repair: &Repair, outcome: &mut DeletedOutcome, stop: &Stop) -> Result<(), Halt> {
    let mut patience = Patience::new(&repair.options, stop);
    let mut throttle = Throttle::new(repair.options.max_keys_per_sec, None);
    let began = Instant::now();
    let mut lines = None;
    while !outcome.left.is_empty() {
        if stop.is_asked() {
            return Err(Halt::Asked);
        }
        let count = outcome.left.len().min(CHUNK);
        if let Some(wait_us) = throttle.try_take(began.elapsed().as_micros() as u64, count as u64, 0) {
            stop.sleep(Duration::from_micros(wait_us)).await;
            continue;
        }
        let open = match &mut lines {
            Some(open) => open,
            None => lines.insert(Lines::find(repair, &mut patience).await?),
        };
        let chunk = outcome.left.split_off(outcome.left.len() - count);
        match open.delete(&chunk, outcome).await {
            Ok(()) => patience.renew(),
            Err(setback) => {
                outcome.left.extend(chunk);
                lines = None;
                let (side, last) = setback.passing()?;
                patience.wait(side, last).await?;
            }
        }
    }
    Ok(())
}

/// Why a chunk was not done.
enum Setback {
    Side(Error),
    /// A side's cluster says that nobody owns a slot.
    Unserved(Side),
}

impl From<Error> for Setback {
    fn from(error: Error) -> Setback {
        Setback::Side(error)
    }
}

impl Setback {
    /// Whose fault it is, in words, when trying again can help.
    fn passing(self) -> Result<(Side, String), Halt> {
        match self {
            Setback::Unserved(side) => Ok((side, "nobody serves the slot of a key".to_owned())),
            Setback::Side(error) => match &*error.kind {
                // The layout is asked for again.
                Kind::Reply { kind: ReplyKind::Moved { .. } | ReplyKind::Ask { .. }, .. } => {
                    Ok((error.peer.side, "the slot of a key is being moved".to_owned()))
                }
                _ if error.recovery() == Recovery::Reconnect => Ok((error.peer.side, error.to_string())),
                _ => Err(Halt::Side(error)),
            },
        }
    }
}

/// Whether the source has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Yes,
    No,
    Forbidden,
}

/// Both layouts and the connections opened so far.
struct Lines<'r> {
    repair: &'r Repair,
    source_layout: Topology,
    target_layout: Topology,
    sources: HashMap<Place, SourceConnection>,
    targets: HashMap<Place, TargetConnection>,
}

impl<'r> Lines<'r> {
    async fn find(repair: &'r Repair, patience: &mut Patience<'_>) -> Result<Lines<'r>, Halt> {
        Ok(Lines {
            repair,
            source_layout: patience.topology(&repair.source, None).await?,
            target_layout: patience.topology(&repair.target, None).await?,
            sources: HashMap::new(),
            targets: HashMap::new(),
        })
    }

    /// Asks the source, removes, and asks the source again.
    async fn delete(&mut self, chunk: &[Name], outcome: &mut DeletedOutcome) -> Result<(), Setback> {
        let there = self.ask_source(chunk).await?;
        let with = |wanted: There| {
            chunk.iter().zip(&there).filter(move |(_, there)| **there == wanted).map(|(name, _)| name.clone())
        };
        let gone: Vec<Name> = with(There::No).collect();
        let forbidden = self.unlink(&gone, &mut outcome.deleted).await?;
        let again = self.ask_source(&gone).await?;
        let appeared = gone.into_iter().zip(again).filter(|(_, there)| *there == There::Yes);
        outcome.on_source.extend(with(There::Yes).chain(appeared.map(|(name, _)| name)));
        outcome.refused.extend(with(There::Forbidden).chain(forbidden));
        Ok(())
    }

    /// Whether the source has any of the keys that go to these names.
    async fn ask_source(&mut self, names: &[Name]) -> Result<Vec<There>, Setback> {
        let mut asked: BTreeMap<Place, Vec<usize>> = BTreeMap::new();
        for (index, (target_db, name)) in names.iter().enumerate() {
            for (db, key) in self.repair.naming.origins(name, *target_db) {
                let owner = self.source_layout.owner(&key).ok_or(Setback::Unserved(Side::Source))?;
                self.source((owner, db)).await?.push(Read::Exists(&key));
                asked.entry((owner, db)).or_default().push(index);
            }
        }
        let mut there = vec![There::No; names.len()];
        for (place, order) in asked {
            let silence = self.repair.options.silence;
            let connection = self.source(place).await?;
            for index in order {
                let reply = connection.reply();
                let reply =
                    timeout(silence, reply).await.map_err(|_| silent(connection.peer(), silence))??;
                match reply.as_i64() {
                    Some(0) => {}
                    Some(_) => there[index] = There::Yes,
                    None => {
                        let error = unlink::refusal(connection.peer(), "EXISTS", &reply);
                        if !is_forbidden(&error) {
                            return Err(error.into());
                        }
                        if there[index] == There::No {
                            there[index] = There::Forbidden;
                        }
                    }
                }
            }
        }
        Ok(there)
    }

    /// Removes keys from the target and returns those that it does not let us remove.
    async fn unlink(&mut self, names: &[Name], deleted: &mut u64) -> Result<Vec<Name>, Setback> {
        let mut places: BTreeMap<Place, Vec<&[u8]>> = BTreeMap::new();
        for (db, name) in names {
            let owner = self.target_layout.owner(name).ok_or(Setback::Unserved(Side::Target))?;
            places.entry((owner, *db)).or_default().push(name);
        }
        let mut forbidden = Vec::new();
        for (place, names) in places {
            let silence = self.repair.options.silence;
            let connection = self.target(place).await?;
            let replies = timeout(silence, unlink::each(connection, &names)).await;
            let replies = replies.map_err(|_| silent(connection.peer(), silence))??;
            *deleted += replies.iter().filter(|reply| reply.as_i64() == Some(1)).count() as u64;
            for (name, reply) in names.iter().zip(&replies).filter(|(_, reply)| reply.is_error()) {
                let error = unlink::refusal(connection.peer(), "DEL", reply);
                if !is_forbidden(&error) {
                    return Err(error.into());
                }
                forbidden.push((place.1, name.to_vec()));
            }
        }
        Ok(forbidden)
    }

    async fn source(&mut self, place: Place) -> Result<&mut SourceConnection, Error> {
        Ok(match self.sources.entry(place) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(new) => {
                let node = &self.source_layout.primaries()[place.0];
                new.insert(self.repair.source.connect_source(node, place.1).await?)
            }
        })
    }

    async fn target(&mut self, place: Place) -> Result<&mut TargetConnection, Error> {
        Ok(match self.targets.entry(place) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(new) => {
                let node = &self.target_layout.primaries()[place.0];
                new.insert(self.repair.target.connect_target(node, place.1).await?)
            }
        })
    }
}

/// Of this key or of all: either way it is left alone.
fn is_forbidden(error: &Error) -> bool {
    matches!(&*error.kind, Kind::Reply { kind: ReplyKind::NoPerm, .. })
}

fn silent(peer: &Peer, silence: Duration) -> Error {
    peer.error(Kind::Silent(silence))
}
