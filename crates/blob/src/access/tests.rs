use super::*;
use crate::place::Place;

fn blob(text: &str) -> BlobPlace {
    match Place::parse(text).unwrap() {
        Place::Blob(blob) => blob,
        Place::File(_) => panic!("{text} is a file"),
    }
}

fn resolve(variables: &[(&str, &str)], place: &str) -> Result<String, String> {
    let access = Access::from_variables(|name| {
        variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
    });
    assert!(!format!("{access:?}").contains("c0ffee"), "{access:?}");
    let place = blob(place);
    let Resolved { endpoint, login } = access.resolve(&place).map_err(|error| error.to_string())?;
    let with = match login {
        Login::Key(key) => format!("key {}", key.expose()),
        Login::Sas(sas) => format!("sas {}", sas.expose()[0].1),
        Login::Entra(_) => "entra".to_owned(),
    };
    Ok(format!("{with} {}", endpoint.url(&place.account)))
}

const PLACE: &str = "az://account/dumps/x";
const PUBLIC: &str = "https://account.blob.core.windows.net";

#[test]
fn the_nearest_credential_wins() {
    let everything = [
        (
            "AZURE_STORAGE_CONNECTION_STRING",
            "DefaultEndpointsProtocol=https;AccountName=account;AccountKey=a2V5;EndpointSuffix=core.windows.net",
        ),
        ("AZURE_STORAGE_KEY", "other"),
        ("AZURE_STORAGE_SAS_TOKEN", "?sig=token"),
        ("AZURE_CLIENT_ID", "client"),
    ];
    for (skipped, expected) in
        ["key a2V5", "key other", "sas token", "entra", "entra"].into_iter().enumerate()
    {
        assert_eq!(resolve(&everything[skipped..], PLACE), Ok(format!("{expected} {PUBLIC}")));
    }
    assert_eq!(resolve(&everything, &format!("{PLACE}?sig=own")), Ok(format!("sas own {PUBLIC}")));
}

#[test]
fn all_names_of_the_key() {
    for name in ["AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY"] {
        assert_eq!(resolve(&[(name, "k")], PLACE), Ok(format!("key k {PUBLIC}")), "{name}");
        assert_eq!(resolve(&[(name, "")], PLACE), Ok(format!("entra {PUBLIC}")), "empty {name}");
    }
}

#[test]
fn a_key_is_not_sent_to_another_account() {
    for name in ["AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN"] {
        let variables = [("AZURE_STORAGE_ACCOUNT", "another"), (name, "sig=k")];
        assert_eq!(resolve(&variables, PLACE), Ok(format!("entra {PUBLIC}")), "{name}");
    }
    let variables = [("AZURE_STORAGE_CONNECTION_STRING", "AccountName=another;AccountKey=k")];
    assert_eq!(resolve(&variables, PLACE), Ok(format!("entra {PUBLIC}")));
}

#[test]
fn endpoints() {
    let emulator = "az://devstoreaccount1/dumps/x";
    for (text, place, expected) in [
        ("UseDevelopmentStorage=true", emulator, "http://127.0.0.1:10000/devstoreaccount1"),
        (
            "AccountName=devstoreaccount1;AccountKey=k;BlobEndpoint=http://127.0.0.1:1/devstoreaccount1/;",
            emulator,
            "http://127.0.0.1:1/devstoreaccount1",
        ),
        (
            "BlobEndpoint=https://account.blob.core.usgovcloudapi.net/;SharedAccessSignature=sig=s",
            PLACE,
            "https://account.blob.core.usgovcloudapi.net",
        ),
        (
            "AccountName=account;AccountKey=k;EndpointSuffix=core.chinacloudapi.cn",
            PLACE,
            "https://account.blob.core.chinacloudapi.cn",
        ),
        (
            "AccountName=account;AccountKey=k;BlobEndpoint=https://blobs.example.com",
            PLACE,
            "https://blobs.example.com",
        ),
    ] {
        let resolved = resolve(&[("AZURE_STORAGE_CONNECTION_STRING", text)], place).unwrap();
        assert_eq!(resolved.rsplit(' ').next(), Some(expected), "{text}");
        assert!(!resolved.starts_with("entra"), "{text}");
        // A URL says itself where it is.
        let own = "https://account.blob.core.windows.net/dumps/x";
        let resolved = resolve(&[("AZURE_STORAGE_CONNECTION_STRING", text)], own).unwrap();
        assert!(resolved.ends_with(PUBLIC), "{resolved}");
    }
    let variables = [("AZURE_STORAGE_SERVICE_ENDPOINT", "https://account.blob.core.usgovcloudapi.net")];
    assert_eq!(resolve(&variables, PLACE).unwrap(), "entra https://account.blob.core.usgovcloudapi.net");
}

#[test]
fn what_is_wrong_is_said_without_the_secret() {
    for (name, text, part) in [
        ("AZURE_STORAGE_CONNECTION_STRING", "c0ffee", "no ="),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=c0ffee", "neither AccountName"),
        (
            "AZURE_STORAGE_CONNECTION_STRING",
            "AccountName=account;DefaultEndpointsProtocol=http;AccountKey=c0ffee",
            "plain text",
        ),
        ("AZURE_STORAGE_CONNECTION_STRING", "BlobEndpoint=http://example.com/c0ffee", "emulator"),
        ("AZURE_STORAGE_SAS_TOKEN", "c0ffee", "no SAS"),
    ] {
        let error = resolve(&[(name, text)], PLACE).unwrap_err();
        assert!(error.contains(name) && error.contains(part), "{error}");
        assert!(!error.contains("c0ffee"), "{error}");
    }
}
