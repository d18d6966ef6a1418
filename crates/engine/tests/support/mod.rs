//! What all tests need.

use client::address::Address;
use client::secret::Secret;
use client::tls::TlsOptions;
use client::{Endpoint, Side};
use testkit::Access;

/// The endpoint for a test cache.
pub(crate) fn endpoint(side: Side, access: &Access) -> Endpoint {
    let mut address = Address::parse(&access.url()).unwrap();
    address.user = access.user.clone();
    let address = address.with_password(access.password.clone().map(Secret::new));
    Endpoint::new(side, &address, &TlsOptions { ca: access.ca.clone(), ..TlsOptions::default() }).unwrap()
}

#[allow(dead_code, reason = "not every test follows")]
pub mod following;
