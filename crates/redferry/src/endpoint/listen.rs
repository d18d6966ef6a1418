//! Where the endpoint listens.

use std::net::SocketAddr;
use std::str::FromStr;

/// `--listen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    At(SocketAddr),
    Off,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        if text == "off" {
            return Ok(Listen::Off);
        }
        text.parse().map(Listen::At).map_err(|_| {
            "write an IP address with a port, such as 127.0.0.1:9121, 127.0.0.1:0 for any free port, or off".into()
        })
    }
}
