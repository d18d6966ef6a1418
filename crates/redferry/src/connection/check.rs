//! `redferry connection check`: what a client meets at an address.

use client::Topology;
use client::address::Service;
use engine::meet::{Met, meet};
use serde_json::json;

use crate::args::TalkArgs;
use crate::connect::{self, OneSide};
use crate::exit::{Code, Exit};

pub(super) async fn run(args: &TalkArgs) -> Result<Exit, Exit> {
    let side = connect::only(&args.address, args.password_file.as_deref(), args.password_prompt, &args.way)?;
    let met = meet(&side.endpoint).await.map_err(|error| Exit::failed(error.to_string()))?;
    Ok(account(args, &side, &met))
}

/// What it is by its name, and by its port where the name is of one's own.
fn product(side: &OneSide, met: &Met) -> &'static str {
    match side.address.kind() {
        Service::AzureCache => "Azure Cache for Redis",
        Service::AzureManaged => "Azure Managed Redis",
        Service::AzureEnterprise => "Azure Cache for Redis Enterprise",
        Service::Other => match (side.address.port, met.enterprise) {
            (10000, _) => "Azure Managed Redis or Enterprise, by its port",
            (6380, _) => "Azure Cache for Redis, by its port",
            (_, true) => "Redis Enterprise",
            _ => "Redis; neither name nor port is one of Azure's",
        },
    }
}

fn account(args: &TalkArgs, side: &OneSide, met: &Met) -> Exit {
    let cluster = matches!(met.topology, Topology::Cluster(_));
    let managed = matches!(side.address.kind(), Service::AzureManaged | Service::AzureEnterprise);
    let shards = met.topology.primaries().len();
    let policy = match (cluster, managed || met.enterprise) {
        (true, true) => "OSSCluster",
        (true, false) => "cluster",
        (false, true) => "NoCluster or EnterpriseCluster: one address",
        (false, false) => "none: one address",
    };
    let name = side.address.server_name.as_deref().unwrap_or(&side.address.host);
    let certificate = match (side.endpoint.is_tls(), args.way.insecure) {
        (false, _) => None,
        (true, true) => Some("not checked (--insecure)".to_owned()),
        (true, false) => Some(format!("valid for {name}")),
    };
    let databases = match &met.second_database {
        Ok(()) => "0 and others".to_owned(),
        Err(why) => format!("0 only ({why})"),
    };
    let mut settings = vec![
        format!("address {}:{}", side.address.host, side.address.port),
        format!("TLS {}", if side.endpoint.is_tls() { "on" } else { "off" }),
        format!("cluster mode {}", if cluster { "on" } else { "off" }),
    ];
    if met.second_database.is_err() {
        settings.push("database 0".to_owned());
    }
    if cluster && side.endpoint.is_tls() {
        settings.push(format!("verify certificates of nodes against {name}, not against their addresses"));
    }
    if met.resp3.is_ok() {
        settings.push("RESP3 is possible".to_owned());
    }
    let (product, version) = (product(side, met), met.version.as_deref().unwrap_or("of unknown version"));
    let layout =
        if cluster { format!("cluster of {shards} shards") } else { "one address for all keys".to_owned() };
    let mut text = format!(
        "{}\n  product       {product}\n  version       Redis {version}\n  TLS           {}\n  layout        {layout}; {policy}\n  databases     \
         {databases}\n  RESP3         {}\n  settings      {}\n",
        side.address,
        certificate.as_deref().unwrap_or("no"),
        met.resp3.as_ref().map_or_else(|why| format!("no ({why})"), |()| "yes".to_owned()),
        settings.join("; "),
    );
    for node in &met.unreachable {
        text.push_str(&format!("  out of reach  {node}\n"));
    }
    let document = json!({
        "address": side.address.to_string(),
        "product": product,
        "version": met.version,
        "tls": side.endpoint.is_tls(),
        "certificate": certificate,
        "cluster": cluster,
        "shards": shards,
        "policy": policy,
        "unreachable": met.unreachable,
        "databases": if met.second_database.is_ok() { "several" } else { "0 only" },
        "resp3": met.resp3.is_ok(),
        "settings": settings,
    });
    let code = if met.unreachable.is_empty() { Code::Equal } else { Code::Differences };
    let exit = Exit::new(code, document, text);
    match met.unreachable.len() {
        0 => exit,
        count => exit.with_error(format!(
            "{count} of {shards} nodes are out of a client's reach: it would fail on their keys"
        )),
    }
}
