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
    let met = meet(&side.endpoint).await.map_err(|error| {
        // There is one address only, on neither side.
        let error = error.to_string();
        Exit::failed(error.strip_prefix("target ").unwrap_or(&error))
    })?;
    Ok(account(args, &side, &met))
}

/// What it is by its name, and by its port where the name is of one's own.
fn product(service: Service, port: u16, enterprise: bool) -> &'static str {
    match (service, port) {
        (Service::AzureCache, _) => "Azure Cache for Redis",
        (Service::AzureManaged, _) => "Azure Managed Redis",
        (Service::AzureEnterprise, _) => "Azure Cache for Redis Enterprise",
        (Service::Other, 10000) => "Azure Managed Redis or Enterprise, by its port",
        (Service::Other, 6380) => "Azure Cache for Redis, by its port",
        (Service::Other, _) if enterprise => "Redis Enterprise",
        (Service::Other, _) => "Redis; neither name nor port is one of Azure's",
    }
}

/// How clients see the shards.
fn policy(cluster: bool, managed: bool) -> &'static str {
    match (cluster, managed) {
        (true, true) => "OSSCluster",
        (true, false) => "cluster",
        (false, true) => "NoCluster or EnterpriseCluster: one address",
        (false, false) => "none: one address",
    }
}

fn account(args: &TalkArgs, side: &OneSide, met: &Met) -> Exit {
    let cluster = matches!(met.topology, Topology::Cluster(_));
    let service = side.address.kind();
    let managed = matches!(service, Service::AzureManaged | Service::AzureEnterprise) || met.enterprise;
    let shards = met.topology.primaries().len();
    let policy = policy(cluster, managed);
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
    let product = product(service, side.address.port, met.enterprise);
    let version = met.version.as_deref().unwrap_or("of unknown version");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_service_and_else_the_port() {
        let of = |host: &str, port| product(Service::of_host(host), port, false);
        assert_eq!(of("shop.redis.cache.windows.net", 15000), "Azure Cache for Redis");
        assert_eq!(of("shop.redis.usgovcloudapi.net", 10000), "Azure Managed Redis");
        assert!(of("cache.example.com", 6380).starts_with("Azure Cache for Redis, by"));
        assert!(of("cache.example.com", 10000).starts_with("Azure Managed Redis or"));
        assert!(of("cache.example.com", 6379).starts_with("Redis;"));
        assert_eq!(product(Service::Other, 12000, true), "Redis Enterprise");
        assert_eq!((policy(true, true), policy(true, false)), ("OSSCluster", "cluster"));
        assert!(policy(false, true).starts_with("NoCluster or EnterpriseCluster"));
    }
}
