//! TLS, and tokens of Microsoft Entra from a login server of this test. Azurite checks a token's issuer, audience and
//! expiry, and not who signed it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use blob::{Access, Kind, Network, ReadOptions, Reader, Secret, WriteOptions, Writer};
use bytes::Bytes;
use testkit::Azurite;
use testkit::azurite::{KEY, Sas};

use crate::support::{CONTAINER, place, rest, told};

/// Answers every request with a token, until the program ends, and keeps the requests.
fn login_server() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = vec![0; 16 * 1024];
            let mut length = 0;
            // The body follows in the same packet or the next.
            while let Ok(count) = stream.read(&mut request[length..]) {
                length += count;
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                if count == 0
                    || text.contains("\r\n\r\n") && (text.starts_with("GET") || text.contains("client_id="))
                {
                    seen.lock().unwrap().push(text);
                    break;
                }
            }
            let refuse = seen.lock().unwrap().last().is_some_and(|text| text.contains("client_secret=wrong"));
            let (status, body) = if refuse {
                let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"}"#;
                ("401 Unauthorized", body.to_owned())
            } else {
                // A token lasts an hour; IMDS writes numbers as text.
                let in_hour = seconds_since_1970() + 3600;
                let body = format!(
                    r#"{{"access_token":"{}","expires_in":3600,"expires_on":"{in_hour}","token_type":"Bearer"}}"#,
                    token(in_hour)
                );
                ("200 OK", body)
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n");
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    (port, asked)
}

fn seconds_since_1970() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn token(expires: u64) -> String {
    let header = base64(br#"{"alg":"RS256","typ":"JWT"}"#);
    let claims = format!(
        r#"{{"aud":"https://storage.azure.com","iss":"https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/","nbf":{},"iat":{0},"exp":{expires}}}"#,
        expires - 7200,
    );
    format!("{header}.{}.{}", base64(claims.as_bytes()), base64(b"nobody looks at this"))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let number =
            part.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte)) << (8 * (3 - part.len()));
        for index in 0..=part.len() {
            text.push(char::from(LETTERS[number >> (18 - 6 * index) & 63]));
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_and_tokens() {
    let Some(azurite) = Azurite::start_with_tls() else { return };
    let authority = std::fs::read(&testkit::tls::authority().ca).unwrap();
    let network = Network { authorities: Some(authority), give_up: std::time::Duration::from_secs(10) };
    let sas = azurite.sas(Sas { container: CONTAINER, blob: None, permissions: "rcw", expires_in: 3600 });
    azurite.create_container(CONTAINER);
    let url = azurite.url(CONTAINER, "x");

    let read = async |access: Access, text: &str, network: &Network| {
        let options = ReadOptions { network: network.clone() };
        rest(Reader::open(&place(text), &access, options).await?).await
    };
    let options = WriteOptions { network: network.clone(), ..WriteOptions::default() };
    let key = Access::shared_key(Secret::new(KEY));
    let mut writer = Writer::create(&place(&url), &key, options).await.unwrap();
    writer.write(Bytes::from_static(b"over TLS")).await.unwrap();
    writer.finish().await.unwrap();
    let nothing = || Access::from_variables(|_| None);
    assert_eq!(read(nothing(), &format!("{url}?{sas}"), &network).await.unwrap(), b"over TLS");

    // Not trusted: said at once, since no repetition would help.
    let error = read(key, &url, &Network::default()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Refused, "{error}");
    assert!(told(&error).contains("certificate is not trusted"), "{}", told(&error));

    let (port, asked) = login_server();
    let authority = format!("http://127.0.0.1:{port}");
    let file = std::env::temp_dir().join(format!("redferry-federated-{}", std::process::id()));
    std::fs::write(&file, "federated").unwrap();
    let file_name = file.to_str().unwrap().to_owned();
    let identity = format!("{authority}/msi/token");
    for (variables, part) in [
        (
            vec![
                ("AZURE_TENANT_ID", "tenant"),
                ("AZURE_CLIENT_ID", "client"),
                ("AZURE_CLIENT_SECRET", "c0ffee"),
                ("AZURE_AUTHORITY_HOST", &authority),
            ],
            "client_secret=c0ffee",
        ),
        (
            vec![
                ("AZURE_TENANT_ID", "tenant"),
                ("AZURE_CLIENT_ID", "client"),
                ("AZURE_FEDERATED_TOKEN_FILE", &file_name),
                ("AZURE_AUTHORITY_HOST", &authority),
            ],
            "client_assertion=federated",
        ),
        (vec![("IDENTITY_ENDPOINT", identity.as_str()), ("AZURE_CLIENT_ID", "client")], "GET /msi/token?"),
    ] {
        let access = variables_access(&variables);
        assert!(!format!("{access:?}").contains("c0ffee"));
        assert_eq!(read(access, &url, &network).await.unwrap(), b"over TLS", "{part}");
        let last = asked.lock().unwrap().last().cloned().unwrap();
        assert!(last.contains(part), "{last}");
    }
    std::fs::remove_file(&file).unwrap();

    let refused = variables_access(&[
        ("AZURE_TENANT_ID", "tenant"),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_CLIENT_SECRET", "wrong"),
        ("AZURE_AUTHORITY_HOST", &authority),
    ]);
    let error = read(refused, &url, &network).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoCredentials, "{error}");
    assert!(told(&error).contains("AADSTS7000215: Invalid client secret provided."), "{}", told(&error));
    assert!(!told(&error).contains("Trace ID"), "{}", told(&error));

    // What a machine without any login gets: everything that was tried.
    let alone = variables_access(&[("IDENTITY_ENDPOINT", "http://127.0.0.1:1/")]);
    let error = read(alone, &url, &network).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NoCredentials, "{error}");
    let text = told(&error);
    assert!(text.contains("(managed identity: HTTP error") && text.contains("Azure CLI: "), "{text}");
}

fn variables_access(variables: &[(&str, &str)]) -> Access {
    Access::from_variables(|name| {
        variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned())
    })
}
