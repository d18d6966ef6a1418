//! `redferry connection`: the settings of applications.

mod check;
mod convert;
mod fix;
pub(crate) mod scan;
mod tree;

use crate::args::ConnectionCommand;
use crate::exit::Exit;

/// Runs the command.
pub(crate) async fn run(command: &ConnectionCommand, quiet: bool) -> Exit {
    let ended = |ended: Result<Exit, Exit>| match ended {
        Ok(exit) | Err(exit) => exit,
    };
    match command {
        ConnectionCommand::Convert(args) => ended(convert::run(args, quiet)).of("connection convert"),
        ConnectionCommand::Scan(args) => ended(scan::run(args)).of("connection scan"),
        ConnectionCommand::Check(args) => ended(check::run(args).await).of("connection check"),
    }
}
