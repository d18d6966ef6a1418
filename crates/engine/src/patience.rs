//! Trying again as long as the options allow.

use std::time::Instant;

use client::{Backoff, Endpoint, Recovery, Side, Topology};

use crate::options::CopyOptions;
use crate::run::Stop;
use crate::stop::Halt;

/// How long it has been tried since something last worked.
pub(crate) struct Patience<'a> {
    options: &'a CopyOptions,
    stop: &'a Stop,
    since: Option<Instant>,
    backoff: Backoff,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(options: &'a CopyOptions, stop: &'a Stop) -> Patience<'a> {
        let seed = std::process::id().into();
        Patience { options, stop, since: None, backoff: Backoff::new(seed) }
    }

    /// Something worked.
    pub(crate) fn renew(&mut self) {
        self.since = None;
        self.backoff.reset();
    }

    /// Waits before the next try; `last` is what the last one came to.
    ///
    /// # Errors
    /// It was tried for too long, or somebody asked to stop.
    pub(crate) async fn wait(&mut self, side: Side, last: String) -> Result<(), Halt> {
        let tried = self.since.get_or_insert_with(Instant::now).elapsed();
        if tried > self.options.give_up_after {
            return Err(Halt::Outage { side, seconds: tried.as_secs(), last });
        }
        self.stop.sleep(self.backoff.next_wait()).await;
        if self.stop.is_asked() { Err(Halt::Asked) } else { Ok(()) }
    }

    /// Asks a side for its layout, of which `known` is an earlier one.
    ///
    /// # Errors
    /// As `wait`, and when trying again cannot help.
    pub(crate) async fn topology(
        &mut self,
        endpoint: &Endpoint,
        known: Option<&Topology>,
    ) -> Result<Topology, Halt> {
        loop {
            let asked = match known {
                Some(known) => endpoint.topology_by_any(known).await,
                None => endpoint.topology().await,
            };
            match asked {
                Ok(layout) => return Ok(layout),
                Err(error) if error.recovery() == Recovery::Operator => return Err(Halt::Side(error)),
                Err(error) => self.wait(error.peer.side, error.to_string()).await?,
            }
        }
    }
}
