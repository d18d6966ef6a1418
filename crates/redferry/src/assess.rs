//! `redferry assess`: what a move of this cache needs, before any data move.

mod answer;
mod applications;
mod document;
mod fleet;
mod live;
mod page;
mod sample;
mod text;
mod texts;

use std::path::Path;
use std::time::SystemTime;

use planner::assess::read::Resource;
use planner::assess::report::{Report, markdown, report};
use planner::assess::{Address, CURRENCY, Inventory, Plan, Wishes, assess};
use planner::price::{Prices, short_region};
use planner::{Catalog, Date};

use crate::args::{AssessArgs, SourceSide};
use crate::exit::{Code, Exit};
use crate::{connect, page as pages, plan};

/// Runs the command.
pub(crate) async fn run(args: &AssessArgs) -> Exit {
    match try_run(args).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn try_run(args: &AssessArgs) -> Result<Exit, Exit> {
    let mut planning = Planning::new(args)?;
    if let Some(file) = &args.fleet {
        connect::warn_of(&args.way);
        return fleet::run(args, planning, file).await;
    }
    if args.source.is_none() && args.arm.is_none() && args.metrics.is_none() {
        return Err(Exit::usage("say which cache: --source ADDRESS, --arm FILE or --fleet FILE"));
    }
    let mut inventory = planning.inventory();
    inventory.resource = args.arm.as_deref().map(texts::resource).transpose()?;
    inventory.metrics = args.metrics.as_deref().map(texts::metrics).transpose()?;
    planning.price(args, &inventory.resource).await?;
    if let Some(source) = &args.source {
        read_live(args, source, &mut inventory).await?;
    }
    name(&mut inventory);
    let mut planned = planning.plan(&inventory);
    if let Some(folder) = &args.app {
        // What the sources must change depends on the clustering policy, which nothing in them decides.
        let policy = planned.clustering.policy;
        inventory.app_findings = applications::findings(folder, &planning.catalog, policy)?;
        planned = planning.plan(&inventory);
    }
    for file in &args.report {
        planning.write(&inventory, &planned, file)?;
    }
    let code = if planned.is_blocked() { Code::Differences } else { Code::Equal };
    Ok(Exit::new(code, document::of(&inventory, &planned), text::of(&planned)))
}

/// What every cache is planned with.
struct Planning {
    catalog: Catalog,
    prices: Prices,
    wishes: Wishes,
    today: Date,
}

impl Planning {
    /// Reads what is needed besides the caches, and refuses reports that cannot be written before anything is read.
    fn new(args: &AssessArgs) -> Result<Planning, Exit> {
        let catalog = plan::catalog(&args.catalog)?;
        let prices = Prices::snapshot(&catalog);
        for file in &args.report {
            form(file)?;
            pages::can_be_written(file).map_err(|error| unwritable(file, &error))?;
        }
        let wishes = Wishes {
            rebuildable: args.rebuildable,
            max_downtime: args.max_downtime.map(|time| time.as_secs()),
            cluster_aware: args.cluster_aware,
            modules: args.modules.clone(),
            strategy: args.strategy,
            region: args.region.clone(),
        };
        Ok(Planning { catalog, prices, wishes, today: plan::day(SystemTime::now()) })
    }

    /// Takes the prices that are wished for, for the regions of these caches.
    async fn price(
        &mut self,
        args: &AssessArgs,
        resources: impl IntoIterator<Item = &Resource>,
    ) -> Result<(), Exit> {
        let regions = match &self.wishes.region {
            Some(region) => [short_region(region)].into(),
            None => resources
                .into_iter()
                .filter_map(|resource| resource.location.as_deref())
                .map(short_region)
                .collect(),
        };
        if let Some(prices) = plan::prices::chosen(&args.prices, &self.catalog, &regions, CURRENCY).await? {
            self.prices = prices;
        }
        Ok(())
    }

    fn inventory(&self) -> Inventory {
        Inventory { wishes: self.wishes.clone(), ..Inventory::default() }
    }

    fn plan(&self, inventory: &Inventory) -> Plan {
        assess(&self.catalog, &self.prices, inventory)
    }

    fn write(&self, inventory: &Inventory, plan: &Plan, file: &Path) -> Result<(), Exit> {
        self.write_report(&report(&self.catalog, inventory, plan, self.today), file)
    }

    fn write_report(&self, report: &Report, file: &Path) -> Result<(), Exit> {
        let text = match form(file)? {
            Form::Html => page::of(report),
            Form::Markdown => markdown(report),
        };
        pages::write(file, &text).map_err(|error| unwritable(file, &error))
    }
}

enum Form {
    Html,
    Markdown,
}

fn form(file: &Path) -> Result<Form, Exit> {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html" | "htm") => Ok(Form::Html),
        Some("md") => Ok(Form::Markdown),
        _ => Err(Exit::usage(format!("--report {}: the name must end with .html or .md", file.display()))),
    }
}

fn unwritable(file: &Path, error: &std::io::Error) -> Exit {
    Exit::usage(format!("--report {}: {error}", file.display()))
}

/// Connects to the cache and reads what it tells.
async fn read_live(args: &AssessArgs, source: &str, inventory: &mut Inventory) -> Result<(), Exit> {
    let side = SourceSide {
        source: source.to_owned(),
        source_password_file: args.source_password_file.clone(),
        source_password_prompt: args.source_password_prompt,
    };
    let source = connect::source(&side, &args.way)?;
    inventory.address = Some(location(&source.address));
    let live =
        live::read(&source.endpoint, args.sample).await.map_err(|error| Exit::failed(error.to_string()))?;
    inventory.live = Some(live);
    Ok(())
}

fn location(address: &client::address::Address) -> Address {
    Address { host: address.host.clone(), port: address.port, tls: address.tls }
}

/// The resource's name, or else the host's.
fn name(inventory: &mut Inventory) {
    let of_resource = inventory.resource.as_ref().map(|resource| resource.name.clone());
    let of_address = || inventory.address.as_ref().map(|address| address.host.clone());
    inventory.name = of_resource.or_else(of_address).unwrap_or_else(|| "the cache".into());
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use planner::assess::{Live, Strategy, read};

    use super::*;
    use crate::args::Cli;

    /// The commands of a runbook are typed as they are.
    #[test]
    fn every_command_of_a_runbook_is_one_of_redferry() {
        let catalog = Catalog::embedded();
        let live = Live { nodes: vec![read::info("used_memory:9\ndb3:keys=1,expires=0")], ..Live::default() };
        let mut seen = 0;
        for strategy in Strategy::ALL {
            for live in [None, Some(live.clone())] {
                let wishes = Wishes { strategy: Some(strategy), ..Wishes::default() };
                let inventory = Inventory { live, wishes, ..Inventory::default() };
                let plan = assess(&catalog, &Prices::snapshot(&catalog), &inventory);
                for command in plan.runbook.iter().flat_map(|step| &step.commands) {
                    if command.starts_with("redferry ") {
                        let parsed = Cli::try_parse_from(command.split(' '));
                        assert!(
                            parsed.is_ok(),
                            "{command}: {}",
                            parsed.err().map_or(String::new(), |error| error.to_string())
                        );
                        seen += 1;
                    }
                }
            }
        }
        assert!(seen > 10, "{seen} commands");
    }
}
