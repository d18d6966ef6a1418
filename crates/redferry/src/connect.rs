//! From what was typed to the two endpoints.

use std::path::Path;

use client::address::Address;
use client::secret::Secret;
use client::tls::TlsOptions;
use client::{Endpoint, Side};

use crate::args::Sides;
use crate::exit::Exit;

/// Both sides, ready to be connected to.
#[derive(Debug)]
pub(crate) struct Endpoints {
    pub(crate) source: Endpoint,
    pub(crate) target: Endpoint,
    pub(crate) source_address: Address,
    pub(crate) target_address: Address,
}

/// Reads addresses, passwords and certificates.
pub(crate) fn endpoints(sides: &Sides) -> Result<Endpoints, Exit> {
    let source_address = address(
        Side::Source,
        &sides.source,
        sides.source_password_file.as_deref(),
        sides.source_password_prompt,
    )?;
    let target_address = address(
        Side::Target,
        &sides.target,
        sides.target_password_file.as_deref(),
        sides.target_password_prompt,
    )?;
    let tls = TlsOptions {
        ca: sides.ca.clone(),
        client_cert: sides.client_cert.clone(),
        client_key: sides.client_key.clone(),
        insecure: sides.insecure,
    };
    if sides.insecure {
        eprintln!(
            "redferry: WARNING: --insecure accepts any certificate; whoever sits between here and the caches can \
             read and change everything, passwords included"
        );
    }
    let endpoint = |side, address: &Address| {
        Endpoint::new(side, address, &tls)
            .map(|endpoint| endpoint.with_connect_timeout(sides.connect_timeout))
            .map_err(|error| Exit::usage(format!("{side}: {error}")))
    };
    Ok(Endpoints {
        source: endpoint(Side::Source, &source_address)?,
        target: endpoint(Side::Target, &target_address)?,
        source_address,
        target_address,
    })
}

fn address(side: Side, text: &str, file: Option<&Path>, prompt: bool) -> Result<Address, Exit> {
    let wrong = |error: String| Exit::usage(format!("--{side}: {error}"));
    let address = Address::parse(text).map_err(|error| wrong(error.to_string()))?;
    let variable = match side {
        Side::Source => "REDFERRY_SOURCE_PASSWORD",
        Side::Target => "REDFERRY_TARGET_PASSWORD",
    };
    let password = if let Some(file) = file {
        Some(Secret::from_file(file).map_err(|error| wrong(error.to_string()))?)
    } else if prompt {
        let question = format!("Password of the {side} {address}: ");
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
