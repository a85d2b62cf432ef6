//! Placeholder.
use std::time::Duration;
/// Metrics.
pub struct Metrics {}
impl Metrics {
    /// New.
    pub fn new() -> Self {
        Self {}
    }
}
impl Metrics {
    /// A script ran.
    pub fn script(&self, _name: &'static str, _outcome: &str, _took: Duration) {}
}
impl Metrics {
    /// A create.
    pub fn allocation(&self, _t: &crate::model::TargetType, _outcome: &'static str, _took: Duration) {}
}
