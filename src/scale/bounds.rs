//! What bounds a decision at a time: the settings of a type, and what its schedule asks for then.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::ScaleConfig;

/// What bounds a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Idle ones beside those in use and those that somebody waits for.
    pub min_idle: u64,
    /// The fewest.
    pub min: u64,
    /// The most, whatever they do.
    pub max: u64,
    /// Between two additions.
    pub up_pause: Duration,
    /// So long nobody must have needed what is taken away.
    pub calm: Duration,
    /// What the schedule asks for at this time.
    pub scheduled: Scheduled,
    /// The fewest are also this share of the most sessions at once (0 to 1; 0 is off).
    pub share_of_peak: f64,
    /// How far back these are looked for.
    pub peak_window: Duration,
}

/// What a schedule asks for: the highest of its entries that hold. It only ever asks for more, within the most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scheduled {
    /// The fewest.
    pub min: u64,
    /// Idle ones.
    pub min_idle: u64,
}

impl Bounds {
    /// Those of a time, and until when they stay as they are, at least.
    #[must_use]
    pub fn of(settings: &ScaleConfig, at: Timestamp) -> (Self, Timestamp) {
        let (mut scheduled, mut until) = (Scheduled::default(), Timestamp::MAX);
        for entry in &settings.schedule {
            let (holds, stays) = entry.holds(at);
            until = until.min(stays);
            if holds {
                scheduled.min = scheduled.min.max(entry.min).min(settings.max);
                scheduled.min_idle = scheduled.min_idle.max(entry.min_idle).min(settings.max);
            }
        }
        let ScaleConfig { min_idle, min, max, up_pause, calm, peak_window, .. } = *settings;
        let share_of_peak = settings.share_of_peak.unwrap_or_default();
        (Self { min_idle, min, max, up_pause, calm, scheduled, share_of_peak, peak_window }, until)
    }

    /// Idle ones, with those that the schedule asks for.
    #[must_use]
    pub fn idle(&self) -> u64 {
        self.min_idle.max(self.scheduled.min_idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ScheduleConfig;

    fn entry(cron: &str, hours: u64, min: u64, min_idle: u64) -> ScheduleConfig {
        ScheduleConfig {
            cron: cron.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            duration: Duration::from_hours(hours),
            min,
            min_idle,
        }
    }

    #[test]
    fn of_entries_that_overlap_the_highest_holds_within_the_most() {
        let schedule = vec![entry("0 8 * * *", 10, 8, 0), entry("0 9 * * *", 2, 3, 4), entry("0 10 * * wed", 2, 50, 0)];
        let settings = ScaleConfig { max: 20, schedule, ..ScaleConfig::unconfigured() };
        // A Wednesday in winter: Berlin is an hour ahead.
        for (at, min, min_idle, until) in [
            ("2026-11-25T06:30:00Z", 0, 0, "2026-11-25T07:00:00Z"),
            ("2026-11-25T07:00:00Z", 8, 0, "2026-11-25T08:00:00Z"),
            ("2026-11-25T08:00:00Z", 8, 4, "2026-11-25T09:00:00Z"),
            ("2026-11-25T09:00:00Z", 20, 4, "2026-11-25T10:00:00Z"),
            ("2026-11-25T10:00:00Z", 20, 0, "2026-11-25T11:00:00Z"),
            ("2026-11-25T17:00:00Z", 0, 0, "2026-11-26T07:00:00Z"),
        ] {
            let (bounds, stays) = Bounds::of(&settings, at.parse().unwrap());
            assert_eq!((bounds.scheduled, stays), (Scheduled { min, min_idle }, until.parse().unwrap()), "{at}");
        }
    }
}
