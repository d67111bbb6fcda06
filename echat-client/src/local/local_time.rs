//! Times as people read them. The clock comes from outside.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Where a time is local.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone that `TZ` or the system names.
    pub fn system() -> Self {
        Self(TimeZone::system())
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// A zone that is always so many seconds ahead of UTC, at most 25:59:59.
    #[cfg(test)]
    pub(crate) fn fixed(seconds: i32) -> Self {
        use jiff::tz::Offset;
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        Self(TimeZone::fixed(offset))
    }

    /// The unix second at which a day begins; 0 for a day before 1970.
    pub fn start_of(&self, day: Date) -> u64 {
        let start = day.to_zoned(self.0.clone());
        let second = start.map(|start| start.timestamp().as_second());
        u64::try_from(second.unwrap_or_default()).unwrap_or_default()
    }

    /// The local time at a unix time, which ends with the year 9999.
    pub fn at(&self, unix: u64) -> LocalTime {
        let second = i64::try_from(unix).unwrap_or(i64::MAX);
        let time = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        LocalTime(self.0.to_datetime(time))
    }
}

/// A local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime(DateTime);

impl LocalTime {
    /// The day, which shows as `YYYY-MM-DD`.
    pub fn date(self) -> Date {
        self.0.date()
    }

    /// `HH:MM`
    pub fn hour_and_minute(self) -> String {
        self.0.strftime("%H:%M").to_string()
    }
}

/// `YYYY-MM-DD HH:MM:SS`
impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%S"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_times_equal_those_of_date() {
        for (unix, offset, shown) in [
            (0, 0, "1970-01-01 00:00:00"),
            (951_782_400, 0, "2000-02-29 00:00:00"),
            (951_868_799, 0, "2000-02-29 23:59:59"),
            (1_700_000_000, 0, "2023-11-14 22:13:20"),
            (1_700_000_000, 8 * 3600, "2023-11-15 06:13:20"),
            (0, -3600, "1969-12-31 23:00:00"),
            (4_107_542_400, 0, "2100-03-01 00:00:00"),
        ] {
            let time = Zone::fixed(offset).at(unix);
            assert_eq!(time.to_string(), shown);
            assert_eq!(time.date().to_string(), shown[..10]);
            assert_eq!(time.hour_and_minute(), shown[11..16]);
        }
        let last = Zone::fixed(25 * 3600).at(u64::MAX);
        assert_eq!(last.date().to_string(), "9999-12-31");
    }
}
