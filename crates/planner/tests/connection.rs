//! Connection settings before and after, for every form that applications hold.

use planner::connection::{ConnectionError, Conversion, Document, Form, Wish, convert};
use planner::{Catalog, ClusteringPolicy};
use proptest::prelude::*;

const NEW: &str = "shop.westeurope.redis.azure.net";

fn to_new() -> Wish {
    Wish { to_host: Some(NEW.into()), ..Wish::default() }
}

fn with(policy: ClusteringPolicy) -> Wish {
    Wish { policy: Some(policy), ..to_new() }
}

fn entra() -> Wish {
    Wish { entra: true, ..to_new() }
}

#[track_caller]
fn done(text: &str, wish: &Wish) -> Conversion {
    convert(text, wish, None, &Catalog::embedded()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
fn becomes(text: &str, form: Form, new: &str) {
    let conversion = done(text, &to_new());
    assert_eq!((conversion.form, conversion.converted.as_str()), (form, new));
}

fn refused(text: &str, wish: &Wish) -> ConnectionError {
    convert(text, wish, None, &Catalog::embedded()).unwrap_err()
}

#[test]
fn strings_of_stack_exchange_redis() {
    becomes(
        "shop.redis.cache.windows.net:6380,password=aB+/==,ssl=True,abortConnect=False",
        Form::StackExchange,
        "shop.westeurope.redis.azure.net:10000,password=aB+/==,ssl=True,abortConnect=False",
    );
    // Plaintext, a database, and no ssl at all.
    becomes(
        "Shop.Redis.Cache.Windows.Net:6379,password=p,defaultDatabase=3",
        Form::StackExchange,
        "shop.westeurope.redis.azure.net:10000,password=p,defaultDatabase=0,ssl=True",
    );
    becomes(
        "shop.redis.cache.windows.net,ssl=false",
        Form::StackExchange,
        "shop.westeurope.redis.azure.net:10000,ssl=True",
    );
    becomes(
        "shop.redis.cache.windows.net:6380",
        Form::StackExchange,
        "shop.westeurope.redis.azure.net:10000,ssl=True",
    );
    // The nodes of one cluster are one address.
    becomes(
        "shop.redis.cache.windows.net:13000,shop.redis.cache.windows.net:13001,ssl=True,sslHost=shop.redis.cache.windows.net",
        Form::StackExchange,
        "shop.westeurope.redis.azure.net:10000,ssl=True,sslHost=shop.westeurope.redis.azure.net",
    );
}

#[test]
fn passwords_stay_as_they_are_and_are_never_told() {
    let password = r#"a"b'c,d=e,f&<g==#h@i"#;
    let text = format!("shop.redis.cache.windows.net:6380,password={password},ssl=False,defaultDatabase=2");
    let conversion = done(&text, &to_new());
    assert_eq!(conversion.converted, format!("{NEW}:10000,password={password},ssl=True,defaultDatabase=0"));
    let told = format!("{:?}", conversion);
    assert!(!told.contains("d=e") && told.contains("the password has a comma"), "{told}");
    let url = "redis://:a/b@c:d%20=@shop.redis.cache.windows.net:6379/2";
    let conversion = done(url, &to_new());
    assert_eq!(conversion.converted, format!("rediss://:a/b@c:d%20=@{NEW}:10000/0"));
    assert!(!format!("{conversion:?}").contains("b@c"));
}

#[test]
fn urls() {
    becomes(
        "rediss://:key@shop.redis.cache.windows.net:6380/0",
        Form::Url,
        "rediss://:key@shop.westeurope.redis.azure.net:10000/0",
    );
    becomes(
        "redis://u:k@shop.redis.cache.windows.net?db=4&timeout=5s",
        Form::Url,
        "rediss://u:k@shop.westeurope.redis.azure.net:10000?db=0&timeout=5s",
    );
    becomes(
        "rediss://k@shop.redis.cache.windows.net:15000,shop.redis.cache.windows.net:15001",
        Form::Url,
        "rediss://k@shop.westeurope.redis.azure.net:10000",
    );
}

#[test]
fn names_of_all_clouds() {
    for (old, region, new) in [
        ("shop.redis.cache.windows.net", Some("westeurope"), "shop.westeurope.redis.azure.net"),
        ("shop.privatelink.redis.cache.windows.net", Some("WestEurope"), "shop.westeurope.redis.azure.net"),
        (
            "shop.redis.cache.usgovcloudapi.net",
            Some("usgovvirginia"),
            "shop.usgovvirginia.redis.usgovcloudapi.net",
        ),
        ("shop.redis.cache.chinacloudapi.cn", Some("chinaeast2"), "shop.chinaeast2.redis.chinacloudapi.cn"),
    ] {
        let wish = Wish { region: region.map(str::to_owned), ..Wish::default() };
        let conversion = done(&format!("rediss://:k@{old}:6380"), &wish);
        assert_eq!(conversion.converted, format!("rediss://:k@{new}:10000"));
        assert!(conversion.notes.iter().any(|note| note.contains("guess")), "{:?}", conversion.notes);
        let unknown = done(&format!("rediss://:k@{old}:6380"), &Wish::default());
        let region = new.split('.').nth(1).unwrap();
        assert_eq!(unknown.converted, format!("rediss://:k@{}:10000", new.replace(region, "REGION")));
        assert!(unknown.notes.iter().any(|note| note.contains("in place of REGION")), "{:?}", unknown.notes);
        // Who rewrites files does not look at each.
        let cautious = Wish { cautious: true, ..Wish::default() };
        let error = refused(&format!("rediss://:k@{old}:6380"), &cautious);
        assert_eq!(error, ConnectionError::NewHostNeeded { host: old.into() });
    }
}

#[test]
fn what_cannot_be_converted_is_said() {
    let key = "secretsecret";
    assert_eq!(refused("  \n", &to_new()), ConnectionError::Empty);
    for text in
        [format!("REDIS_PASSWORD={key}"), format!("hello {key}"), format!("{{\"password\": \"{key}\"}}")]
    {
        let error = refused(&text, &Wish::default());
        assert_eq!(error, ConnectionError::NothingFound, "{text}");
    }
    let error = refused(&format!("{{\"a\": 1,\n \"password\" \"{key}\"}}"), &to_new()).to_string();
    assert!(error.contains("not json: line 2") && !error.contains(key), "{error}");
    let error = refused("shop.westeurope.redisenterprise.cache.azure.net:10000,password=k", &Wish::default());
    assert!(error.to_string().contains("Enterprise"), "{error}");
    let bad = Wish { to_host: Some("rediss://new:10000".into()), ..Wish::default() };
    assert!(matches!(refused("shop.redis.cache.windows.net:6380", &bad), ConnectionError::BadHost { .. }));
    let bad = Wish { region: Some("West Europe".into()), ..Wish::default() };
    assert!(matches!(refused("shop.redis.cache.windows.net:6380", &bad), ConnectionError::BadRegion { .. }));
}

#[test]
fn names_of_ones_own_are_replaced_where_the_new_one_is_given() {
    becomes(
        "cache.example.com:6380,password=k,ssl=True",
        Form::StackExchange,
        &format!("{NEW}:10000,password=k,ssl=True"),
    );
    becomes("redis://cache.example.com:6379", Form::Url, &format!("rediss://{NEW}:10000"));
    becomes(
        "REDIS_HOST=cache.example.com\nREDIS_PORT=6380\n",
        Form::Env,
        &format!("REDIS_HOST={NEW}\nREDIS_PORT=10000\n"),
    );
    let already = done(&format!("{NEW}:10000,password=k,ssl=True"), &Wish::default());
    assert!(already.converted.contains(NEW) && already.notes.iter().any(|note| note.contains("already")));
}

#[test]
fn spring_and_jedis_properties() {
    let old = "# cache\nspring.data.redis.host=shop.redis.cache.windows.net\nspring.data.redis.port: 6380\n\
               spring.data.redis.ssl.enabled=false\nspring.data.redis.database = 5\nspring.data.redis.password=p=,#'\"\n\
               spring.datasource.port=5432\nserver.port=6379\n";
    let new = "# cache\nspring.data.redis.host=shop.westeurope.redis.azure.net\nspring.data.redis.port: 10000\n\
               spring.data.redis.ssl.enabled=true\nspring.data.redis.database = 0\nspring.data.redis.password=p=,#'\"\n\
               spring.datasource.port=5432\nserver.port=6379\n";
    becomes(old, Form::Properties, new);
    let clustered = done(old, &with(ClusteringPolicy::OSSCluster)).converted;
    assert!(
        clustered.contains("spring.data.redis.cluster.nodes=shop.westeurope.redis.azure.net:10000\n"),
        "{clustered}"
    );
    assert!(!clustered.contains("redis.host"), "{clustered}");
    let back =
        done(&clustered.replace(NEW, "shop.redis.cache.windows.net"), &with(ClusteringPolicy::NoCluster))
            .converted;
    assert!(
        back.contains("redis.host=shop.westeurope.redis.azure.net\nspring.data.redis.port=10000\n"),
        "{back}"
    );
    becomes(
        "redis.host=shop.redis.cache.windows.net\nredis.port=6379\nredis.ssl=false\nredis.url=rediss\\://\\:k@shop.redis.cache.windows.net\\:6380\n",
        Form::Properties,
        "redis.host=shop.westeurope.redis.azure.net\nredis.port=10000\nredis.ssl=true\nredis.url=rediss://:k@shop.westeurope.redis.azure.net:10000\n",
    );
    assert!(done(old, &entra()).converted.contains("redis.password=\n"));
}

#[test]
fn yaml_of_spring_kubernetes_and_sidekiq() {
    becomes(
        "spring:\n  data:\n    redis:\n      host: \"shop.redis.cache.windows.net\" # the cache\n      port: 6380\n      ssl:\n        enabled: false\n      database: 2\n      password: 'it''s'\nserver:\n  port: 6379\n",
        Form::Yaml,
        "spring:\n  data:\n    redis:\n      host: \"shop.westeurope.redis.azure.net\" # the cache\n      port: 10000\n      ssl:\n        enabled: true\n      database: 0\n      password: 'it''s'\nserver:\n  port: 6379\n",
    );
    let text = "spring:\n  data:\n    redis:\n      host: shop.redis.cache.windows.net\n      port: 6380\n";
    let clustered = done(text, &with(ClusteringPolicy::OSSCluster)).converted;
    assert!(
        clustered
            .contains("      cluster:\n        nodes: shop.westeurope.redis.azure.net:10000\n      port"),
        "{clustered}"
    );
    becomes(
        "env:\n- name: REDIS_HOST\n  value: shop.redis.cache.windows.net\n- name: REDIS_PORT\n  value: \"6380\"\n- name: DB_PORT\n  value: \"5432\"\n",
        Form::Yaml,
        "env:\n- name: REDIS_HOST\n  value: shop.westeurope.redis.azure.net\n- name: REDIS_PORT\n  value: \"10000\"\n- name: DB_PORT\n  value: \"5432\"\n",
    );
    becomes(
        "environment:\n  - REDIS_URL=rediss://:a:b=@shop.redis.cache.windows.net:6380/2\n  - REDIS_HOST=shop.redis.cache.windows.net\n  - REDIS_PORT=6380\n  - DB_PORT=5432\n",
        Form::Yaml,
        "environment:\n  - REDIS_URL=rediss://:a:b=@shop.westeurope.redis.azure.net:10000/0\n  - REDIS_HOST=shop.westeurope.redis.azure.net\n  - REDIS_PORT=10000\n  - DB_PORT=5432\n",
    );
    becomes(
        ":concurrency: 5\n:url: redis://:k@shop.redis.cache.windows.net:6379/1\n",
        Form::Yaml,
        ":concurrency: 5\n:url: rediss://:k@shop.westeurope.redis.azure.net:10000/0\n",
    );
}

#[test]
fn blocks_of_yaml_are_files_of_their_own() {
    let old = "kind: ConfigMap\ndata:\n  # all of it\n  application.yml: |\n    spring:\n      data:\n        redis:\n          host: ~\n\n          port: 6380\n          database: 3\n  .env: |-\n    # of the worker\n    REDIS_HOST=~\n    REDIS_PORT=6380\n  appsettings.json: |2+\n    {\n      \"Redis\": \"~:6380,password=abc=,ssl=True\"\n    }\n  config.rb: >\n    Redis.new(url: \"rediss://:k@~:6380/0\")\n  list:\n  - |\n    rediss://:k@~:6380/0\n  plain: >-\n    ~:6380,password=k,ssl=True\n  other: |\n    PORT=6380\n";
    let of = |host: &str| old.replace('~', host);
    let new = of(NEW).replacen("6380", "10000", 6).replace("database: 3", "database: 0");
    becomes(&of("shop.redis.cache.windows.net"), Form::Yaml, &new);
    // A secret in a secret's block is base64 as well.
    use base64::{Engine, engine::general_purpose::STANDARD};
    let secret = |url: &str| format!("kind: Secret\ndata:\n  url: |\n    {}\n", STANDARD.encode(url));
    becomes(
        &secret("rediss://:k@shop.redis.cache.windows.net:6380/0"),
        Form::Yaml,
        &secret(&format!("rediss://:k@{NEW}:10000/0")),
    );
    // Blocks in blocks come to an end.
    let deep: String = (0..200).map(|depth| format!("{}a: |\n", " ".repeat(depth))).collect();
    assert_eq!(refused(&deep, &Wish::default()), ConnectionError::NothingFound);
}

#[test]
fn secrets_of_kubernetes_are_base64() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let secret = |url: &str, host: &str, port: &str| {
        let [url, host, port, key] = [url, host, port, "k,=\n"].map(|value| STANDARD.encode(value));
        format!(
            "apiVersion: v1\nkind: Secret\ndata:\n  url: {url}\n  redis-host: {host}\n  redis-port: {port}\n  redis-password: {key}\n  tls.crt: //79\nstringData:\n  REDIS: shop.redis.cache.windows.net:6380,ssl=True\n"
        )
    };
    let old =
        secret("rediss://:k@shop.redis.cache.windows.net:6380/0", "shop.redis.cache.windows.net\n", "6380");
    let new = secret(&format!("rediss://:k@{NEW}:10000/0"), &format!("{NEW}\n"), "10000");
    becomes(
        &old,
        Form::Yaml,
        &new.replace("shop.redis.cache.windows.net:6380,ssl", &format!("{NEW}:10000,ssl")),
    );
}

#[test]
fn json_of_dot_net_and_node() {
    becomes(
        "{\n  // cache\n  \"ConnectionStrings\": {\"Redis\": \"shop.redis.cache.windows.net:6380,password=\\u0022k==,ssl=True\",},\n  \"Port\": 6379\n}",
        Form::Json,
        "{\n  // cache\n  \"ConnectionStrings\": {\"Redis\": \"shop.westeurope.redis.azure.net:10000,password=\\\"k==,ssl=True\",},\n  \"Port\": 6379\n}",
    );
    becomes(
        "{\"socket\": {\"host\": \"shop.redis.cache.windows.net\", \"port\": 6379, \"tls\": false}, \"database\": 3, \"password\": \"a\\\"b\", \"sql\": {\"port\": 6379}}",
        Form::Json,
        "{\"socket\": {\"host\": \"shop.westeurope.redis.azure.net\", \"port\": 10000, \"tls\": true}, \"database\": 0, \"password\": \"a\\\"b\", \"sql\": {\"port\": 6379}}",
    );
    let text = "{\"host\": \"shop.redis.cache.windows.net\", \"port\": 6380, \"cluster\": false}";
    assert!(done(text, &with(ClusteringPolicy::OSSCluster)).converted.contains("\"cluster\": true"));
    assert!(done(text, &with(ClusteringPolicy::NoCluster)).converted.contains("\"cluster\": false"));
}

#[test]
fn env_files() {
    becomes(
        "# x\nexport REDIS_URL=\"rediss://:k@shop.redis.cache.windows.net:6380/0\"\nREDIS_HOST='shop.redis.cache.windows.net'\nREDIS_SSL_PORT=6380\nREDIS_USE_SSL=False\nREDIS_DB=0\nREDIS_PASSWORD=ab=,\"'c\nPORT=6379\n",
        Form::Env,
        "# x\nexport REDIS_URL=\"rediss://:k@shop.westeurope.redis.azure.net:10000/0\"\nREDIS_HOST='shop.westeurope.redis.azure.net'\nREDIS_SSL_PORT=10000\nREDIS_USE_SSL=True\nREDIS_DB=0\nREDIS_PASSWORD=ab=,\"'c\nPORT=6379\n",
    );
}

#[test]
fn web_config_of_the_session_state_provider() {
    becomes(
        "<sessionState mode=\"Custom\">\n <!-- host=\"shop.redis.cache.windows.net\" -->\n <add name=\"Session\" type=\"Microsoft.Web.Redis.RedisSessionStateProvider\" host=\"shop.redis.cache.windows.net\" port=\"6380\" accessKey=\"a&quot;b=\" ssl=\"false\" databaseId=\"2\" />\n <add key=\"Cache\" value=\"shop.redis.cache.windows.net:6380,password=k&amp;,ssl=True\" />\n</sessionState>",
        Form::Xml,
        "<sessionState mode=\"Custom\">\n <!-- host=\"shop.redis.cache.windows.net\" -->\n <add name=\"Session\" type=\"Microsoft.Web.Redis.RedisSessionStateProvider\" host=\"shop.westeurope.redis.azure.net\" port=\"10000\" accessKey=\"a&quot;b=\" ssl=\"true\" databaseId=\"0\" />\n <add key=\"Cache\" value=\"shop.westeurope.redis.azure.net:10000,password=k&amp;,ssl=True\" />\n</sessionState>",
    );
}

#[test]
fn pieces_of_programs() {
    for (old, new, note) in [
        (
            "broker_url = 'redis://:k@shop.redis.cache.windows.net:6379/1'",
            "broker_url = 'rediss://:k@shop.westeurope.redis.azure.net:10000/0'",
            "Celery",
        ),
        (
            "Sidekiq.configure_server { |c| c.redis = { url: 'rediss://:k@shop.redis.cache.windows.net:6380' } }",
            "Sidekiq.configure_server { |c| c.redis = { url: 'rediss://:k@shop.westeurope.redis.azure.net:10000' } }",
            "Sidekiq",
        ),
        (
            "Hangfire.UseRedisStorage(\"shop.redis.cache.windows.net:6380,password=a,ssl=True\")",
            "Hangfire.UseRedisStorage(\"shop.westeurope.redis.azure.net:10000,password=a,ssl=True\")",
            "Hangfire",
        ),
        (
            "services.AddDataProtection().PersistKeysToStackExchangeRedis(Connect(\"shop.redis.cache.windows.net:6380,ssl=True\"));",
            "services.AddDataProtection().PersistKeysToStackExchangeRedis(Connect(\"shop.westeurope.redis.azure.net:10000,ssl=True\"));",
            "Data Protection",
        ),
        (
            "celery -b redis://:k@shop.redis.cache.windows.net:6379/0 worker",
            "celery -b rediss://:k@shop.westeurope.redis.azure.net:10000/0 worker",
            "Celery",
        ),
        (
            "new Jedis(\"shop.redis.cache.windows.net\", 6380, true)",
            "new Jedis(\"shop.westeurope.redis.azure.net\", 10000, true)",
            "Jedis",
        ),
        (
            "redis.createClient(6380, 'shop.redis.cache.windows.net', {}); net.connect(6380, 'localhost'); f('x', 6380)",
            "redis.createClient(10000, 'shop.westeurope.redis.azure.net', {}); net.connect(6380, 'localhost'); f('x', 6380)",
            "Redis.Cluster (ioredis)",
        ),
        (
            "cache = redis.Redis(host='shop.redis.cache.windows.net', port=6380)",
            "cache = redis.Redis(host='shop.westeurope.redis.azure.net', port=10000)",
            "RedisCluster (redis-py)",
        ),
        (
            "redis.Redis(host='shop.redis.cache.windows.net', port=6379, db=2, ssl=False, password=\"a'b\")",
            "redis.Redis(host='shop.westeurope.redis.azure.net', port=10000, db=0, ssl=True, password=\"a'b\")",
            "RedisCluster (redis-py)",
        ),
        (
            "redis.NewClient(&redis.Options{Addr: \"shop.redis.cache.windows.net:6380\", DB: 1})",
            "redis.NewClient(&redis.Options{Addr: \"shop.westeurope.redis.azure.net:10000\", DB: 0})",
            "NewClusterClient (go-redis)",
        ),
    ] {
        let conversion = done(old, &with(ClusteringPolicy::OSSCluster));
        assert_eq!((conversion.form, conversion.converted.as_str()), (Form::Source, new));
        assert!(conversion.notes.iter().any(|said| said.contains(note)), "{note}: {:?}", conversion.notes);
    }
}

#[test]
fn what_is_done_already_is_not_asked_for() {
    let of_tls = |query: &str| {
        let text = format!("broker_url = 'rediss://:k@shop.redis.cache.windows.net:6380/0{query}'");
        done(&text, &to_new()).notes.iter().any(|note| note.contains("CERT_REQUIRED"))
    };
    assert!(of_tls("") && !of_tls("?ssl_cert_reqs=required"));
}

#[test]
fn entra_takes_the_keys_out() {
    for (old, new) in [
        ("shop.redis.cache.windows.net:6380,password=a,b=c,ssl=True", format!("{NEW}:10000,ssl=True")),
        ("rediss://:k@shop.redis.cache.windows.net:6380/0", format!("rediss://{NEW}:10000/0")),
        (
            "REDIS_HOST=shop.redis.cache.windows.net\nREDIS_KEY=x\nREDIS_PASSWORD=k\n",
            format!("REDIS_HOST={NEW}\nREDIS_KEY=\nREDIS_PASSWORD=\n"),
        ),
    ] {
        let conversion = done(old, &entra());
        assert_eq!(conversion.converted, new);
        assert!(conversion.notes.iter().any(|note| note.starts_with("Entra:")));
    }
}

/// A password as anybody could have one, but no line break.
fn password() -> impl Strategy<Value = String> {
    "[ -~äß€]{1,40}".prop_map(|text| text.trim().to_owned()).prop_filter("not empty", |text| !text.is_empty())
}

/// What begins like another option ends a password.
fn plain_password() -> impl Strategy<Value = String> {
    password().prop_filter("no option", |text| !text.contains(','))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_old_is_left_and_the_password_is_the_same(
        name in "[a-z][a-z0-9-]{0,20}", port in prop::sample::select(vec!["6380", "6379", "13001", "15002"]),
        tls in any::<bool>(), database in 0..16_u8, password in plain_password(),
    ) {
        let old = format!("{name}.redis.cache.windows.net:{port},password={password},ssl={tls},defaultDatabase={database}");
        let conversion = done(&old, &to_new());
        prop_assert_eq!(&conversion.converted, &format!("{NEW}:10000,password={password},ssl={},defaultDatabase=0", if tls { "true" } else { "True" }));
        let again = done(&conversion.converted, &to_new());
        prop_assert_eq!(again.converted, conversion.converted);
    }

    #[test]
    fn what_is_read_is_written_again(password in password(), host in "[a-z]{1,9}\\.example\\.com") {
        let xml = password.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&apos;");
        for (form, text) in [
            (Form::Json, format!("{{\"host\": {}, \"password\": {}}}", quoted(&host), quoted(&password))),
            (Form::Yaml, format!("host: {host}\npassword: {}\n", quoted(&password))),
            (Form::Yaml, format!("host: {host}\npassword: '{}'\n", password.replace('\'', "''"))),
            (Form::Properties, format!("host={host}\npassword={}\n", password.replace('\\', "\\\\"))),
            (Form::Xml, format!("<add host=\"{host}\" password=\"{xml}\" />")),
        ] {
            let document = Document::parse(&text, form).unwrap();
            let field = document.fields().iter().find(|field| field.name.last().unwrap() == "password").unwrap();
            prop_assert_eq!(&field.value, &password, "{}", form);
            prop_assert_eq!(&document.with(&[]), &text);
            // Another value in its place is read as that value, and the rest stays.
            let swapped = format!("{password}\"'&\\x");
            let again = Document::parse(&document.with(&[(field, &swapped)]), form).unwrap();
            let values: Vec<&str> = again.fields().iter().map(|field| field.value.as_str()).collect();
            prop_assert!(values.contains(&swapped.as_str()) && values.contains(&host.as_str()), "{form}: {values:?}");
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "\\PC{0,200}", form in prop::sample::select(Form::ALL.to_vec())) {
        let _ = convert(&text, &to_new(), Some(form), &Catalog::embedded());
        let _ = convert(&format!("{text}shop.redis.cache.windows.net{text}"), &to_new(), None, &Catalog::embedded());
    }

    #[test]
    fn no_form_is_too_strange(text in "[\"'{}\\[\\]:=,<>/ \\\\\n\\-a-c.0-9#|@?&;]{0,120}", form in prop::sample::select(Form::ALL.to_vec())) {
        if let Ok(document) = Document::parse(&text, form) {
            prop_assert_eq!(document.with(&[]), text.clone());
        }
        let _ = convert(&format!("{text}shop.redis.cache.windows.net:6380{text}"), &to_new(), Some(form), &Catalog::embedded());
    }
}
