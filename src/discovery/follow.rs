//! Follows one provider: full looks for truth, its events for speed.

use std::{collections::BTreeSet, convert::Infallible, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use tracing::{info, warn};

use super::{Interruption, Sight, Writer};
use crate::{
    model::{ContainerId, Observation},
    provider::{Change, Provider, ProviderError},
    store::Store,
};

/// How often it is checked whether somebody asked for a look.
const CHECK_ASKED: Duration = Duration::from_millis(150);

/// Between two tries after a failure: the first time, and at most.
const BACKOFF: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3)];

/// Having followed for so long without trouble, the next trouble is a new one.
const SETTLED: Duration = Duration::from_secs(5);

/// Changes that are handled together.
const BATCH: usize = 256;

/// Containers that are inspected at a time after changes.
const INSPECTED_AT_ONCE: usize = 16;

/// Changes that arrived together.
type Changes = Vec<Result<Change, ProviderError>>;

/// Follows one provider, in one generation.
pub(super) struct Follower {
    store: Store,
    provider: Arc<dyn Provider>,
    resync: Duration,
    writer: Writer,
    /// While there is trouble: how long was waited before the last try.
    trouble: Option<Duration>,
}

impl Follower {
    pub(super) fn new(store: Store, provider: Arc<dyn Provider>, resync: Duration, writer: Writer) -> Self {
        Self { store, provider, resync, writer, trouble: None }
    }

    /// Follows, through failures of the provider and of Redis, until a newer generation writes.
    pub(super) async fn follow(&mut self) {
        loop {
            let Err(why) = self.round().await;
            match why {
                Interruption::Stale => return,
                Interruption::Provider(_) | Interruption::Silence => self.tell(&why).await,
                Interruption::Store(_) => {}
            }
            sleep(self.backoff(&why)).await;
        }
    }

    /// Looks, then follows until something goes wrong. Changes are heard from before the look on, so that none is missed.
    async fn round(&mut self) -> Result<Infallible, Interruption> {
        self.writer.open().await?;
        let provider = self.provider.clone();
        let mut changes = provider.watch().ready_chunks(BATCH);
        let mut answered = self.timed_look(&mut changes).await?;
        let settled = Instant::now() + SETTLED;
        let mut check = interval(CHECK_ASKED);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_look = Instant::now() + self.resync;
        loop {
            let asked = tokio::select! {
                batch = changes.next() => {
                    self.refresh(batch).await?;
                    false
                }
                () = sleep_until(settled), if self.trouble.is_some() => {
                    self.trouble = None;
                    info!(provider = %self.provider.name(), "the provider is followed again");
                    false
                }
                _ = check.tick() => self.store.looks_asked(self.provider.name()).await? != answered,
                () = sleep_until(next_look) => true,
            };
            if asked {
                answered = self.timed_look(&mut changes).await?;
                next_look = Instant::now() + self.resync;
            }
        }
    }

    /// Writes what was seen. How old that is, the provider's clock tells: asked after Redis was how long ago it lost what, so nothing
    /// seems younger than it is.
    async fn write(&mut self, sight: &mut Sight, seen: Vec<Observation>) -> Result<(), Interruption> {
        if self.writer.wants_clock(sight, &seen) {
            sight.clock = self.provider.clock().await;
        }
        self.writer.observe(sight, seen).await
    }

    async fn timed_look(&mut self, changes: &mut (impl Stream<Item = Changes> + Unpin)) -> Result<u64, Interruption> {
        let began = Instant::now();
        let looked = self.look(changes).await;
        self.store.metrics().look(self.provider.name(), looked.is_ok(), began.elapsed());
        looked
    }

    /// A full look. Changes that arrive meanwhile are handled at once, and what they showed is newer than the list.
    /// Returns how many looks had been asked for when it began.
    async fn look(&mut self, changes: &mut (impl Stream<Item = Changes> + Unpin)) -> Result<u64, Interruption> {
        let asked = self.store.looks_asked(self.provider.name()).await?;
        let mut sight = self.writer.begin().await?;
        let provider = self.provider.clone();
        let mut list = provider.list();
        let mut newer = BTreeSet::new();
        let mut seen = loop {
            tokio::select! {
                list = &mut list => break list?,
                batch = changes.next() => newer.append(&mut self.refresh(batch).await?),
            }
        };
        seen.retain(|observation| !newer.contains(&observation.id));
        self.write(&mut sight, seen).await?;
        self.writer.sweep(&sight).await?;
        self.store.record_look(&self.writer.mark(), asked, None).await?;
        Ok(asked)
    }

    /// Inspects the containers that something happened to, each once, and writes what they are now.
    async fn refresh(&mut self, batch: Option<Changes>) -> Result<BTreeSet<ContainerId>, Interruption> {
        let changes = batch.ok_or(Interruption::Silence)?;
        let ids =
            changes.into_iter().map(|change| change.map(|change| change.id)).collect::<Result<BTreeSet<_>, _>>()?;
        let mut sight = self.writer.begin().await?;
        let inspections = ids.iter().cloned().map(|id| inspect(self.provider.clone(), id));
        let inspected: Vec<_> = stream::iter(inspections).buffer_unordered(INSPECTED_AT_ONCE).try_collect().await?;
        let mut seen = Vec::new();
        for (id, found) in inspected {
            match found {
                Some(observation) => seen.push(observation),
                None => self.writer.remove(&id).await?,
            }
        }
        self.write(&mut sight, seen).await?;
        Ok(ids)
    }

    /// Shows the failure in the provider's status. What is known of its containers stays.
    async fn tell(&self, why: &Interruption) {
        let told = self.store.record_look(&self.writer.mark(), 0, Some(&why.to_string())).await;
        if let Err(error) = told {
            warn!(provider = %self.provider.name(), "the provider's failure cannot be stored: {error}");
        }
    }

    /// How long to wait after a failure. The first one is logged.
    fn backoff(&mut self, why: &Interruption) -> Duration {
        let [first, most] = BACKOFF;
        let wait = self.trouble.map_or(first, |last| most.min(last * 2));
        if self.trouble.replace(wait).is_none() {
            warn!(provider = %self.provider.name(), "the provider is not followed, what is known of it stays: {why}");
        }
        wait
    }
}

async fn inspect(
    provider: Arc<dyn Provider>,
    id: ContainerId,
) -> Result<(ContainerId, Option<Observation>), ProviderError> {
    let found = provider.inspect(&id).await?;
    Ok((id, found))
}
