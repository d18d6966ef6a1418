//! The caches of a fleet, and what is known of each before it is connected to.

use std::path::{Path, PathBuf};

use client::address::Address;
use planner::assess::read::{self, Metrics, ReadError, Resource};

use super::folder::Folder;
use crate::args::AssessArgs;
use crate::assess::texts;
use crate::connect::{self, OneSide};
use crate::exit::Exit;

/// The port of TLS, where the resource does not tell it (Azure Cache for Redis).
const TLS_PORT: u32 = 6380;

/// A cache of the list.
pub(super) struct Entry {
    /// Until the cache says how it is called.
    pub(super) name: String,
    pub(super) resource: Option<Resource>,
    pub(super) metrics: Option<Metrics>,
    /// What is connected to, if anything is; or why it cannot be.
    pub(super) source: Result<Option<OneSide>, String>,
}

/// Reads the list and the files beside it, and what there is to be told about them.
pub(super) fn read(args: &AssessArgs, file: &Path) -> Result<(Vec<Entry>, Vec<String>), Exit> {
    let text = texts::text("--fleet", file)?;
    let mut beside = Beside::open(args)?;
    let entries = if text.trim_start_matches('\u{feff}').trim_start().starts_with(['[', '{']) {
        of_resources(args, &text, &mut beside, file)?
    } else {
        of_addresses(args, &text, &mut beside)?
    };
    if entries.is_empty() {
        return Err(texts::unusable("--fleet", file, &"there is no cache in it"));
    }
    Ok((entries, beside.left_over()))
}

/// Files for each cache.
struct Beside {
    metrics: Option<Folder>,
    passwords: Option<Folder>,
}

impl Beside {
    fn open(args: &AssessArgs) -> Result<Beside, Exit> {
        let folder = |option, path: &Option<PathBuf>, ending| {
            path.as_deref().map(|path| Folder::open(option, path, ending)).transpose()
        };
        Ok(Beside {
            metrics: folder("--metrics", &args.metrics, ".json")?,
            passwords: folder("--source-passwords", &args.source_passwords, "")?,
        })
    }

    /// A file that cannot be used would be missing from a plan, and nothing would say so.
    fn metrics_of(&mut self, names: &[&str]) -> Result<Option<Metrics>, Exit> {
        let file = self.metrics.as_mut().and_then(|folder| folder.of(names));
        file.as_deref().map(texts::metrics).transpose()
    }

    fn left_over(&self) -> Vec<String> {
        [&self.metrics, &self.passwords].into_iter().flatten().flat_map(Folder::left_over).collect()
    }

    fn password_of(&mut self, names: &[&str]) -> Option<PathBuf> {
        self.passwords.as_mut()?.of(names)
    }
}

/// The way to a cache, with its own password or the one for all.
fn source(args: &AssessArgs, address: Address, own: Option<&Path>) -> Result<OneSide, String> {
    let file = own.or(args.source_password_file.as_deref());
    connect::listed(address, file, args.source_password_prompt, &args.way).map_err(Exit::message)
}

fn of_resources(args: &AssessArgs, text: &str, beside: &mut Beside, file: &Path) -> Result<Vec<Entry>, Exit> {
    if args.source_passwords.is_some() && !args.connect {
        return Err(Exit::usage("--source-passwords: resources are connected to with --connect only"));
    }
    let resources = read::resources(text).map_err(|error| texts::unusable("--fleet", file, &error))?;
    let numbered = (1..).zip(resources);
    let entry = |(number, resource): (usize, Result<Resource, ReadError>)| {
        let resource = match resource {
            Ok(resource) => resource,
            Err(error) => return Ok(unusable(format!("entry {number}"), error.to_string())),
        };
        let names: Vec<&str> =
            [Some(resource.name.as_str()), resource.host.as_deref()].into_iter().flatten().collect();
        let metrics = beside.metrics_of(&names)?;
        let own = beside.password_of(&names);
        let source = if args.connect {
            address(&resource).and_then(|address| source(args, address, own.as_deref())).map(Some)
        } else {
            Ok(None)
        };
        Ok(Entry { name: resource.name.clone(), resource: Some(resource), metrics, source })
    };
    numbered.map(entry).collect()
}

/// Where a resource is reached: by TLS wherever it has that.
fn address(resource: &Resource) -> Result<Address, String> {
    let host = resource.host.as_ref().ok_or("the list does not tell its host (hostName)")?;
    let (scheme, port) = match (resource.tls_port.filter(|port| *port > 0), resource.plaintext_port) {
        (Some(port), _) => ("rediss", port),
        (None, Some(port)) if resource.plaintext => ("redis", port),
        (None, _) => ("rediss", TLS_PORT),
    };
    let address = Address::parse(&format!("{scheme}://{host}:{port}")).map_err(|error| error.to_string())?;
    if !address.host.eq_ignore_ascii_case(host) {
        return Err(format!("{host:?} is no name of a host"));
    }
    Ok(address)
}

fn of_addresses(args: &AssessArgs, text: &str, beside: &mut Beside) -> Result<Vec<Entry>, Exit> {
    let resources = args.arm.as_deref().map_or(Ok(Vec::new()), resources)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let entry = |(number, line): (usize, &str)| {
        // An address that cannot be read is not repeated: a password may be in it.
        let address = match Address::parse(line) {
            Ok(address) => address,
            Err(error) => return Ok(unusable(format!("line {number}"), error.to_string())),
        };
        let host = address.host.clone();
        let resource = resources.iter().find(|resource| resource.host.as_ref() == Some(&host)).cloned();
        let names: Vec<&str> =
            resource.iter().map(|resource| resource.name.as_str()).chain([host.as_str()]).collect();
        let metrics = beside.metrics_of(&names)?;
        let own = beside.password_of(&names);
        let source = source(args, address, own.as_deref()).map(Some);
        Ok(Entry { name: host, resource, metrics, source })
    };
    (1..).zip(lines).map(entry).collect()
}

/// The resources of the caches. One that cannot be used would be missing from a plan, and nothing would say so.
fn resources(arm: &Path) -> Result<Vec<Resource>, Exit> {
    let numbered = (1..).zip(texts::resources("--arm", arm)?);
    let usable = numbered.map(|(number, resource)| {
        resource.map_err(|error| texts::unusable("--arm", arm, &format!("entry {number}: {error}")))
    });
    usable.collect()
}

fn unusable(name: String, why: String) -> Entry {
    Entry { name, resource: None, metrics: None, source: Err(why) }
}
