//! Shared access signatures: what they allow, and why a storage account may have refused one.
//!
//! Fields as in "Create a service SAS" and "Create an account SAS" of Azure's REST documentation.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::PlaceError;
use super::percent;

/// The fields of a signature, decoded. `Debug` shows their names only.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sas(Vec<(String, String)>);

/// What a place is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Read,
    Write,
}

/// Fields that a signature consists of.
const FIELDS: [&str; 31] = [
    "sv", "ss", "srt", "sp", "st", "se", "sr", "si", "sip", "spr", "sig", "ses", "sdd", "saoid", "suoid",
    "scid", "skoid", "sktid", "skt", "ske", "sks", "skv", "skdutid", "sduoid", "rscc", "rscd", "rsce",
    "rscl", "rsct", "srh", "srq",
];

impl Sas {
    /// The signature in a URL's query. `None` without a query.
    pub(super) fn of_query(query: &str) -> Result<Option<Self>, PlaceError> {
        if query.is_empty() {
            return Ok(None);
        }
        let sas = Self::parse(query)?;
        for (name, _) in &sas.0 {
            if name == "snapshot" || name == "versionid" {
                return Err(PlaceError(
                    "snapshots and versions of blobs are not supported; copy it to a blob",
                ));
            }
            if !FIELDS.contains(&name.as_str()) {
                return Err(PlaceError("its query is no SAS: there are other fields in it"));
            }
        }
        Ok(Some(sas))
    }

    /// A token, with or without the question mark in front.
    pub(crate) fn parse(token: &str) -> Result<Self, PlaceError> {
        let token = token.trim().trim_start_matches('?');
        let mut fields = Vec::new();
        for field in token.split('&').filter(|field| !field.is_empty()) {
            let (name, value) = field.split_once('=').ok_or(NOT_A_SAS)?;
            let value = percent::decode(value)
                .ok_or(PlaceError("a percent sign in its SAS is not followed by two hexadecimal digits"))?;
            fields.push((name.to_ascii_lowercase(), value));
        }
        let sas = Self(fields);
        if sas.get("sig").is_none_or(str::is_empty) {
            return Err(NOT_A_SAS);
        }
        Ok(sas)
    }

    /// All fields, for the one place that sends them.
    pub(crate) fn expose(&self) -> &[(String, String)] {
        &self.0
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Whether it may allow writing and not reading. One with a stored policy does not say.
    pub(crate) fn may_lack_read(&self) -> bool {
        self.get("sp").is_none_or(|allowed| !allowed.contains('r'))
    }

    /// Why it was refused, as far as its fields show.
    pub(crate) fn complaint(&self, purpose: Purpose, now: SystemTime) -> Option<String> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        if let Some(end) = self.get("se")
            && seconds(end).is_some_and(|end| end <= now)
        {
            return Some(format!("its SAS has expired, at {}", plain(end)));
        }
        if let Some(start) = self.get("st")
            && seconds(start).is_some_and(|start| start > now)
        {
            return Some(format!("its SAS is not valid before {}", plain(start)));
        }
        if self.get("ss").is_some_and(|services| !services.contains('b')) {
            return Some("its SAS is for other services than blobs (ss lacks b)".to_owned());
        }
        if self.get("srt").is_some_and(|kinds| !kinds.contains('o')) {
            return Some("its SAS is not for objects (srt lacks o)".to_owned());
        }
        let allowed = self.get("sp")?;
        match purpose {
            Purpose::Read if !allowed.contains('r') => {
                Some(format!("its SAS does not allow reading (sp={} lacks r)", plain(allowed)))
            }
            // Creating (c) is not enough: blocks need it ("Permissions for blob service operations").
            Purpose::Write if !allowed.contains('w') => {
                Some(format!("its SAS does not allow writing (sp={} lacks w)", plain(allowed)))
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Sas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

const NOT_A_SAS: PlaceError = PlaceError("its query is no SAS: there is no sig= in it");

/// Times and permissions are no secrets, but a signature in the wrong field would be.
fn plain(text: &str) -> &str {
    if text.len() <= 30 { text } else { "..." }
}

/// Seconds since 1970 of `2026-11-24`, `2026-11-24T10:15Z` and `2026-11-24T10:15:30Z`, the forms that a SAS may use.
fn seconds(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00Z"));
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time =
        time.strip_suffix('Z')?.splitn(3, ':').map(|part| part.split('.').next()?.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next().unwrap_or(Some(0))?);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days of the proleptic Gregorian calendar, with years that begin in March (Hinnant, "chrono-compatible
    // low-level date algorithms").
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29T00:00Z", Some(951_782_400)),
            ("2026-11-24T10:15:30Z", Some(1_795_515_330)),
            ("2026-11-24T10:15:30.1234567Z", Some(1_795_515_330)),
            ("2026-11-24T10:15:30", None),
            ("2026-13-01", None),
            ("soon", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn complaints() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_515_330);
        for (token, purpose, expected) in [
            ("se=2026-11-24T10:15:29Z&sp=r&sig=x", Purpose::Read, Some("expired, at 2026-11-24T10:15:29Z")),
            ("st=2026-11-24T11:00:00Z&sp=r&sig=x", Purpose::Read, Some("not valid before")),
            ("se=2027-01-01&sp=cw&sig=x", Purpose::Read, Some("reading (sp=cw lacks r)")),
            ("se=2027-01-01&sp=rl&sig=x", Purpose::Write, Some("writing (sp=rl lacks w)")),
            ("se=2027-01-01&sp=rc&sig=x", Purpose::Write, Some("writing (sp=rc lacks w)")),
            ("se=2027-01-01&sp=rw&ss=q&srt=o&sig=x", Purpose::Read, Some("ss lacks b")),
            ("se=2027-01-01&sp=rw&ss=b&srt=c&sig=x", Purpose::Read, Some("srt lacks o")),
            ("se=2027-01-01&sp=racwdl&sig=x", Purpose::Read, None),
            ("si=policy&sig=x", Purpose::Read, None),
        ] {
            let complaint = Sas::parse(token).unwrap().complaint(purpose, now);
            match expected {
                None => assert_eq!(complaint, None, "{token}"),
                Some(part) => assert!(complaint.as_ref().unwrap().contains(part), "{token}: {complaint:?}"),
            }
        }
    }

    #[test]
    fn a_stray_signature_is_not_shown() {
        let token = "se=2001-01-01T00:00Z&sp=c0ffee0000000000000000000000000000000000&sig=c0ffee";
        let sas = Sas::parse(token).unwrap();
        assert!(!format!("{sas:?}").contains("c0ffee"));
        let complaint = sas.complaint(Purpose::Read, UNIX_EPOCH).unwrap();
        assert!(!complaint.contains("c0ffee"), "{complaint}");
    }
}
