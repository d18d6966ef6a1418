//! Amounts as people write them.

use std::num::NonZeroU64;
use std::time::Duration;

use verify::Sample;

/// A time such as 250ms, 30s, 5m, 2h, 1d; a number alone is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err("write a time such as 250ms, 30s, 5m, 2h or 1d".into()),
    };
    let number: f64 =
        number.parse().map_err(|_| "write a time such as 250ms, 30s, 5m, 2h or 1d".to_owned())?;
    Duration::try_from_secs_f64(number * factor).map_err(|_| "this time is too long".into())
}

/// Bytes such as 4096, 512KiB, 8MB, 2GiB.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "write bytes such as 4096, 512KiB, 8MB or 2GiB".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kib" => 1024.0,
        "kb" => 1e3,
        "m" | "mib" => 1024.0 * 1024.0,
        "mb" => 1e6,
        "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "gb" => 1e9,
        "t" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "tb" => 1e12,
        _ => return Err(wrong()),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    Ok((number * factor) as u64)
}

pub(super) fn nonzero_bytes(text: &str) -> Result<NonZeroU64, String> {
    NonZeroU64::new(bytes(text)?).ok_or_else(|| "0 bytes per second would never end".into())
}

/// A share such as 1% or 0.5%. The sign is asked for: a lone 1 might mean everything.
pub(super) fn share(text: &str) -> Result<Sample, String> {
    let wrong = || "write a share of more than 0% and at most 100%, such as 1% or 0.5%".to_owned();
    let number = text.strip_suffix('%').ok_or_else(wrong)?;
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(wrong());
    }
    let percent: f64 = number.parse().map_err(|_| wrong())?;
    Sample::new(percent / 100.0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_bytes_are_read_as_people_write_them() {
        assert_eq!(duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(duration("1.5h").unwrap(), Duration::from_secs(5400));
        assert!(duration("soon").is_err() && duration("5 weeks").is_err() && duration("").is_err());
        assert_eq!(bytes("8MiB").unwrap(), 8 << 20);
        assert_eq!(bytes("50MB").unwrap(), 50_000_000);
        assert!(bytes("lots").is_err() && nonzero_bytes("0").is_err());
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(share("1%").unwrap().share(), 0.01);
        assert_eq!(share("0.5%").unwrap().share(), 0.005);
        assert_eq!(share("100%").unwrap().share(), 1.0);
        for wrong in
            ["0%", "101%", "100.1%", "ten", "10", "0.1", "-1%", "%", "1e1%", "inf%", "NaN%", "+1%", ""]
        {
            assert!(share(wrong).is_err(), "{wrong:?}");
        }
    }
}
