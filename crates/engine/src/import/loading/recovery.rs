//! Beginning again after a connection was lost.

use std::sync::Arc;
use std::time::Instant;

use client::{Error, Recovery, Side};

use super::{Loader, TOO_OFTEN};
use crate::import::putting::Ticket;
use crate::patience::Patience;
use crate::stop::Halt;
use crate::writer::Writer;

impl Loader {
    /// After a lost connection: everything unacknowledged again, as soon as the target is back.
    pub(super) async fn recover(&mut self, error: Error) -> Result<(), Halt> {
        if error.recovery() == Recovery::Operator {
            return Err(Halt::Side(error));
        }
        tracing::warn!("{error}");
        self.progress.change(|status| status.waiting = Some(error.to_string()));
        self.forget_unanswered();
        self.follow_target_patiently().await
    }

    /// As [`Loader::follow_target`], again and again while the target is away.
    pub(in crate::import) async fn follow_target_patiently(&mut self) -> Result<(), Halt> {
        let run = Arc::clone(&self.run);
        let mut patience = Patience::new(&run.options, &run.stop);
        loop {
            match self.follow_target().await {
                Ok(()) => {
                    self.last_heard = Instant::now();
                    return Ok(());
                }
                Err(error) if error.recovery() == Recovery::Operator => return Err(Halt::Side(error)),
                Err(error) => patience.wait(Side::Target, error.to_string()).await?,
            }
        }
    }

    /// Asks the target for its layout and connects to all of it anew.
    pub(super) async fn follow_target(&mut self) -> Result<(), Error> {
        self.forget_unanswered();
        self.importers.clear();
        let layout = self.run.target().topology_by_any(&self.layout).await?;
        self.run.set_target_layout(layout);
        self.layout = self.run.target_layout();
        self.connect().await?;
        self.relayout = false;
        Ok(())
    }

    fn forget_unanswered(&mut self) {
        let lost: Vec<Ticket> = self.writers.drain(..).flat_map(Writer::into_due).collect();
        for ticket in lost {
            let ticket = ticket.lost();
            // A server that refuses an argument's size closes the connection while we still send. Such a key would do
            // it again for ever; in pieces it is told what is wrong with it.
            if ticket.losses < TOO_OFTEN {
                self.again.push_back(ticket);
            } else {
                self.whole_in_pieces(ticket);
            }
        }
    }

    pub(super) async fn connect(&mut self) -> Result<(), Error> {
        self.writers.clear();
        let Some(db) = self.db else { return Ok(()) };
        for node in self.layout.primaries() {
            self.writers.push(Writer::open(&self.run, node, db, None).await?);
        }
        Ok(())
    }
}
