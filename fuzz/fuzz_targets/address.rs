//! Addresses: any text is an address or an error, and neither shows a password.
#![no_main]

use client::address::Address;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(address) = Address::parse(text) {
        let shown = address.to_string();
        let again = Address::parse(&shown).expect("what is shown can be parsed");
        assert_eq!((&again.host, again.port, again.tls), (&address.host, address.port, address.tls));
    }
});
