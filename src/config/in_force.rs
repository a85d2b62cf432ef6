//! The settings of one type: as configured, but for what an operator changed at run time.

use std::time::Duration;

use super::{Config, HealthConfig, Limits, ScaleConfig, scale::MOST};
use crate::model::{Changes, Setting, TargetType, TypeSettings};

/// Most tickets in line that may be asked for at run time.
const LINE_MOST: u64 = 1_000_000;

/// Most probes in a row that may be asked for.
const ROW_MOST: u64 = 100;

/// What is in force for a type.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Bounds and defaults of sessions.
    pub limits: Limits,
    /// How its containers are probed.
    pub probe: HealthConfig,
    /// How it follows demand, if it does.
    pub scale: Option<ScaleConfig>,
}

impl Config {
    /// What is in force for a type with these changes. Where they contradict what is configured by now, they give way.
    #[must_use]
    pub fn in_force(&self, target_type: &TargetType, changes: &Changes) -> InForce {
        let mut all = self.with(target_type, changes);
        let limits = &mut all.limits;
        limits.ttl_max = limits.ttl_max.clamp(limits.ttl_min, self.longest_ttl());
        limits.ttl_default = limits.ttl_default.clamp(limits.ttl_min, limits.ttl_max);
        if let Some(scale) = &mut all.scale {
            scale.min = scale.min.min(scale.max);
            scale.min_idle = scale.min_idle.min(scale.max);
        }
        all
    }

    /// No change may make leases longer than a recovery waits for, unless they are configured so.
    fn longest_ttl(&self) -> Duration {
        self.longest_lease().max(self.limits.ttl_max)
    }

    fn with(&self, target_type: &TargetType, changes: &Changes) -> InForce {
        let (mut limits, mut probe) = (self.limits.clone(), self.probe_of(target_type));
        let mut scale = self.types.get(target_type).and_then(|own| own.scale.clone());
        let small = |count: u64| u32::try_from(count.clamp(1, ROW_MOST)).unwrap_or(1);
        for (setting, value) in changes {
            let seconds = Duration::from_secs(*value);
            match setting {
                Setting::TtlDefault => limits.ttl_default = seconds,
                Setting::TtlMax => limits.ttl_max = seconds,
                Setting::Confirm => limits.confirm = seconds,
                Setting::WaitMax => limits.wait_max = seconds,
                Setting::LineMax => limits.line_max = *value,
                Setting::MaxDuration => limits.max_duration = Some(seconds),
                Setting::ProbeInterval => probe.interval = seconds,
                Setting::ProbeRise => probe.rise = small(*value),
                Setting::ProbeFall => probe.fall = small(*value),
                Setting::ScaleMin => scale.get_or_insert_with(ScaleConfig::unconfigured).min = *value,
                Setting::ScaleMax => scale.get_or_insert_with(ScaleConfig::unconfigured).max = *value,
                Setting::ScaleMinIdle => scale.get_or_insert_with(ScaleConfig::unconfigured).min_idle = *value,
            }
        }
        InForce { limits, probe, scale }
    }

    /// Whether these changes may be in force together.
    ///
    /// # Errors
    /// The first that is out of its range: its value, and what would be right.
    pub fn check_changes(&self, target_type: &TargetType, changes: &Changes) -> Result<(), (Setting, u64, String)> {
        let all = self.with(target_type, changes);
        for (setting, value) in changes {
            let (least, most) = self.range(*setting, &all);
            if !(least..=most).contains(value) {
                let why = match setting {
                    Setting::TtlDefault => " (ttl_max_seconds bounds it)",
                    Setting::ScaleMin | Setting::ScaleMinIdle => " (scale_max bounds it)",
                    Setting::TtlMax => " (from ttl_default_seconds to the longest lease that a recovery waits for)",
                    _ => "",
                };
                return Err((*setting, *value, format!("{least} to {most} are right{why}")));
            }
        }
        Ok(())
    }

    /// The least and the most that a setting may be beside the others.
    fn range(&self, setting: Setting, all: &InForce) -> (u64, u64) {
        const DAY: u64 = 86_400;
        let limits = &all.limits;
        // What is configured in fractions of a second is rounded inwards.
        let least = |time: Duration| time.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX);
        match setting {
            Setting::TtlDefault => (least(limits.ttl_min), limits.ttl_max.as_secs()),
            Setting::TtlMax => (least(limits.ttl_default.max(limits.ttl_min)), self.longest_ttl().as_secs()),
            Setting::Confirm => (1, 600),
            Setting::WaitMax => (least(limits.ticket_life), DAY),
            Setting::LineMax => (0, LINE_MOST),
            Setting::MaxDuration => (least(limits.ttl_min), 365 * DAY),
            Setting::ProbeInterval => (1, 3600),
            Setting::ProbeRise | Setting::ProbeFall => (1, ROW_MOST),
            Setting::ScaleMin | Setting::ScaleMinIdle => (0, all.scale.as_ref().map_or(0, |scale| scale.max)),
            Setting::ScaleMax => (0, MOST),
        }
    }
}

