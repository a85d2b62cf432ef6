//! When a pool is to be larger, whatever demand is.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, fmt::serde::unsigned_duration::friendly::compact as duration_text};
use serde::{Deserialize, Serialize};

use super::{
    ConfigError, between, check,
    cron::{Moments, Wrong},
};

/// `[[types.<type>.scale.schedule]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// When it begins, each time: minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// Whose clock that is by. Default UTC.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// How long it holds, each time.
    #[serde(with = "duration_text::required")]
    pub duration: Duration,
    /// The fewest containers while it holds. Default 0.
    #[serde(default)]
    pub min: u64,
    /// Idle ones beside those in use and those that somebody waits for, while it holds. Default 0.
    #[serde(default)]
    pub min_idle: u64,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl ScheduleConfig {
    /// Whether it holds at a time, and until when that stays as it is, at least.
    ///
    /// It is read each time: once a second that is nothing, and settings stay what can be written down.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> (bool, Timestamp) {
        let Ok(moments) = Moments::read(&self.cron, &self.time_zone) else { return (false, Timestamp::MAX) };
        // A longer one that began earlier is over earlier too.
        let lasts = SignedDuration::try_from(self.duration).unwrap_or(SignedDuration::MAX);
        let end = moments.latest(at).and_then(|begin| begin.checked_add(lasts).ok()).filter(|end| *end > at);
        match end {
            Some(end) => (true, end),
            None => (false, moments.next(at).unwrap_or(Timestamp::MAX)),
        }
    }

    pub(super) fn validate(&self, section: &str, max: u64) -> Result<(), ConfigError> {
        let moments = Moments::read(&self.cron, &self.time_zone);
        let (key, right) = (format!("{section}.cron"), "minute, hour, day of the month, month and day of the week");
        let expression = match &moments {
            Err(Wrong::Expression(why)) => Err(why.as_str()),
            Ok(moments) if moments.next(Timestamp::UNIX_EPOCH).is_none() => Err("it never comes"),
            _ => Ok(()),
        };
        let why = expression.err().unwrap_or_default();
        check(expression.is_ok(), &key, &self.cron, &format!("{right}, as in 0 8 * * mon-fri ({why})"))?;
        let (key, zone) = (format!("{section}.time_zone"), !matches!(moments, Err(Wrong::Zone(_))));
        check(zone, &key, &self.time_zone, "a name of the time zone database, as in Europe/Berlin")?;
        let week = Duration::from_hours(7 * 24);
        between(&format!("{section}.duration"), self.duration, Duration::from_mins(1), week)?;
        let most = "at most the max of the type's scale";
        check(self.min <= max, &format!("{section}.min"), &self.min, most)?;
        check(self.min_idle <= max, &format!("{section}.min_idle"), &self.min_idle, most)?;
        let asks = self.min > 0 || self.min_idle > 0;
        check(asks, &format!("{section}.min"), &self.min, "1 or more, or a min_idle: else it asks for nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weekdays() -> ScheduleConfig {
        ScheduleConfig {
            cron: "0 8 * * mon-fri".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            duration: Duration::from_hours(10),
            min: 8,
            min_idle: 0,
        }
    }

    #[test]
    fn it_holds_from_its_moment_for_its_duration() {
        let entry = weekdays();
        for (at, holds, until) in [
            ("2026-11-25T06:59:59.999Z", false, "2026-11-25T07:00:00Z"),
            ("2026-11-25T07:00:00Z", true, "2026-11-25T17:00:00Z"),
            ("2026-11-25T16:59:59Z", true, "2026-11-25T17:00:00Z"),
            ("2026-11-25T17:00:00Z", false, "2026-11-26T07:00:00Z"),
            ("2026-11-28T12:00:00Z", false, "2026-11-30T07:00:00Z"),
        ] {
            assert_eq!(entry.holds(at.parse().unwrap()), (holds, until.parse().unwrap()), "{at}");
        }
    }

    #[test]
    fn a_duration_is_as_long_also_over_a_change_of_the_clocks() {
        let night = ScheduleConfig { cron: "0 0 * * *".to_owned(), duration: Duration::from_hours(5), ..weekdays() };
        for (begin, end) in
            [("2026-03-28T23:00:00Z", "2026-03-29T04:00:00Z"), ("2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z")]
        {
            assert_eq!(night.holds(begin.parse().unwrap()), (true, end.parse().unwrap()));
        }
    }

    #[test]
    fn one_that_comes_again_before_it_is_over_goes_on() {
        let hourly = ScheduleConfig { cron: "0 * * * *".to_owned(), duration: Duration::from_mins(90), ..weekdays() };
        let at: Timestamp = "2026-11-25T07:15:00Z".parse().unwrap();
        assert!((0..600).all(|minutes| hourly.holds(at + SignedDuration::from_mins(minutes)).0));
    }
}
