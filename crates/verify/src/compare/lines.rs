//! All connections of a comparer, made when they are first needed.

use std::sync::Arc;
use std::time::Duration;

use super::line::Line;
use super::setback::Setback;
use super::sides::{Sides, node};
use client::Side;

pub(super) struct Lines {
    pub(super) sides: Arc<Sides>,
    pub(super) all: Vec<Line>,
    pub(super) silence: Duration,
}

impl Lines {
    pub(super) fn new(sides: Arc<Sides>, silence: Duration) -> Lines {
        Lines { sides, all: Vec::new(), silence }
    }

    /// The line to the node that owns a key.
    pub(super) async fn route(&mut self, side: usize, db: u32, key: &[u8]) -> Result<u16, Setback> {
        let unserved = || Setback::Unserved(if side == 0 { Side::Source } else { Side::Target });
        let owner = self.sides.layout(side).owner(key).ok_or_else(unserved)?;
        let known = self.all.iter().position(|line| (line.side, line.node, line.db) == (side, owner, db));
        let index = match known {
            Some(index) => index,
            None => {
                let node = node(self.sides.layout(side), owner).ok_or_else(unserved)?;
                let connection = self.sides.endpoint(side).connect_source(node, db).await?;
                self.all.push(Line::new(connection, side, owner, db));
                self.all.len() - 1
            }
        };
        u16::try_from(index).map_err(|_| unserved())
    }

    /// Looks at the clocks of these lines, where that was not done lately.
    pub(super) async fn read_clocks(&mut self, routes: &[[u16; 2]]) -> Result<(), Setback> {
        let mut used = vec![false; self.all.len()];
        routes.iter().flatten().for_each(|route| used[usize::from(*route)] = true);
        for (line, _) in self.all.iter_mut().zip(used).filter(|(_, used)| *used) {
            line.read_clock(&self.sides, self.silence).await?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn line(&mut self, index: u16) -> &mut Line {
        &mut self.all[usize::from(index)]
    }
}
