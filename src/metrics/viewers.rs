//! Viewers of desktops, and what is carried to them.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::model::TargetType;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ViewerLabels {
    target_type: String,
    mode: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BytesLabels {
    target_type: String,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    target_type: String,
    outcome: &'static str,
}

/// What a replica counts of viewers.
#[derive(Debug, Default)]
pub struct ViewerMetrics {
    viewers: Family<ViewerLabels, Gauge>,
    bytes: Family<BytesLabels, Counter>,
    ended: Family<EndLabels, Counter>,
}

/// A viewer while it is there.
#[derive(Debug)]
pub struct CountedViewer {
    here: Gauge,
    /// Bytes from the desktop to the viewer.
    pub shown: Counter,
    /// Bytes from the viewer.
    pub said: Counter,
}

impl ViewerMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let help = "Viewers of desktops on this replica, by whether they drive or only watch";
        registry.register("viewers", help, metrics.viewers.clone());
        let help = "Bytes that this replica carried between desktops and viewers";
        registry.register("viewer_bytes", help, metrics.bytes.clone());
        let help = "Viewers that were carried by this replica, by how that ended";
        registry.register("viewers_ended", help, metrics.ended.clone());
        metrics
    }

    /// A viewer comes.
    #[must_use]
    pub fn came(&self, target_type: &TargetType, view_only: bool) -> CountedViewer {
        let name = || target_type.to_string();
        let mode = if view_only { "watch" } else { "drive" };
        let here = self.viewers.get_or_create(&ViewerLabels { target_type: name(), mode }).clone();
        here.inc();
        let bytes = |direction| self.bytes.get_or_create(&BytesLabels { target_type: name(), direction }).clone();
        CountedViewer { here, shown: bytes("to_viewer"), said: bytes("to_desktop") }
    }

    /// A viewer was let go, or left.
    pub fn ended(&self, target_type: &TargetType, outcome: &'static str) {
        self.ended.get_or_create(&EndLabels { target_type: target_type.to_string(), outcome }).inc();
    }
}

impl Drop for CountedViewer {
    fn drop(&mut self) {
        self.here.dec();
    }
}
