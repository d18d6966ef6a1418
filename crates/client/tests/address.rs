//! Every form of address, the traps between them, and two properties: what is printed parses back, and no error ever
//! repeats a password.

use client::address::{Address, Part, Service};
use client::secret::Secret;
use proptest::prelude::*;

fn parse(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn password(address: &Address) -> Option<&str> {
    address.password.as_ref().map(Secret::expose)
}

/// An access key as Azure makes them: base64, with all of its special characters.
const KEY: &str = "p7Zr/4dq+Tn0Vb2xWk9sLhCy1uEoMiAzCaBQfGj3R8w=";

#[test]
fn forms_of_a_url() {
    let address = parse("redis://localhost");
    assert_eq!((address.host.as_str(), address.port, address.tls), ("localhost", 6379, false));
    assert_eq!((address.user, address.password, address.database), (None, None, None));

    let address = parse("rediss://alice:s%40cret%25@Cache.Example.org:7000/3?client_name=me");
    assert_eq!((address.host.as_str(), address.port, address.tls), ("cache.example.org", 7000, true));
    assert_eq!(address.user.as_deref(), Some("alice"));
    assert_eq!(password(&address), Some("s@cret%"));
    assert_eq!(address.database, Some(3));
    assert_eq!(address.client_name.as_deref(), Some("me"));

    assert_eq!(password(&parse("redis://:only@h")), Some("only"));
    assert_eq!(password(&parse("redis://alice@h")), None);
    assert_eq!(password(&parse("redis://alice:@h")), None);
    assert_eq!(parse("redis://:@h/").user, None);
    assert_eq!(parse("REDISS://h?db=3").database, Some(3));
    assert_eq!(parse("redis://h/3?db=3").database, Some(3));
    assert_eq!(
        parse("redis://h?ssl_cert_reqs=required&server_name=N.example").server_name.as_deref(),
        Some("n.example")
    );
}

#[test]
fn a_raw_access_key_in_a_url_is_taken_as_it_is() {
    for text in [format!("rediss://:{KEY}@h:6380/1"), format!("rediss://default:{KEY}@h:6380/1")] {
        let address = parse(&text);
        assert_eq!(password(&address), Some(KEY));
        assert_eq!((address.host.as_str(), address.port, address.database), ("h", 6380, Some(1)));
    }
    assert_eq!(password(&parse("redis://:a@b:c/d@h")), Some("a@b:c/d"));
}

#[test]
fn ipv6() {
    let address = parse("redis://:pw@[2001:DB8::1]:7000/2");
    assert_eq!((address.host.as_str(), address.port), ("2001:db8::1", 7000));
    assert_eq!(address.to_string(), "redis://[2001:db8::1]:7000/2");
    assert_eq!((parse("[::1]").host, parse("[::1]").port), ("::1".to_owned(), 6379));
    assert_eq!(parse("[::1]:6380,ssl=True,sslHost=[::2]").server_name.as_deref(), Some("::2"));
    for text in ["::1", "::1:6379", "redis://::1", "[::1", "[::1]6379", "[fe80::1%eth0]", "[1.2.3.4]", "[]"] {
        assert_eq!(Address::parse(text).unwrap_err().part(), Part::Host, "{text}");
    }
}

#[test]
fn the_connection_string_of_the_portal() {
    let text = format!("Shop.redis.cache.windows.net:6380,password={KEY},ssl=True,abortConnect=False");
    let address = parse(&text);
    assert_eq!(
        (address.host.as_str(), address.port, address.tls),
        ("shop.redis.cache.windows.net", 6380, true)
    );
    assert_eq!(password(&address), Some(KEY));
    assert_eq!(address.kind(), Service::AzureCache);
    assert_eq!(address.to_string(), "rediss://shop.redis.cache.windows.net:6380");

    for quoted in [format!("\"{text}\""), format!("'{text}'\n"), format!("  {text}\r\n")] {
        assert_eq!(parse(&quoted), address);
    }
}

#[test]
fn options_of_a_connection_string() {
    let address = parse(
        "a:7000, b ,[::1]:7002, PASSWORD = it's \"x\"=+/://y%41 ,User=app,SSL=yes,sslhost=c.example,defaultDatabase=4,\
         name=My App,connectTimeout=5000,syncTimeout=1000,keepAlive=60,allowAdmin=true,channelPrefix=x,\
         sslProtocols=Tls12|Tls13,abortConnect=False,connectRetry=3,$CONFIG=,proxy=None,resolveDns=0,tiebreaker=",
    );
    assert_eq!((address.host.as_str(), address.port, address.tls), ("a", 7000, true));
    assert_eq!(address.more, [("b".to_owned(), 6380), ("::1".to_owned(), 7002)]);
    assert_eq!(password(&address), Some("it's \"x\"=+/://y%41"));
    assert_eq!(address.user.as_deref(), Some("app"));
    assert_eq!(address.server_name.as_deref(), Some("c.example"));
    assert_eq!(address.database, Some(4));
    assert_eq!(address.client_name.as_deref(), Some("MyApp"));

    assert_eq!(parse("a,password=").password, None);
    assert!(!parse("a:6380,ssl=False").tls);
}

#[test]
fn defaults_by_host_and_port() {
    for (text, port, tls) in [
        ("h", 6379, false),
        ("h:6379", 6379, false),
        ("h:6380", 6380, true),
        ("h:10000", 10000, true),
        ("h:7000", 7000, false),
        ("h,ssl=True", 6380, true),
        ("h,ssl=False", 6379, false),
        ("redis://h:6380", 6380, false),
        ("rediss://h", 6379, true),
        ("c.redis.cache.windows.net", 6380, true),
        ("c.redis.cache.windows.net:6379", 6379, false),
        ("c.redis.cache.windows.net:15001", 15001, true),
        ("c.redis.cache.usgovcloudapi.net", 6380, true),
        ("c.redis.cache.chinacloudapi.cn", 6380, true),
        ("c.redis.cache.windows.net,ssl=False", 6379, false),
        ("redis://c.redis.cache.windows.net", 6379, false),
        ("rediss://c.redis.cache.windows.net", 6380, true),
        ("c.westeurope.redis.azure.net", 10000, true),
        ("c.westeurope.redis.azure.net:8501", 8501, true),
        ("redis://c.westeurope.redis.azure.net", 10000, false),
        ("c.redis.usgovcloudapi.net", 10000, true),
        ("c.redis.chinacloudapi.cn", 10000, true),
        ("c.redis.sovcloud-api.fr", 10000, true),
        ("c.eastus.redisenterprise.cache.azure.net", 10000, true),
    ] {
        let address = parse(text);
        assert_eq!((address.port, address.tls), (port, tls), "{text}");
    }
}

#[test]
fn errors_tell_the_part() {
    for (text, part) in [
        ("", Part::Whole),
        ("\"\"", Part::Whole),
        ("redis://h#insecure", Part::Whole),
        ("://h", Part::Scheme),
        ("http://h", Part::Scheme),
        ("unix:///run/redis.sock", Part::Scheme),
        ("redis://:pa%zz@h", Part::Credentials),
        ("redis://:pa%4@h", Part::Credentials),
        ("redis://:pa%%41@h", Part::Credentials),
        ("redis://:%ff@h", Part::Credentials),
        ("redis://:pa?ss@h", Part::Credentials),
        ("redis://:pa#ss@h", Part::Credentials),
        ("redis://", Part::Host),
        ("redis:///1", Part::Host),
        ("redis://h,,i", Part::Host),
        ("user:pass@h:6379", Part::Host),
        ("pass@h", Part::Host),
        ("a b", Part::Host),
        ("a..b", Part::Host),
        ("password=abc", Part::Host),
        ("h:", Part::Port),
        ("h:0", Part::Port),
        ("h:65536", Part::Port),
        ("h:+80", Part::Port),
        ("redis://h:6379x", Part::Port),
        ("redis://h/x", Part::Database),
        ("redis://h/1/2", Part::Database),
        ("redis://h/1?db=2", Part::Database),
        ("redis://h/4294967296", Part::Database),
        ("h,defaultDatabase=-1", Part::Database),
        ("h,ssl=maybe", Part::Option),
        ("h,ssl=true,ssl=false", Part::Option),
        ("h,serviceName=primary", Part::Option),
        ("h,proxy=Twemproxy", Part::Option),
        ("h,password=a,b", Part::Option),
        ("redis://h?password=abc", Part::Option),
    ] {
        match Address::parse(text) {
            Ok(address) => panic!("{text}: {address}"),
            Err(error) => {
                assert_eq!(error.part(), part, "{text}: {error}");
                let message = error.to_string();
                for form in ["rediss://", "password=...,ssl=True", "host:port"] {
                    assert!(message.contains(form), "{message}");
                }
            }
        }
    }
}

#[test]
fn an_unknown_option_is_named_unless_it_may_be_a_password() {
    let message = |text: &str| Address::parse(text).unwrap_err().problem().to_owned();
    assert!(
        message("h,pasword=hunter2").contains("pasword") && !message("h,pasword=hunter2").contains("hunter2")
    );
    assert!(message("redis://h?colour=red").contains("colour"));
    assert!(message("h,password=abc,QwErTy=").contains("comma"));
    assert!(!message("h,password=abc,QwErTy=").contains("QwErTy"));
    assert!(!message(&format!("h,password{KEY}")).contains("AzCa"));
    // KEY@host means a password to some clients and a user to others; a user would be shown.
    let message = message(&format!("redis://{KEY}@h"));
    assert!(message.contains("access key") && !message.contains("AzCa"), "{message}");
}

#[test]
fn the_password_is_never_shown() {
    let address =
        parse(&format!("h:6380,password={KEY},user=app")).with_password(Some(Secret::new("sesame-sesame")));
    for text in [address.to_string(), format!("{address:?}"), format!("{address:#?}")] {
        assert!(!text.contains("sesame") && !text.contains("AzCa"), "{text}");
    }
    assert_eq!(address.with_password(None).password, None);
}

/// At least twelve characters of which the first four stand in no message; all that ends forms, quotes or encodings.
fn secrets() -> impl Strategy<Value = String> {
    "ZqX7[A-Za-z0-9+/=:@?#%&,;\"'\\\\ \\[\\]é€.-]{8,40}"
}

fn hosts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9][a-zA-Z0-9-]{0,10}(\\.[a-z]{1,8}){0,3}",
        "[a-z]{1,8}\\.redis\\.cache\\.windows\\.net",
        "[a-z]{1,8}\\.eastus\\.redis\\.azure\\.net",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
}

