//! One consumer of the streams: first from Redis, then by what the replica reads for all.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use futures_util::future::try_join_all;
use tokio::sync::broadcast::{self, error::RecvError};

use super::{
    Cursor, Events, Shared,
    feed::{Told, digest},
    hub::Batch,
};
use crate::{
    model::{ContainerId, Event, OwnerName, Position, RESYNC, SessionId, TargetType},
    store::StoreError,
};

/// Events of one page from Redis.
const PAGE: usize = 100;
/// After Redis did not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// What a client may see of events that nobody owns: it can read all containers anyway.
const OF_ALL: [&str; 2] = ["container.", "recovery."];

/// Which events are told. A `resync` of a type that is followed always is.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only of these types; of all when empty.
    pub target_types: Vec<TargetType>,
    /// Only kinds that begin with one of these; all when empty.
    pub kinds: Vec<String>,
    /// Only of this session.
    pub session: Option<SessionId>,
    /// Only of this container.
    pub container: Option<ContainerId>,
    /// Only what this owner may see: its own, and what happens to containers and types.
    pub owner: Option<OwnerName>,
}

impl Filter {
    fn follows(&self, target_type: &TargetType) -> bool {
        self.target_types.is_empty() || self.target_types.contains(target_type)
    }

    fn passes(&self, event: &Event) -> bool {
        if event.kind == RESYNC {
            return true;
        }
        let is = |name, wanted: Option<String>| wanted.is_none_or(|wanted| event.text(name) == Some(wanted.as_str()));
        let begins = |with: &str| event.kind.starts_with(with);
        let seen = |owner: &OwnerName| match event.text("owner") {
            Some(of) => of == owner.as_str(),
            None => OF_ALL.into_iter().any(begins),
        };
        (self.kinds.is_empty() || self.kinds.iter().any(|kind| begins(kind)))
            && is("session", self.session.map(|id| id.to_string()))
            && is("container", self.container.as_ref().map(ToString::to_string))
            && self.owner.as_ref().is_none_or(seen)
    }
}

/// Where a consumer begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// With what happens from now on.
    Now,
    /// With all that is kept.
    Oldest,
    /// After this place. A type that it does not name is new since, and told from its beginning.
    After(Cursor),
}

/// Follows the streams. What it holds is bounded, however slowly it is asked.
pub struct Follower {
    shared: Arc<Shared>,
    filter: Filter,
    news: broadcast::Receiver<Arc<Batch>>,
    /// The last place of each type that was told, or passed over.
    places: BTreeMap<TargetType, Position>,
    /// What was read and is to be told.
    ready: VecDeque<Told>,
    /// Types to be read from Redis until their end.
    behind: BTreeSet<TargetType>,
    /// The type that was read last.
    turn: Option<TargetType>,
}

impl Events {
    /// Begins to follow.
    ///
    /// # Errors
    /// Redis could not be asked.
    pub async fn follow(&self, filter: Filter, start: Start) -> Result<Follower, StoreError> {
        // Before anything is read: what happens from here on is either read or heard of.
        let news = self.shared.news.subscribe();
        self.shared.asked.notify_one();
        let store = &self.shared.store;
        let mut types = store.types().await?;
        types.retain(|target_type| filter.follows(target_type));
        let (places, behind) = match start {
            Start::Now => {
                let ends = types.iter().map(async |target_type| {
                    let page = store.read_events(target_type, Position::default(), 0).await?;
                    Ok::<_, StoreError>((target_type.clone(), page.end))
                });
                (try_join_all(ends).await?.into_iter().collect(), BTreeSet::new())
            }
            Start::Oldest => (BTreeMap::new(), types.into_iter().collect()),
            Start::After(cursor) => {
                let places = cursor.0.into_iter().filter(|(target_type, _)| filter.follows(target_type)).collect();
                (places, types.into_iter().collect())
            }
        };
        Ok(self.follower(filter, news, places, behind))
    }

    /// Follows one type after a place in it.
    pub(super) fn follow_type(&self, target_type: &TargetType, kinds: &[String], after: Position) -> Follower {
        let news = self.shared.news.subscribe();
        self.shared.asked.notify_one();
        let filter = Filter { target_types: vec![target_type.clone()], kinds: kinds.to_vec(), ..Filter::default() };
        let places = BTreeMap::from([(target_type.clone(), after)]);
        self.follower(filter, news, places, BTreeSet::from([target_type.clone()]))
    }

    fn follower(
        &self,
        filter: Filter,
        news: broadcast::Receiver<Arc<Batch>>,
        places: BTreeMap<TargetType, Position>,
        behind: BTreeSet<TargetType>,
    ) -> Follower {
        let (shared, ready) = (self.shared.clone(), VecDeque::new());
        Follower { shared, filter, news, places, ready, behind, turn: None }
    }
}

