//! What a replica counts and times, in the Prometheus text format. The pool's own counts are read at each scrape.

use std::time::Duration;

use crate::model::TargetType;

/// The metrics of one replica. Shared by all that count.
#[derive(Debug, Default)]
pub struct Metrics {}

impl Metrics {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A script ran, with this outcome code.
    pub fn script(&self, _name: &'static str, _outcome: &str, _took: Duration) {}

    /// A create was answered.
    pub fn allocation(&self, _target_type: &TargetType, _outcome: &'static str, _took: Duration) {}

    /// A container was probed.
    pub fn probe(&self, _target_type: &TargetType, _good: bool, _took: Duration) {}
}
