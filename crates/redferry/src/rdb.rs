//! `redferry rdb`: files instead of a second cache.

mod convert;
mod export;
mod import;
mod inspect;
mod json;
mod lines;
mod output;
mod place;
mod value;

use crate::args::RdbCommand;
use crate::exit::Exit;

/// Runs the command.
pub(crate) async fn run(command: &RdbCommand, quiet: bool) -> Exit {
    match command {
        RdbCommand::Inspect(args) => inspect::run(args).await.of("rdb inspect"),
        RdbCommand::Convert(args) => convert::run(args).await.of("rdb convert"),
        RdbCommand::Import(args) => import::run(args, quiet).await.of("rdb import"),
        RdbCommand::Export(args) => export::run(args, quiet).await.of("rdb export"),
    }
}
