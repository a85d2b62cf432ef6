//! Settings of a type that can be changed at run time.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{TargetType, TypeStatus};

/// One of them. Values are whole seconds, or counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Setting {
    /// A lease's time to live when the client names none.
    TtlDefault,
    /// The longest that a client may ask for.
    TtlMax,
    /// How long an offer waits to be confirmed.
    Confirm,
    /// The longest that a ticket may wait.
    WaitMax,
    /// Most tickets in line.
    LineMax,
    /// The longest that a session may last.
    MaxDuration,
    /// Time between two probes of a container.
    ProbeInterval,
    /// Good probes in a row that make it healthy.
    ProbeRise,
    /// Bad probes in a row that make it unhealthy.
    ProbeFall,
    /// The fewest containers.
    ScaleMin,
    /// The most containers.
    ScaleMax,
    /// Containers that are idle beside those in use.
    ScaleMinIdle,
}

impl Setting {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::TtlDefault,
        Self::TtlMax,
        Self::Confirm,
        Self::WaitMax,
        Self::LineMax,
        Self::MaxDuration,
        Self::ProbeInterval,
        Self::ProbeRise,
        Self::ProbeFall,
        Self::ScaleMin,
        Self::ScaleMax,
        Self::ScaleMinIdle,
    ];

    /// The stable word for it, as in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TtlDefault => "ttl_default_seconds",
            Self::TtlMax => "ttl_max_seconds",
            Self::Confirm => "confirm_seconds",
            Self::WaitMax => "wait_max_seconds",
            Self::LineMax => "line_max",
            Self::MaxDuration => "max_duration_seconds",
            Self::ProbeInterval => "probe_interval_seconds",
            Self::ProbeRise => "probe_rise",
            Self::ProbeFall => "probe_fall",
            Self::ScaleMin => "scale_min",
            Self::ScaleMax => "scale_max",
            Self::ScaleMinIdle => "scale_min_idle",
        }
    }

    /// The setting of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == word)
    }
}

/// What was changed at run time; what is not there is as configured.
pub type Changes = BTreeMap<Setting, u64>;

/// The settings of a type that can be changed at run time, as they are in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TypeSettings {
    /// A lease's time to live when the client names none.
    pub ttl_default_seconds: f64,
    /// The longest that a client may ask for.
    pub ttl_max_seconds: f64,
    /// How long an offer, or a session made with `confirm`, waits to be confirmed.
    pub confirm_seconds: f64,
    /// The longest that a ticket may wait, however often it is polled.
    pub wait_max_seconds: f64,
    /// Most tickets in line.
    pub line_max: u64,
    /// The longest that a session may last in all; null: no bound.
    pub max_duration_seconds: Option<f64>,
    /// Time between two probes of a container, give or take a tenth.
    pub probe_interval_seconds: f64,
    /// Good probes in a row that make a container healthy.
    pub probe_rise: u32,
    /// Bad probes in a row that make it unhealthy.
    pub probe_fall: u32,
    /// The fewest containers; null: the type is not scaled.
    #[serde(default)]
    pub scale_min: Option<u64>,
    /// The most containers; null: the type is not scaled.
    #[serde(default)]
    pub scale_max: Option<u64>,
    /// Containers that are idle beside those in use and waited for; null: the type is not scaled.
    #[serde(default)]
    pub scale_min_idle: Option<u64>,
}

/// A target type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TypeInfo {
    /// Its name.
    #[schema(value_type = String, example = "wine")]
    pub target_type: TargetType,
    /// As they are in force.
    pub settings: TypeSettings,
    /// Those of them that were changed at run time; the others are as configured.
    pub changed: BTreeMap<String, u64>,
    /// How many containers and sessions there are.
    pub counts: TypeStatus,
    /// What was decided last about how many there should be; null: the type is not scaled, or not yet.
    #[serde(default)]
    pub scale: Option<TypeScale>,
    /// By what else that is decided; null: the type is not scaled.
    #[serde(default)]
    pub scale_terms: Option<ScaleTerms>,
}

/// How a type is scaled, beside what can be changed at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScaleTerms {
    /// Between two additions.
    pub up_pause_seconds: f64,
    /// A container is taken away when so long none was needed beyond those that stay.
    pub calm_seconds: f64,
    /// The fewest are also this share of the most sessions at once within `peak_window_seconds`; null: no share.
    pub share_of_peak: Option<f64>,
    /// How far back these are looked for.
    pub peak_window_seconds: f64,
    /// When more are to be there, whatever demand is.
    pub schedule: Vec<ScaleTime>,
    /// What new ones are made like, by name; null: the oldest.
    pub template: Option<String>,
    /// It is only told what would be done.
    pub dry_run: bool,
}

/// A time at which more containers are to be there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScaleTime {
    /// When it begins, each time.
    #[schema(example = "0 8 * * 1-5")]
    pub cron: String,
    /// Whose clock that is by.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// How long it lasts.
    pub duration_seconds: f64,
    /// The fewest while it lasts.
    pub min: u64,
    /// Idle ones beside those in use and waited for, while it lasts.
    pub min_idle: u64,
}

/// A decision about how many containers a type should have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TypeScale {
    /// So many, within `scale_min` and `scale_max`.
    pub wanted: u64,
    /// Why there are as many as there are, or more or fewer are made. One word.
    #[schema(example = "steady")]
    pub reason: String,
    /// More about it, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When, by Redis's clock. Once a second, while a replica has the role `scale`.
    pub decided_at: String,
    /// How long ago that was when it was read.
    #[serde(skip)]
    pub age: Duration,
}
