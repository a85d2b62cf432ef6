//! The one reader of each type's stream on this replica: it reads while anybody listens.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Shared,
    feed::{Told, digest},
};
use crate::model::{Position, TargetType};

/// Between two looks at a stream that had nothing new.
const LOOK: Duration = Duration::from_millis(150);
/// Between two looks for new types.
const TYPES: Duration = Duration::from_secs(1);
/// Most events of one look.
const MOST: usize = 100;

/// What one look brought.
pub(super) struct Batch {
    /// Of which type.
    pub target_type: TargetType,
    /// Where the look began. One that brought nothing says where the reader begins: who is not there reads by himself.
    pub before: Position,
    /// Where it ended.
    pub after: Position,
    /// What is new, in order.
    pub told: Vec<Told>,
}

/// Has a reader for each type while anybody listens, for ever.
pub(super) async fn run(shared: &Arc<Shared>) {
    let mut readers: HashMap<TargetType, AbortOnDropHandle<()>> = HashMap::new();
    loop {
        if shared.news.receiver_count() == 0 {
            readers.clear();
            shared.asked.notified().await;
        }
        match shared.store.types().await {
            Ok(types) => {
                for target_type in types {
                    readers.entry(target_type).or_insert_with_key(|target_type| {
                        AbortOnDropHandle::new(tokio::spawn(read(shared.clone(), target_type.clone())))
                    });
                }
            }
            Err(error) => tracing::debug!(%error, "types could not be asked for"),
        }
        sleep(TYPES).await;
    }
}

async fn read(shared: Arc<Shared>, target_type: TargetType) {
    let mut at = None;
    loop {
        let most = if at.is_none() { 0 } else { MOST };
        match shared.store.read_events(&target_type, at.unwrap_or_default(), most).await {
            Ok(page) => {
                let before = at.unwrap_or(page.end);
                let whole = page.whole || at.is_none();
                let told = if at.is_none() { Vec::new() } else { digest(&target_type, before, page) };
                let after = told.last().map_or(before, |last| last.position);
                if at.is_none() || !told.is_empty() {
                    // An error means that nobody listens any more.
                    let _ = shared.news.send(Arc::new(Batch { target_type: target_type.clone(), before, after, told }));
                }
                at = Some(after);
                if !whole {
                    continue;
                }
            }
            Err(error) => tracing::debug!(%error, %target_type, "events could not be read"),
        }
        sleep(LOOK).await;
    }
}
