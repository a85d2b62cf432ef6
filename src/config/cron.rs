//! Cron expressions, in jiff's times: `croner` knows the expressions, and lends its search to any library for time.

use std::cmp::Ordering;

use croner::{
    Cron,
    errors::CronError,
    parser::{CronParser, Seconds, Year},
    time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday},
};
use jiff::{SignedDuration, Timestamp, ZonedDateTime, civil::DateTime, tz::AmbiguousOffset, tz::TimeZone};

/// A cron expression of five fields in a time zone.
pub(super) struct Moments {
    cron: Cron,
    zone: TimeZone,
}

/// Why there are no moments.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Expression(String),
    Zone(String),
}

impl Moments {
    pub(super) fn read(expression: &str, zone: &str) -> Result<Self, Wrong> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|error| Wrong::Expression(error.to_string()))?;
        let zone = TimeZone::get(zone).map_err(|error| Wrong::Zone(error.to_string()))?;
        Ok(Self { cron, zone })
    }

    /// The last one at or before a time.
    pub(super) fn latest(&self, at: Timestamp) -> Option<Timestamp> {
        let at = Local(at.to_zoned_datetime(self.zone.clone()));
        Some(self.cron.find_previous_occurrence(&at, true).ok()?.0.timestamp())
    }

    /// The first one after a time.
    pub(super) fn next(&self, at: Timestamp) -> Option<Timestamp> {
        let at = Local(at.to_zoned_datetime(self.zone.clone()));
        Some(self.cron.find_next_occurrence(&at, false).ok()?.0.timestamp())
    }
}

/// A time of jiff 1, which croner does not know.
#[derive(Debug, Clone)]
struct Local(ZonedDateTime);

impl CronDateTime for Local {
    fn to_civil(&self) -> CivilDateTime {
        let time = self.0.datetime();
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(i32::from(time.year()), time.month() as u32, time.day() as u32),
            CivilTime::from_parts_unchecked(time.hour() as u32, time.minute() as u32, time.second() as u32),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(self.0.datetime().weekday().to_sunday_zero_offset() as u32)
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let (year, month, day) = (civil.year() as i16, civil.month() as i8, civil.day() as i8);
        let (hour, minute, second) = (civil.hour() as i8, civil.minute() as i8, civil.second() as i8);
        let time = DateTime::new(year, month, day, hour, minute, second, 0).map_err(|_| CronError::InvalidDate)?;
        let found = self.0.time_zone().to_ambiguous_zoned_datetime(time);
        let known = |time: Result<_, jiff::Error>| time.map(Self).map_err(|_| CronError::InvalidTime);
        Ok(match found.offset() {
            AmbiguousOffset::Unambiguous { .. } => Resolution::Single(known(found.unambiguous())?),
            AmbiguousOffset::Fold { .. } => {
                Resolution::Ambiguous(known(found.clone().earlier())?, known(found.later())?)
            }
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        self.0.checked_add(SignedDuration::from_secs(seconds)).ok().map(Self)
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The moments of an expression in Berlin from a time on.
    fn moments(expression: &str, from: &str, count: usize) -> Vec<String> {
        let Ok(moments) = Moments::read(expression, "Europe/Berlin") else { panic!("{expression}") };
        let mut at: Timestamp = from.parse().unwrap();
        (0..count)
            .map(|_| {
                at = moments.next(at).expect("another");
                assert_eq!(moments.latest(at), Some(at));
                assert!(moments.latest(at - SignedDuration::from_millis(1)) < Some(at));
                at.to_string()
            })
            .collect()
    }

    #[test]
    fn moments_are_those_of_the_time_zone_in_summer_and_winter() {
        // The clocks are set forward on the 29th of March 2026, a Sunday.
        assert_eq!(
            moments("0 8 * * mon-fri", "2026-03-27T06:00:00Z", 3),
            ["2026-03-27T07:00:00Z", "2026-03-30T06:00:00Z", "2026-03-31T06:00:00Z"]
        );
    }

    #[test]
    fn what_falls_into_the_hour_that_is_left_out_comes_right_after_it() {
        assert_eq!(
            moments("30 2 * * *", "2026-03-28T00:00:00Z", 3),
            ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
        );
    }

    #[test]
    fn what_falls_into_the_hour_that_comes_twice_comes_at_its_first() {
        // Set back on the 25th of October.
        assert_eq!(moments("30 2 * * *", "2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    }

    #[test]
    fn what_is_no_expression_and_no_zone_is_told() {
        for bad in ["", "0 8 * *", "0 0 8 * * mon", "61 * * * *", "0 8 * * someday", "0 8 * * mon-fri 2026"] {
            assert!(matches!(Moments::read(bad, "UTC"), Err(Wrong::Expression(_))), "{bad:?}");
        }
        assert!(matches!(Moments::read("0 8 * * *", "Europe/Berln"), Err(Wrong::Zone(_))));
    }
}
