//! The command line of redferry.

mod args;
mod assess;
mod beginnings;
mod check;
mod collisions;
mod connect;
mod connection;
mod control;
mod copy;
mod endpoint;
mod exit;
mod forecast;
mod input;
mod interrupt;
mod log;
mod page;
mod plan;
mod printable;
mod progress;
mod rdb;
mod report;
mod status;
mod sync;
mod turning;
mod usage;
mod utc;
mod verify;
mod wishes;

use clap::Parser;

use args::{Cli, Command};
use exit::Exit;
use sync::direction::Turn;

fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_clap(&error),
    };
    log::start(cli.verbose, cli.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Exit::failed(format!("the asynchronous runtime cannot start: {error}")).print(cli.output);
        }
    };
    let exit = runtime.block_on(async {
        match &cli.command {
            Command::Check(args) => check::run(args).await.of("check"),
            Command::Copy(args) => copy::run(args, cli.output, cli.quiet).await.of("copy"),
            Command::Sync(args) => sync::run(args, cli.output, cli.quiet).await.of("sync"),
            Command::Status(args) => status::run(args, cli.output).await.of("status"),
            Command::Cutover(args) => turning::run(Turn::CutOver, args, cli.quiet).await.of("cutover"),
            Command::Rollback(args) => turning::run(Turn::RollBack, args, cli.quiet).await.of("rollback"),
            Command::Verify(args) => verify::run(args, cli.quiet).await.of("verify"),
            Command::Rdb(command) => rdb::run(command, cli.quiet).await,
            Command::Assess(args) => assess::run(args).await.of("assess"),
            Command::Sku(command) => plan::sku::run(command),
            Command::Features(args) => plan::features::run(args).of("features"),
            Command::Price(args) => plan::price::run(args).await.of("price"),
            Command::Connection(command) => connection::run(command, cli.quiet).await,
            Command::Dates(args) => plan::dates::run(args).of("dates"),
        }
    });
    // A value that is being read in pieces must not hold up the end.
    runtime.shutdown_background();
    exit.print(cli.output)
}
