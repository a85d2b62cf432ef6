//! Reports findings, in batches of one type each.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::Outage;
use crate::{
    model::TargetType,
    store::{ProbeReport, Store},
};

/// Most reports in one call.
const BATCH: usize = 100;

/// What a probe found.
pub(super) struct Finding {
    pub(super) target_type: TargetType,
    pub(super) report: ProbeReport,
}

/// Reports until the last sender is gone. Takes what is there and never waits for more: while one batch is on its way,
/// the next one gathers. What Redis does not take is dropped, because the next probe finds it again.
pub(super) async fn run(store: &Store, mut inbox: mpsc::Receiver<Finding>) {
    let mut outage = Outage::new("reporting probes");
    let mut batch = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut batch, BATCH).await > 0 {
        let mut by_type: BTreeMap<TargetType, Vec<ProbeReport>> = BTreeMap::new();
        for Finding { target_type, report } in batch.drain(..) {
            by_type.entry(target_type).or_default().push(report);
        }
        for (target_type, reports) in by_type {
            outage.note(&store.report_probes(&target_type, &reports).await);
        }
    }
}
