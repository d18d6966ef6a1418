//! From what was typed to the two endpoints.

use std::path::Path;

use client::address::Address;
use client::secret::Secret;
use client::tls::TlsOptions;
use client::{Endpoint, Side};

use crate::args::{Sides, SourceSide, TargetSide, Way};
use crate::exit::Exit;

/// Both sides, ready to be connected to.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
    pub(crate) source_address: Address,
    pub(crate) target_address: Address,
}

/// One side, ready to be connected to.
#[derive(Debug)]
pub(crate) struct OneSide {
    pub(crate) endpoint: Endpoint,
    pub(crate) address: Address,
}

/// Reads addresses, passwords and certificates of both sides.
pub(crate) fn endpoints(sides: &Sides) -> Result<Endpoints, Exit> {
    let source = source_address(&sides.source)?;
    let target = target_address(&sides.target)?;
    warn_of(&sides.way);
    Ok(Endpoints {
        source: endpoint(Side::Source, &source, &sides.way)?,
        target: endpoint(Side::Target, &target, &sides.way)?,
        source_address: source,
        target_address: target,
    })
}

/// The source alone.
pub(crate) fn source(side: &SourceSide, way: &Way) -> Result<OneSide, Exit> {
    let address = source_address(side)?;
    warn_of(way);
    Ok(OneSide { endpoint: endpoint(Side::Source, &address, way)?, address })
}

/// The target alone.
pub(crate) fn target(side: &TargetSide, way: &Way) -> Result<OneSide, Exit> {
    let address = target_address(side)?;
    warn_of(way);
    Ok(OneSide { endpoint: endpoint(Side::Target, &address, way)?, address })
}

/// A source among several that a list names. The file is for this one.
pub(crate) fn listed(
    address: Address,
    file: Option<&Path>,
    prompt: bool,
    way: &Way,
) -> Result<OneSide, Exit> {
    let asked = Asked { option: "--fleet", ..SOURCE };
    let address = with_password(&asked, address, file, prompt)?;
    Ok(OneSide { endpoint: endpoint(Side::Source, &address, way)?, address })
}

/// A cache that is neither: it is only looked at.
pub(crate) fn only(text: &str, file: Option<&Path>, prompt: bool, way: &Way) -> Result<OneSide, Exit> {
    let asked = Asked { option: "ADDRESS", what: "cache", variable: "REDFERRY_PASSWORD" };
    let address = address(&asked, text, file, prompt)?;
    warn_of(way);
    Ok(OneSide { endpoint: endpoint(Side::Target, &address, way)?, address })
}

/// How an address is called.
struct Asked {
    option: &'static str,
    what: &'static str,
    /// Environment variable of its password.
    variable: &'static str,
}

const SOURCE: Asked = Asked { option: "--source", what: "source", variable: "REDFERRY_SOURCE_PASSWORD" };

fn source_address(side: &SourceSide) -> Result<Address, Exit> {
    address(&SOURCE, &side.source, side.source_password_file.as_deref(), side.source_password_prompt)
}

fn target_address(side: &TargetSide) -> Result<Address, Exit> {
    let asked = Asked { option: "--target", what: "target", variable: "REDFERRY_TARGET_PASSWORD" };
    address(&asked, &side.target, side.target_password_file.as_deref(), side.target_password_prompt)
}

pub(crate) fn warn_of(way: &Way) {
    if way.insecure {
        eprintln!(
            "redferry: WARNING: --insecure accepts any certificate; whoever sits between here and the caches can \
             read and change everything, passwords included"
        );
    }
}

fn endpoint(side: Side, address: &Address, way: &Way) -> Result<Endpoint, Exit> {
    let tls = TlsOptions {
        ca: way.ca.clone(),
        client_cert: way.client_cert.clone(),
        client_key: way.client_key.clone(),
        insecure: way.insecure,
    };
    Endpoint::new(side, address, &tls)
        .map(|endpoint| endpoint.with_connect_timeout(way.connect_timeout))
        .map_err(|error| Exit::usage(format!("{side}: {error}")))
}

fn address(asked: &Asked, text: &str, file: Option<&Path>, prompt: bool) -> Result<Address, Exit> {
    let address = Address::parse(text).map_err(|error| Exit::usage(format!("{}: {error}", asked.option)))?;
    with_password(asked, address, file, prompt)
}

fn with_password(
    asked: &Asked,
    address: Address,
    file: Option<&Path>,
    prompt: bool,
) -> Result<Address, Exit> {
    let Asked { option, what, variable } = *asked;
    let wrong = |error: String| Exit::usage(format!("{option}: {error}"));
    let password = if let Some(file) = file {
        Some(Secret::from_file(file).map_err(|error| wrong(error.to_string()))?)
    } else if prompt {
        let question = format!("Password of the {what} {address}: ");
        Some(Secret::prompt(&question).map_err(|error| wrong(error.to_string()))?)
    } else if address.password.is_some() {
        address.password.clone()
    } else if std::env::var_os(variable).is_some() {
        Some(Secret::from_env(variable).map_err(|error| wrong(error.to_string()))?)
    } else {
        None
    };
    Ok(address.with_password(password))
}