fn ports() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just(":6380".to_owned()),
        Just(":10000".to_owned()),
        (1..=u16::MAX).prop_map(|port| format!(":{port}")),
    ]
}

/// Valid ones: each option at most once, in any selection.
fn connection_strings() -> impl Strategy<Value = String> {
    let server = (hosts(), ports()).prop_map(|(host, port)| format!("{host}{port}"));
    let options = (
        prop::option::of("password=[!-+\\--~é]{0,20}"),
        prop::option::of("user=[!-+\\--~é]{0,40}"),
        prop::option::of("(ssl|SSL)=(True|false)"),
        prop::option::of("sslHost=[a-z]{1,9}\\.example"),
        prop::option::of("name=[!-+\\--~ é]{0,9}"),
        prop::option::of("defaultDatabase=[0-9]{1,4}"),
    );
    (prop::collection::vec(server, 1..4), options).prop_map(|(servers, (a, b, c, d, e, f))| {
        let options = [a, b, c, d, e, f].into_iter().flatten();
        servers.into_iter().chain(options).collect::<Vec<_>>().join(",")
    })
}

/// Valid ones.
fn urls() -> impl Strategy<Value = String> {
    let user = "[a-z0-9-]{0,36}";
    let secret = "[a-z]{0,4}(%2f|%C3%A9|:|@|/|=|\\+)?";
    let tail = "(/[0-9]{1,3})?|\\?db=[0-9]{1,3}&client_name=[a-z]{0,3}%41%25%20";
    ("rediss?", user, secret, hosts(), ports(), tail).prop_map(|(scheme, user, secret, host, port, tail)| {
        format!("{scheme}://{user}:{secret}@{host}{port}{tail}")
    })
}

