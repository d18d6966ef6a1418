//! Asking many keys at once whether they are there and wanted.

use std::collections::HashMap;

use client::{Endpoint, Error, Read, SourceConnection, Topology};
use migration::selection::Selection;

use super::Collision;

/// Connections to every node and database that keys were looked up in.
pub(super) struct Existence<'a> {
    source: &'a Endpoint,
    topology: &'a Topology,
    selection: &'a Selection,
    connections: HashMap<Place, SourceConnection>,
}

/// Index of the owner among the primaries, and database.
type Place = (usize, u32);

impl<'a> Existence<'a> {
    pub(super) fn new(
        source: &'a Endpoint,
        topology: &'a Topology,
        selection: &'a Selection,
    ) -> Existence<'a> {
        Existence { source, topology, selection, connections: HashMap::new() }
    }

    /// Removes from each candidate the keys that do not exist or that filters by type or time to live
    /// leave out.
    ///
    /// # Errors
    /// A node cannot be reached or refuses the question.
    pub(super) async fn keep_existing(&mut self, candidates: &mut [Collision]) -> Result<(), Error> {
        let mut asked: HashMap<Place, Vec<(usize, usize)>> = HashMap::new();
        let mut keep: Vec<Vec<bool>> =
            candidates.iter().map(|candidate| vec![false; candidate.origins.len()]).collect();
        for (index, candidate) in candidates.iter().enumerate() {
            for (origin, (db, key)) in candidate.origins.iter().enumerate() {
                // A slot that nobody serves has no keys to meet.
                let Some(owner) = self.topology.owner(key) else { continue };
                let with_ttl = self.selection.filters_by_ttl();
                let connection = self.connection((owner, *db)).await?;
                connection.push(Read::Type(key));
                if with_ttl {
                    connection.push(Read::PTtl(key));
                }
                asked.entry((owner, *db)).or_default().push((index, origin));
            }
        }
        for (place, order) in asked {
            for (index, origin) in order {
                keep[index][origin] = self.is_wanted(place).await?;
            }
        }
        for (candidate, keep) in candidates.iter_mut().zip(keep) {
            let mut keep = keep.into_iter();
            candidate.origins.retain(|_| keep.next().unwrap_or(false));
        }
        Ok(())
    }

    async fn is_wanted(&mut self, place: Place) -> Result<bool, Error> {
        let selection = self.selection;
        let connection = self.connection(place).await?;
        let reply = connection.reply().await?;
        let Some(kind) = reply.as_str().filter(|_| !reply.is_error()) else {
            return Err(Error::from_reply(connection.peer(), "TYPE", &reply));
        };
        let mut wanted = kind != "none" && selection.accepts_type(kind);
        if selection.filters_by_ttl() {
            let reply = connection.reply().await?;
            match reply.as_i64() {
                Some(pttl) => wanted &= selection.accepts_ttl(pttl),
                None => return Err(Error::from_reply(connection.peer(), "PTTL", &reply)),
            }
        }
        Ok(wanted)
    }

    async fn connection(&mut self, place: Place) -> Result<&mut SourceConnection, Error> {
        use std::collections::hash_map::Entry;
        match self.connections.entry(place) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(new) => {
                let (owner, db) = place;
                let node = &self.topology.primaries()[owner];
                Ok(new.insert(self.source.connect_source(node, db).await?))
            }
        }
    }
}
