//! Signatures of storage accounts, written from Azure's documentation and not from a library.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;

use super::http::Call;
use super::{ACCOUNT, KEY, Sas};

const VERSION: &str = "2021-12-02";

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Adds date, version and signature to a request ("Authorize with Shared Key").
pub(super) fn authorize(mut call: Call<'_>, now: SystemTime) -> Call<'_> {
    call.headers.push(("x-ms-date", http_date(seconds(now))));
    call.headers.push(("x-ms-version", VERSION.to_owned()));
    let length = if call.body.is_empty() { String::new() } else { call.body.len().to_string() };
    // Content-Encoding, -Language, -Length, -MD5, -Type, Date, four conditions, Range.
    let mut text = format!("{}\n\n\n{length}\n\n\n\n\n\n\n\n\n", call.method);
    let mut headers: Vec<_> = call.headers.iter().filter(|(name, _)| name.starts_with("x-ms-")).collect();
    headers.sort();
    for (name, value) in headers {
        text.push_str(&format!("{name}:{value}\n"));
    }
    // The emulator's account stands in its URLs too, hence twice.
    text.push_str(&format!("/{ACCOUNT}/{ACCOUNT}{}", call.path));
    let mut query = call.query.clone();
    query.sort();
    for (name, value) in &query {
        text.push_str(&format!("\n{name}:{value}"));
    }
    call.headers.push(("Authorization", format!("SharedKey {ACCOUNT}:{}", signature(&text))));
    call
}

/// A service SAS ("Create a service SAS", version 2020-12-06 and later).
pub(super) fn service_sas(sas: Sas<'_>, now: SystemTime) -> String {
    let now = seconds(now);
    // Two hours back, so that one that has expired was valid once.
    let (start, end) = (iso_date(now - 7200), iso_date(now + sas.expires_in));
    let resource = match sas.blob {
        Some(blob) => format!("/blob/{ACCOUNT}/{}/{blob}", sas.container),
        None => format!("/blob/{ACCOUNT}/{}", sas.container),
    };
    let kind = if sas.blob.is_some() { "b" } else { "c" };
    let text = [
        sas.permissions,
        &start,
        &end,
        &resource,
        "", // identifier
        "", // IP addresses
        "", // protocol
        VERSION,
        kind,
        "", // snapshot
        "", // encryption scope
        "", // Cache-Control
        "", // Content-Disposition
        "", // Content-Encoding
        "", // Content-Language
        "", // Content-Type
    ]
    .join("\n");
    let signature = signature(&text).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let (start, end) = (start.replace(':', "%3A"), end.replace(':', "%3A"));
    format!("sv={VERSION}&st={start}&se={end}&sr={kind}&sp={}&sig={signature}", sas.permissions)
}

fn signature(text: &str) -> String {
    let key = BASE64_STANDARD.decode(KEY).expect("the well-known key is base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_secs()).expect("a clock of this age of the world")
}

fn http_date(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let weekday = DAYS[seconds.div_euclid(86_400).rem_euclid(7) as usize];
    format!("{weekday}, {day:02} {} {year} {} GMT", MONTHS[month as usize - 1], clock(seconds))
}

fn iso_date(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}T{}Z", clock(seconds))
}

fn clock(seconds: i64) -> String {
    let second = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a day since 1970, found by counting.
fn civil(mut days: i64) -> (i64, i64, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    for (index, length) in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].into_iter().enumerate() {
        if days < length {
            return (year, index as i64 + 1, days + 1);
        }
        days -= length;
    }
    unreachable!("a year has twelve months")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(iso_date(1_795_515_330), "2026-11-24T10:15:30Z");
        assert_eq!(http_date(1_795_515_330), "Tue, 24 Nov 2026 10:15:30 GMT");
    }
}
