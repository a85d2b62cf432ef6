//! Placeholder.
use std::time::Duration;
/// Metrics.
pub struct Metrics {}
impl Metrics {
    /// A script ran.
    pub fn script(&self, _name: &'static str, _outcome: &str, _took: Duration) {}
}