impl Follower {
    /// The next event, waited for. May be dropped and called again: nothing is lost.
    pub async fn next(&mut self) -> Arc<Event> {
        loop {
            if let Some(event) = self.next_or_end(true).await {
                return event;
            }
        }
    }

    /// The same; unless `follow`, there is none after those that were there already.
    pub async fn next_or_end(&mut self, follow: bool) -> Option<Arc<Event>> {
        loop {
            if let Some(event) = self.at_hand() {
                return Some(event);
            }
            if !self.behind.is_empty() {
                self.read().await;
            } else if follow {
                self.hear().await;
            } else {
                return None;
            }
        }
    }

    /// The next event of those that were read.
    pub fn at_hand(&mut self) -> Option<Arc<Event>> {
        while let Some(Told { position, event }) = self.ready.pop_front() {
            self.places.insert(event.target_type.clone(), position);
            if self.filter.passes(&event) {
                return Some(event);
            }
        }
        None
    }

    /// After the last event that was given.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor(self.places.clone())
    }

    /// The same in one type.
    pub(super) fn place(&self, target_type: &TargetType) -> Position {
        self.places.get(target_type).copied().unwrap_or_default()
    }

    /// Reads a page of a type that is behind; of each in turn.
    async fn read(&mut self) {
        let after = self.turn.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.behind.range((after, Bound::Unbounded)).next().or_else(|| self.behind.first());
        let Some(target_type) = next.cloned() else { return };
        let place = self.place(&target_type);
        match self.shared.store.read_events(&target_type, place, PAGE).await {
            Ok(page) => {
                if page.whole {
                    self.behind.remove(&target_type);
                }
                self.ready.extend(digest(&target_type, place, page));
            }
            Err(error) => {
                tracing::debug!(%error, %target_type, "events could not be read; trying on");
                tokio::time::sleep(PAUSE).await;
            }
        }
        self.turn = Some(target_type);
    }

    /// Waits for what the replica reads.
    async fn hear(&mut self) {
        match self.news.recv().await {
            Ok(batch) => self.take(&batch),
            // Too slow: what it missed is in Redis.
            Err(RecvError::Lagged(_)) => self.behind.extend(self.places.keys().cloned()),
            // Never: who sends is in `shared`.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    fn take(&mut self, batch: &Batch) {
        if !self.filter.follows(&batch.target_type) {
            return;
        }
        // A type that is new begins with its first event.
        let place = *self.places.entry(batch.target_type.clone()).or_default();
        let known = batch.told.iter().position(|told| told.position == place);
        if place == batch.before {
            self.ready.extend(batch.told.iter().cloned());
        } else if let Some(known) = known {
            self.ready.extend(batch.told[known + 1..].iter().cloned());
        } else if place < batch.after {
            self.behind.insert(batch.target_type.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: &str, data: &serde_json::Value) -> Event {
        let data = data.as_object().cloned().unwrap();
        let (id, target_type) = (String::new(), "wine".parse().unwrap());
        Event { id, target_type, kind: kind.to_owned(), at: String::new(), data }
    }

    #[test]
    fn a_client_sees_its_own_sessions_and_what_happens_to_containers() {
        let alice = Filter { owner: Some("alice".parse().unwrap()), ..Filter::default() };
        for (kind, data, seen) in [
            ("session.ready", json!({"owner": "alice"}), true),
            ("session.ready", json!({"owner": "bob"}), false),
            ("session.ready", json!({}), false),
            ("container.state", json!({"container": "one"}), true),
            ("container.state", json!({"container": "one", "owner": "bob"}), false),
            ("recovery.began", json!({}), true),
            ("settings.changed", json!({}), false),
            (RESYNC, json!({}), true),
        ] {
            let event = event(kind, &data);
            assert_eq!(alice.passes(&event), seen, "{event:?}");
            assert!(Filter::default().passes(&event));
        }
    }

    #[test]
    fn every_condition_must_hold_but_for_what_is_gone() {
        let id: SessionId = "0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10".parse().unwrap();
        let filter = Filter {
            kinds: vec!["session.".to_owned()],
            session: Some(id),
            container: Some("one".parse().unwrap()),
            ..Filter::default()
        };
        let data = json!({"session": id.to_string(), "container": "one"});
        assert!(filter.passes(&event("session.ready", &data)));
        assert!(!filter.passes(&event("container.state", &data)));
        assert!(!filter.passes(&event("session.ready", &json!({"session": id.to_string(), "container": "two"}))));
        assert!(!filter.passes(&event("session.ready", &json!({"container": "one"}))));
        assert!(filter.passes(&event(RESYNC, &json!({}))));
    }
}