/// Texts around a password that are wrong, or become wrong with some passwords.
fn broken_around(secret: &str) -> Vec<String> {
    vec![
        secret.to_owned(),
        format!("redis://{secret}"),
        format!("redis://:{secret}@h"),
        format!("redis://u:{secret}@h:x"),
        format!("redis://u:{secret}@h o"),
        format!("redis://u:{secret}@h/x"),
        format!("redis://u:{secret}@h?colour=red"),
        format!("redis://h:{secret}"),
        format!("redis://h/{secret}"),
        format!("redis://h?password={secret}"),
        format!("redis://h?{secret}"),
        format!("{secret}://h"),
        format!("u:{secret}@h:6379"),
        format!("h:{secret}"),
        format!("h,{secret}"),
        format!("h,{secret},ssl=True"),
        format!("h,password={secret}"),
        format!("h,password={secret},ssl=maybe"),
        format!("h,password={secret},colour=red"),
        format!("h,password=x,{secret}=y"),
        format!("h,pasword={secret}"),
        format!("h,password{secret}"),
        format!("h,ssl={secret}"),
        format!("h,defaultDatabase={secret}"),
        format!("h,sslHost={secret}"),
        format!("h:x,password={secret}"),
        format!("[{secret}]"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn parsing_is_total(text in "\\PC*") {
        let _ = Address::parse(&text);
    }

    #[test]
    fn parsing_is_total_near_the_grammar(text in "(redis://|rediss://|\"|)([a-z0-9.@:/?#,=%&\\[\\]é\\-]|ssl=|password=|db=){0,24}") {
        if let Ok(address) = Address::parse(&text) {
            let shown = address.to_string();
            prop_assert_eq!(Address::parse(&shown).map_err(|e| e.to_string()), Ok(address.with_password(None)), "{}", shown);
        }
    }

    #[test]
    fn what_is_printed_parses_back(text in prop_oneof![connection_strings(), urls()]) {
        let address = parse(&text);
        let shown = address.to_string();
        prop_assert_eq!(parse(&shown), address.with_password(None), "{}", shown);
    }

    #[test]
    fn errors_and_debug_output_never_show_a_password(secret in secrets()) {
        for text in broken_around(&secret) {
            let shown = match Address::parse(&text) {
                Err(error) => format!("{error} {error:?} {}", error.problem()),
                Ok(address) if password(&address).is_some_and(|text| text.contains("ZqX7")) => {
                    format!("{address} {address:?}")
                }
                // Elsewhere, as in `ZqX7:x@host`, it is the user or the host.
                Ok(_) => continue,
            };
            prop_assert!(!shown.contains("ZqX7") && !shown.contains("zqx7"), "{} -> {}", text, shown);
        }
    }
}