impl InForce {
    /// As it is shown.
    #[must_use]
    pub fn shown(&self) -> TypeSettings {
        let Self { limits, probe, scale } = self;
        let scale = scale.as_ref();
        TypeSettings {
            ttl_default_seconds: limits.ttl_default.as_secs_f64(),
            ttl_max_seconds: limits.ttl_max.as_secs_f64(),
            confirm_seconds: limits.confirm.as_secs_f64(),
            wait_max_seconds: limits.wait_max.as_secs_f64(),
            line_max: limits.line_max,
            max_duration_seconds: limits.max_duration.map(|most| most.as_secs_f64()),
            probe_interval_seconds: probe.interval.as_secs_f64(),
            probe_rise: probe.rise,
            probe_fall: probe.fall,
            scale_min: scale.map(|scale| scale.min),
            scale_max: scale.map(|scale| scale.max),
            scale_min_idle: scale.map(|scale| scale.min_idle),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_changed_is_in_force_and_the_rest_as_configured() {
        let (config, wine) = (Config::default(), "wine".parse().unwrap());
        let changes = Changes::from([(Setting::TtlMax, 120), (Setting::LineMax, 3), (Setting::ProbeFall, 5)]);
        config.check_changes(&wine, &changes).unwrap();
        let shown = config.in_force(&wine, &changes).shown();
        let configured = config.in_force(&wine, &Changes::new()).shown();
        let expected = TypeSettings { ttl_max_seconds: 120.0, line_max: 3, probe_fall: 5, ..configured };
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_out_of_its_range_is_refused_with_the_right_one() {
        let (config, wine) = (Config::default(), "wine".parse().unwrap());
        let refusal = |changes: &[(Setting, u64)]| {
            let (setting, value, right) = config.check_changes(&wine, &changes.iter().copied().collect()).unwrap_err();
            format!("{} = {value}: {right}", setting.as_str())
        };
        assert!(refusal(&[(Setting::TtlDefault, 601)]).starts_with("ttl_default_seconds = 601: 5 to 600"));
        assert!(refusal(&[(Setting::TtlMax, 3601)]).starts_with("ttl_max_seconds = 3601: 60 to 3600"));
        // Together they may be what neither may alone.
        config.check_changes(&wine, &Changes::from([(Setting::TtlDefault, 900), (Setting::TtlMax, 900)])).unwrap();
        assert!(
            refusal(&[(Setting::TtlDefault, 20), (Setting::TtlMax, 10)])
                .starts_with("ttl_default_seconds = 20: 5 to 10")
        );
        for setting in
            [Setting::Confirm, Setting::WaitMax, Setting::MaxDuration, Setting::ProbeInterval, Setting::ProbeRise]
        {
            refusal(&[(setting, 0)]);
            refusal(&[(setting, u64::MAX / 2000)]);
        }
    }

    #[test]
    fn an_operator_scales_also_what_is_not_configured_to_be() {
        let (config, wine) = (Config::default(), "wine".parse().unwrap());
        assert_eq!(config.in_force(&wine, &Changes::new()).scale, None);
        let five = Changes::from([(Setting::ScaleMin, 5), (Setting::ScaleMax, 5)]);
        config.check_changes(&wine, &five).unwrap();
        let scale = config.in_force(&wine, &five).scale.unwrap();
        assert_eq!((scale.min, scale.max), (5, 5));
        let (setting, value, right) =
            config.check_changes(&wine, &Changes::from([(Setting::ScaleMin, 5)])).unwrap_err();
        assert_eq!((setting, value), (Setting::ScaleMin, 5));
        assert!(right.contains("scale_max bounds it"), "{right}");
    }

    #[test]
    fn a_recovery_never_waits_for_less_than_a_lease_that_was_allowed() {
        let wine = "wine".parse().unwrap();
        let mut config = Config::default();
        let changes = Changes::from([(Setting::TtlMax, 3600), (Setting::TtlDefault, 3000)]);
        config.check_changes(&wine, &changes).unwrap();
        // Another configuration since then.
        config.limits.guide_ttl = Duration::from_mins(1);
        let limits = config.in_force(&wine, &changes).limits;
        assert_eq!((limits.ttl_max, limits.ttl_default), (config.longest_lease(), config.longest_lease()));
    }
}
