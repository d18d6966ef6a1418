//! Dates as sources give them: a day, or only a month.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A day, or a month of which the day is not known. A month sorts before its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date {
    year: i64,
    month: i64,
    day: Option<i64>,
}

/// The text is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no date; write 2026-11-26, or 2026-11 where the day is not known")]
pub struct NoDate {
    given: String,
}

impl Date {
    /// The day so many days after 1970-01-01.
    pub fn of_days(days: i64) -> Date {
        // Counted in eras of 400 years that begin on a 1 March, so that the leap day is the last of its year.
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let of_era = days.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Date { year, month, day: Some(day) }
    }

    /// Days since 1970-01-01; none for a month.
    pub fn days(self) -> Option<i64> {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let from_march = (self.month + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + self.day? - 1;
        let year_of_era = year.rem_euclid(400);
        let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
        Some(era * 146_097 + of_era - 719_468)
    }
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(given: &str) -> Result<Date, NoDate> {
        let wrong = || NoDate { given: given.to_owned() };
        let mut parts = given.split('-').map(|part| {
            let digits = part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse::<i64>().ok().filter(|_| digits).map(|number| (number, part.len())).ok_or_else(wrong)
        });
        let mut part = |width| match parts.next() {
            Some(Ok((number, length))) if length == width => Ok(Some(number)),
            Some(_) => Err(wrong()),
            None => Ok(None),
        };
        let (year, month) = (part(4)?.ok_or_else(wrong)?, part(2)?.ok_or_else(wrong)?);
        let date = Date { year, month, day: part(2)? };
        // A day that the calendar does not have comes back as another one.
        let exists = match date.days() {
            Some(days) => Date::of_days(days) == date,
            None => (1..=12).contains(&month),
        };
        if exists && parts.next().is_none() { Ok(date) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Date {
    type Error = NoDate;

    fn try_from(text: String) -> Result<Date, NoDate> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> String {
        date.to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)?;
        self.day.map_or(Ok(()), |day| write!(f, "-{day:02}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("2000-02-29", 11_016),
            ("2026-11-26", 20_783),
            ("2028-09-30", 21_457),
            ("2100-03-01", 47_541),
            ("1969-12-31", -1),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.days(), Some(days), "{text}");
            assert_eq!(Date::of_days(days).to_string(), text);
        }
        for days in (-800_000..800_000).step_by(97) {
            assert_eq!(Date::of_days(days).days(), Some(days));
        }
    }

    #[test]
    fn what_the_calendar_does_not_have_is_no_date() {
        for wrong in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-02-29",
            "2026-04-31",
            "2026-1-01",
            "26-01-01",
            "2026-01-01-01",
            "2026-01-",
            "+026-01-01",
            "soon",
        ] {
            assert!(wrong.parse::<Date>().is_err(), "{wrong:?}");
        }
        assert!("2028-02-29".parse::<Date>().is_ok());
        let month: Date = "2026-04".parse().unwrap();
        assert_eq!((month.to_string().as_str(), month.days()), ("2026-04", None));
        assert!(month < "2026-04-01".parse().unwrap() && month > "2026-03-31".parse().unwrap());
    }
}
