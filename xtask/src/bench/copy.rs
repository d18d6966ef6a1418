//! `cargo xtask bench copy`: redferry, the limit and the servers' own full sync, one after the other.

mod full_sync;
mod limit;
mod rehearsal;
mod row;
mod tape;
mod wire;

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use testkit::{Binaries, Server};

use super::data::DataSet;
use super::run::{self, Brake, Run};
use super::{Ways, complete, reached, say, table};
use crate::program::{self, Build};
use full_sync::Way;
use limit::Limit;
use rehearsal::Rehearsal;
use row::Row;

/// Measures every data set and prints the table.
///
/// # Errors
/// Something could not be built or started, or a copy was not complete.
pub async fn run(ways: &Ways, tls: bool) -> Result<()> {
    let program = program::build("redferry", Build::Release)?;
    ensure!(!tls || Binaries::fetch()?.source_has_tls(), "the Redis 6 of this machine has no TLS");
    let bench = CopyBench { program, ways, tls };
    let mut columns = Vec::new();
    for set in ways.sets() {
        columns.push(bench.measure(*set).await?.cells());
    }
    println!("{}", table::of(&columns, ways.output));
    Ok(())
}

struct CopyBench<'a> {
    program: PathBuf,
    ways: &'a Ways,
    tls: bool,
}

impl CopyBench<'_> {
    async fn measure(&self, set: DataSet) -> Result<Row> {
        let source = Server::plain6().tls(self.tls).start();
        let keys = self.ways.load(set, set.keys(), &source).await?;
        say(set, "rehearsing the reads and preparing the writes");
        let rehearsal =
            rehearsal::of(&reached(&source, self.tls)).await.context("the rehearsal of the limit")?;
        let mut row = Row::new(set.name(), keys, rehearsal.bytes);
        for round in 1..=self.ways.rounds() {
            let say = |what: &str| say(set, &format!("round {round}: {what}"));
            say("redferry");
            row.redferry.push(self.redferry(&source, Brake::Off).await?);
            say("limit");
            row.limits.push(self.limit(&rehearsal, &source, keys).await?);
            for way in Way::ALL {
                say(&format!("full sync, {}", way.name()));
                self.ways.manners().wait().await;
                row.full_sync(way).push(full_sync::run(&source, way).await?);
            }
            if set == DataSet::Strings100 {
                say("redferry as it comes, with the source protected");
                row.braked.push(self.redferry(&source, Brake::Default).await?);
            }
        }
        Ok(row)
    }

    async fn redferry(&self, source: &Server, brake: Brake) -> Result<Run> {
        let (run, _) = run::copy(&self.program, source, self.tls, brake, self.ways.manners()).await?;
        Ok(run)
    }

    async fn limit(&self, rehearsal: &Rehearsal, source: &Server, keys: u64) -> Result<Limit> {
        let once = async || {
            let target = run::target(self.tls);
            let limit = limit::run(rehearsal, source, &target, self.tls).await?;
            complete(keys, &target)?;
            Ok(limit)
        };
        self.ways.manners().measure(once, |limit| limit.others).await
    }
}
