//! `leasehold types`

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::{
    connection::Connection,
    output::{Output, Row, or_dash},
    watch::Watch,
};
use crate::model::{Setting, TargetType, TypeInfo};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    watch: Watch,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Change settings of a type, for all replicas
    #[command(after_help = SETTINGS_HELP)]
    Set {
        /// The type of container
        target_type: TargetType,
        /// As in `ttl_max_seconds=300`; `line_max=default` takes it back to what is configured
        #[arg(required = true, value_name = "SETTING=VALUE")]
        changes: Vec<String>,
    },
}

const SETTINGS_HELP: &str = "\
Settings: ttl_default_seconds, ttl_max_seconds, confirm_seconds, wait_max_seconds, line_max,
max_duration_seconds, probe_interval_seconds, probe_rise, probe_fall,
scale_min, scale_max, scale_min_idle.";

pub(super) async fn types(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.connection.client()?;
    let Some(Verb::Set { target_type, changes }) = args.verb else {
        return args.watch.show(async || args.output.list_text(&client.types().await?)).await;
    };
    let changes = changes.iter().map(|change| parsed(change)).collect::<anyhow::Result<Vec<_>>>()?;
    args.output.one(&client.change_type(&target_type, &changes).await?)
}

/// `name=value`, or `name=default`.
fn parsed(text: &str) -> anyhow::Result<(Setting, Option<u64>)> {
    let (name, value) =
        text.split_once('=').with_context(|| format!("{text:?}: SETTING=VALUE is right, as in line_max=100"))?;
    let Some(setting) = Setting::from_word(name) else { bail!("there is no setting {name:?}\n{SETTINGS_HELP}") };
    if value == "default" {
        return Ok((setting, None));
    }
    let number = value.parse().with_context(|| format!("{name} = {value}: a whole number, or `default`, is right"))?;
    Ok((setting, Some(number)))
}

impl Row for TypeInfo {
    const HEADS: &'static [&'static str] = &[
        "TYPE",
        "TOTAL",
        "AVAILABLE",
        "QUEUED",
        "TTL",
        "TTL MAX",
        "LONGEST",
        "LINE MAX",
        "CHANGED",
        "WANTED",
        "WHY",
        "CONFIRM",
        "WAIT MAX",
        "PROBE",
        "RISE",
        "FALL",
    ];
    const NARROW: usize = 9;

    fn name(&self) -> String {
        self.target_type.to_string()
    }

    fn cells(&self) -> Vec<String> {
        let settings = &self.settings;
        let changed: Vec<_> = self.changed.keys().map(String::as_str).collect();
        let seconds = |seconds: f64| format!("{seconds}s");
        vec![
            self.target_type.to_string(),
            self.counts.total.to_string(),
            self.counts.available.to_string(),
            self.counts.sessions_queued.to_string(),
            seconds(settings.ttl_default_seconds),
            seconds(settings.ttl_max_seconds),
            or_dash(settings.max_duration_seconds.map(seconds)),
            settings.line_max.to_string(),
            or_dash((!changed.is_empty()).then(|| changed.join(","))),
            or_dash(self.scale.as_ref().map(|scale| scale.wanted.to_string())),
            or_dash(self.scale.as_ref().map(|scale| scale.reason.clone())),
            seconds(settings.confirm_seconds),
            seconds(settings.wait_max_seconds),
            seconds(settings.probe_interval_seconds),
            settings.probe_rise.to_string(),
            settings.probe_fall.to_string(),
        ]
    }
}
