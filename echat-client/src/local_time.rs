//! Times as people read them. The clock and the time zone come from outside.

use std::fmt;

const DAY: i64 = 24 * 60 * 60;

/// How many seconds local time is ahead of UTC at a unix time.
pub struct Zone(Box<dyn Fn(u64) -> i64>);

impl Zone {
    /// A zone from its offsets.
    pub fn new(offset: impl Fn(u64) -> i64 + 'static) -> Self {
        Self(Box::new(offset))
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self::new(|_| 0)
    }

    /// The local time at a unix time.
    pub fn at(&self, unix: u64) -> LocalTime {
        let seconds = i64::try_from(unix).unwrap_or(i64::MAX - DAY);
        LocalTime(seconds.saturating_add((self.0)(unix)))
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zone(..)")
    }
}

/// A local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime(i64);

impl LocalTime {
    /// Counts days; two times of one day have the same.
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// `YYYY-MM-DD`
    pub fn date(self) -> String {
        let (year, month, day) = civil(self.day());
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `HH:MM`
    pub fn hour_and_minute(self) -> String {
        let second = self.0.rem_euclid(DAY);
        format!("{:02}:{:02}", second / 3600, second / 60 % 60)
    }
}

/// `YYYY-MM-DD HH:MM:SS`
impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.rem_euclid(60);
        write!(f, "{} {}:{second:02}", self.date(), self.hour_and_minute())
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar. Years begin
/// in March here, so that the leap day is a year's last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_date() {
        for (unix, offset, shown) in [
            (0, 0, "1970-01-01 00:00:00"),
            (951_782_400, 0, "2000-02-29 00:00:00"),
            (951_868_799, 0, "2000-02-29 23:59:59"),
            (1_700_000_000, 0, "2023-11-14 22:13:20"),
            (1_700_000_000, 8 * 3600, "2023-11-15 06:13:20"),
            (0, -3600, "1969-12-31 23:00:00"),
            (4_107_542_400, 0, "2100-03-01 00:00:00"),
        ] {
            let zone = Zone::new(move |_| offset);
            assert_eq!(zone.at(unix).to_string(), shown);
        }
        let _ = Zone::utc().at(u64::MAX).to_string();
    }
}
