//! What is newer wins, whatever the order in which it arrives: a provider that shows what the test says, when it says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use leasehold::{
    discovery,
    model::{About, ContainerId, EngineHealth, EngineState, Observation, PoolState, ProviderName, TargetType},
    provider::{Capabilities, Change, Provider, ProviderError},
};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::{Bench, PATIENCE, container_id};
use crate::common::eventually;

/// A provider without an engine. A list shows what there was when it was asked for, and arrives when the test lets it.
struct Scripted {
    name: ProviderName,
    present: Mutex<BTreeMap<ContainerId, Observation>>,
    changes: broadcast::Sender<ContainerId>,
    lists: watch::Sender<bool>,
    listing: watch::Sender<usize>,
}

impl Scripted {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            name: "docker".parse().unwrap(),
            present: Mutex::default(),
            changes: broadcast::channel(16).0,
            lists: watch::Sender::new(true),
            listing: watch::Sender::new(0),
        })
    }

    fn put(&self, target_type: &TargetType, state: EngineState) {
        let id = container_id("one");
        let observation = Observation {
            id: id.clone(),
            target_type: target_type.clone(),
            incarnation: "first".to_owned(),
            state,
            health: EngineHealth::None,
            about: About { name: "one".to_owned(), ..About::default() },
        };
        self.present.lock().unwrap().insert(id, observation);
    }

    fn tell(&self) {
        self.changes.send(container_id("one")).expect("somebody watches");
    }
}

impl Provider for Scripted {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { watch: true }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observation>, ProviderError>> {
        let seen: Vec<_> = self.present.lock().unwrap().values().cloned().collect();
        self.listing.send_modify(|count| *count += 1);
        let mut lists = self.lists.subscribe();
        async move {
            lists.wait_for(|open| *open).await.expect("the test goes on");
            Ok(seen)
        }
        .boxed()
    }

    fn inspect<'a>(&'a self, id: &'a ContainerId) -> BoxFuture<'a, Result<Option<Observation>, ProviderError>> {
        let seen = self.present.lock().unwrap().get(id).cloned();
        async move { Ok(seen) }.boxed()
    }

    fn watch(&self) -> BoxStream<'_, Result<Change, ProviderError>> {
        stream::unfold(self.changes.subscribe(), async |mut changes| {
            let id = changes.recv().await.ok()?;
            Some((Ok(Change { id }), changes))
        })
        .boxed()
    }
}

/// A bench whose discoverer follows the scripted provider.
async fn scripted(provider: &Arc<Scripted>) -> Bench {
    let bench = Bench::new(|_| {}).await;
    tokio::spawn(discovery::run(
        bench.store.for_worker(),
        vec![provider.clone()],
        Arc::new(bench.config.clone()),
        "first".to_owned(),
        CancellationToken::new(),
    ));
    eventually("a first look", PATIENCE, async || bench.status().await.age).await;
    bench
}

#[tokio::test]
async fn a_change_that_arrives_during_a_look_is_newer_than_the_list() {
    let provider = Scripted::new();
    let bench = scripted(&provider).await;
    let target_type = bench.target_type();
    provider.put(&target_type, EngineState::Running);
    provider.tell();
    bench.container_that("available", "one", |c| c.pool_state == PoolState::Available).await;

    // A look begins, and sees it running …
    provider.lists.send_replace(false);
    let mut listing = provider.listing.subscribe();
    let before = *listing.borrow_and_update();
    let asked = async { bench.store.ask_for_look(&bench.provider, PATIENCE).await.unwrap() };
    let meanwhile = async {
        listing.wait_for(|count| *count > before).await.unwrap();
        // … it ends before the list arrives: that is noticed at once, and outlives the list.
        provider.put(&target_type, EngineState::Exited);
        provider.tell();
        bench.container_that("exited", "one", |c| c.state == EngineState::Exited).await;
        provider.lists.send_replace(true);
    };
    let (answered, ()) = tokio::join!(asked, meanwhile);
    assert!(answered);
    assert_eq!(bench.container(&target_type, "one").await.unwrap().state, EngineState::Exited);
}

#[tokio::test]
async fn a_change_of_type_removes_a_container_from_its_old_type() {
    let provider = Scripted::new();
    let bench = scripted(&provider).await;
    let (old, new) = (bench.target_type(), format!("{}-new", bench.target_type()).parse().unwrap());
    provider.put(&old, EngineState::Running);
    provider.tell();
    bench.container_that("available", "one", |c| c.pool_state == PoolState::Available).await;
    provider.put(&new, EngineState::Running);
    provider.tell();
    eventually("it is in its new type", PATIENCE, async || bench.container(&new, "one").await).await;
    assert!(bench.container(&old, "one").await.is_none(), "it is in two types");
}
