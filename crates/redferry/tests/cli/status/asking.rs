//! A client of the endpoint that shares no code with redferry's own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

use crate::support::Redferry;

/// A sync, as its control file tells of it.
pub(crate) struct Running {
    pub(crate) file: PathBuf,
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Running {
    pub(crate) fn get(&self, path: &str) -> Asked {
        asked(self.address, "GET", path, Some(&self.token))
    }
}

/// The only sync whose state is in the folder.
#[track_caller]
pub(crate) fn of_running(redferry: &Redferry) -> Running {
    let files = std::fs::read_dir(redferry.folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|ending| ending == "control")).collect();
    let file = files.pop().expect("a control file");
    assert!(files.is_empty(), "{files:?}");
    let content: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(content["format"], 1);
    assert!(content["pid"].is_u64());
    let address = content["address"].as_str().unwrap().parse().unwrap();
    Running { file, address, token: content["token"].as_str().unwrap().to_owned() }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) code: u16,
    head: String,
    pub(crate) body: String,
}

impl Asked {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Asks, and reads until the connection is closed.
#[track_caller]
pub(crate) fn asked(address: SocketAddr, method: &str, path: &str, token: Option<&str>) -> Asked {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{token}Content-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Asked {
        code: code.unwrap_or_else(|| panic!("no code in {head:?}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
