//! What a pool is simulated with: the settings of a configuration or of the server, but for what is given.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::duration;
use crate::{
    config::{Config, ScaleConfig, ScheduleConfig},
    model::{TargetType, TypeInfo},
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Settings [default: the server's min, max and min_idle, else those of a new type]")]
pub(super) struct SettingsArgs {
    /// Take the settings of the type from this configuration file
    #[arg(long, value_name = "FILE", requires = "target_type")]
    config: Option<PathBuf>,
    /// The most containers
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// The fewest
    #[arg(long, value_name = "N")]
    min: Option<u64>,
    /// Idle ones beside those in use and waited for
    #[arg(long, value_name = "N")]
    min_idle: Option<u64>,
    /// One is taken away when so long it was not needed
    #[arg(long, value_name = "TIME", value_parser = duration)]
    calm: Option<Duration>,
    /// Between two additions
    #[arg(long, value_name = "TIME", value_parser = duration)]
    up_pause: Option<Duration>,
    /// The fewest are also this share (0 to 1; 0 is none) of the most sessions at once
    #[arg(long, value_name = "SHARE")]
    share_of_peak: Option<f64>,
    /// How far back these are looked for
    #[arg(long, value_name = "TIME", value_parser = duration)]
    peak_window: Option<Duration>,
    /// When more are to be there; may be given several times, instead of those that are configured
    #[arg(long, value_name = "ENTRY", value_parser = schedule)]
    schedule: Vec<ScheduleConfig>,
}

impl SettingsArgs {
    /// # Errors
    /// The configuration cannot be read or has no such type; a setting cannot be used.
    pub(super) fn with(
        &self,
        target_type: Option<&TargetType>,
        info: Option<&TypeInfo>,
    ) -> anyhow::Result<ScaleConfig> {
        let mut settings = self.base(target_type, info)?;
        for (value, setting) in
            [(self.max, &mut settings.max), (self.min, &mut settings.min), (self.min_idle, &mut settings.min_idle)]
        {
            *setting = value.unwrap_or(*setting);
        }
        for (value, setting) in [
            (self.calm, &mut settings.calm),
            (self.up_pause, &mut settings.up_pause),
            (self.peak_window, &mut settings.peak_window),
        ] {
            *setting = value.unwrap_or(*setting);
        }
        if let Some(share) = self.share_of_peak {
            settings.share_of_peak = (share != 0.0).then_some(share);
        }
        if !self.schedule.is_empty() {
            settings.schedule.clone_from(&self.schedule);
        }
        if settings.max == 0 {
            bail!("the type is not scaled: --max says how many containers there may be");
        }
        settings.validate("scale")?;
        Ok(settings)
    }

    fn base(&self, target_type: Option<&TargetType>, info: Option<&TypeInfo>) -> anyhow::Result<ScaleConfig> {
        if let (Some(path), Some(target_type)) = (&self.config, target_type) {
            let config = Config::load(Some(path))?;
            let own = config.types.get(target_type).and_then(|own| own.scale.clone());
            return own.with_context(|| format!("{} has no [types.{target_type}.scale]", path.display()));
        }
        let mut settings = ScaleConfig::unconfigured();
        if let Some(known) = info.map(|info| &info.settings) {
            settings.max = known.scale_max.unwrap_or(settings.max);
            settings.min = known.scale_min.unwrap_or(settings.min);
            settings.min_idle = known.scale_min_idle.unwrap_or(settings.min_idle);
        }
        Ok(settings)
    }
}

/// An entry as it stands in the configuration, in one line.
fn schedule(text: &str) -> Result<ScheduleConfig, String> {
    #[derive(Deserialize)]
    struct Line {
        entry: ScheduleConfig,
    }
    let line: Line = toml::from_str(&format!("entry = {{ {text} }}")).map_err(|error| error.message().to_owned())?;
    Ok(line.entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_a_schedule_is_read_as_it_stands_in_the_configuration() {
        let entry = schedule(r#"cron = "0 8 * * mon-fri", duration = "10h", min = 8"#).unwrap();
        assert_eq!((entry.cron.as_str(), entry.time_zone.as_str(), entry.min), ("0 8 * * mon-fri", "UTC", 8));
        assert_eq!(entry.duration, Duration::from_hours(10));
        for (bad, said) in [("0 8 * * *", "key"), (r#"cron = "0 8 * * *""#, "duration"), (r#"crn = """#, "crn")] {
            let error = schedule(bad).unwrap_err();
            assert!(error.contains(said), "{bad}: {error}");
        }
    }
}
