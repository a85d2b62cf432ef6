//! The history: what a type's events amount to by the hour. The streams are trimmed, so it is kept apart from them.
//!
//! One replica at a time has a type's claim. It reads the stream from where the history is, and adds what a page amounts to
//! together with the new place, in one script: whoever dies in between has added nothing, and nobody adds a page twice.

mod fold;

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::fold::Fold;
use super::{
    Events,
    feed::{Told, digest},
};
use crate::{
    model::{Hour, Position, RESYNC, TargetType, TypeHistory},
    store::StoreError,
};

/// After this time without renewal another replica goes on.
const LEASE: Duration = Duration::from_secs(10);
/// Between two looks at all types.
const LOOK: Duration = Duration::from_secs(2);
/// Most events of a page.
const PAGE: usize = 100;
/// Most pages of a type before the others have their turn.
const TURN: usize = 50;

/// The history of a type as far as this replica has come with it.
struct Kept {
    /// The last event that is in it.
    place: Position,
    fold: Fold,
}

impl Events {
    /// Keeps the history of each type that nobody else keeps, until `shutdown`.
    pub async fn keep_history(&self, shutdown: CancellationToken) {
        let mut kept = HashMap::new();
        loop {
            let turn = async {
                if !self.keep_all(&mut kept).await {
                    sleep(LOOK).await;
                }
            };
            if shutdown.run_until_cancelled(turn).await.is_none() {
                break;
            }
        }
        for target_type in kept.keys() {
            if let Err(error) = self.shared.store.unclaim_history(target_type, &self.shared.replica).await {
                tracing::debug!(%error, %target_type, "a history's claim is not given back: it ends by itself");
            }
        }
    }

    /// The history of a type.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn history(&self, target_type: &TargetType) -> Result<TypeHistory, StoreError> {
        let read = self.shared.store.history(target_type, true).await?;
        let hour = |(hour, counts)| {
            let from = Timestamp::from_second(i64::try_from(hour * fold::HOUR_SECONDS).ok()?).ok()?;
            Some(Hour { from, counts })
        };
        let hours = read.hours.into_iter().filter_map(hour).collect();
        Ok(TypeHistory { target_type: target_type.clone(), at: read.at, hours, sessions: read.sessions })
    }

    /// Gives each type its turn. True when there is more to be read.
    async fn keep_all(&self, kept: &mut HashMap<TargetType, Kept>) -> bool {
        let types = match self.shared.store.types().await {
            Ok(types) => types,
            Err(error) => {
                tracing::debug!(%error, "types could not be asked for");
                return false;
            }
        };
        let mut more = false;
        for target_type in types {
            // What is not put back is read from Redis again: after an error nobody knows whether it was recorded.
            let before = kept.remove(&target_type);
            match self.keep(&target_type, before).await {
                Ok(Some((now, behind))) => {
                    more |= behind;
                    kept.insert(target_type, now);
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, %target_type, "the history is not kept; trying on"),
            }
        }
        more
    }

    /// Brings the history of a type forward by a turn; whether there is more. None when another replica has the claim.
    async fn keep(&self, target_type: &TargetType, kept: Option<Kept>) -> Result<Option<(Kept, bool)>, StoreError> {
        let shared = &self.shared;
        let Some(place) = shared.store.claim_history(target_type, &shared.replica, LEASE).await? else {
            return Ok(None);
        };
        let mut kept = match kept.filter(|kept| kept.place == place) {
            Some(kept) => kept,
            None => Kept { place, fold: self.load(target_type).await? },
        };
        let mut many = None;
        for _ in 0..TURN {
            let page = match many {
                Some(page) => page,
                None => shared.store.read_events(target_type, kept.place, PAGE).await?,
            };
            let whole = page.whole;
            let told = digest(target_type, kept.place, page);
            if !self.add(target_type, &mut kept, told).await? {
                return Ok(None);
            }
            if whole {
                return Ok(Some((kept, false)));
            }
            many = shared.store.read_many_events(target_type, kept.place, PAGE).await?;
        }
        Ok(Some((kept, true)))
    }

    async fn load(&self, target_type: &TargetType) -> Result<Fold, StoreError> {
        let hours = self.shared.store.history(target_type, false).await?.hours;
        let unfinished = self.shared.store.history_unfinished(target_type, false).await?;
        Ok(Fold::new(hours, unfinished))
    }

    /// Adds a page. False when that is another's to do.
    async fn add(&self, target_type: &TargetType, kept: &mut Kept, told: Vec<Told>) -> Result<bool, StoreError> {
        let mut place = kept.place;
        for Told { position, event } in told {
            // Before the first event nothing was known that could be lost.
            if event.kind == RESYNC && place != Position::default() {
                if place != kept.place && !self.record(target_type, kept, place).await? {
                    return Ok(false);
                }
                let living = self.shared.store.history_unfinished(target_type, true).await?;
                kept.fold.resume(&event, living);
            }
            kept.fold.take(&event);
            place = position;
        }
        Ok(place == kept.place || self.record(target_type, kept, place).await?)
    }

    async fn record(&self, target_type: &TargetType, kept: &mut Kept, to: Position) -> Result<bool, StoreError> {
        let (shared, changes) = (&self.shared, kept.fold.changes());
        let added = shared.store.record_history(target_type, &shared.replica, kept.place, to, &changes).await?;
        kept.place = to;
        Ok(added)
    }
}
