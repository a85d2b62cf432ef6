//! What is newer wins, whatever the order in which it arrives: a provider that shows what the test says, when it says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use jiff::Timestamp;
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
            started: None,
            state,
            health: EngineHealth::None,
            about: About { name: "one".to_owned(), ..About::default() },
        };
        self.present.lock().unwrap().insert(id, observation);
    }

    fn tell(&self) {
        self.changes.send(container_id("one")).expect("somebody watches");
    }

    /// Has a look begin, does something, and only then lets the list arrive that was made at the beginning.
    async fn during_a_look(&self, bench: &Bench, meanwhile: impl AsyncFnOnce()) {
        self.lists.send_replace(false);
        let mut listing = self.listing.subscribe();
        let before = *listing.borrow_and_update();
        let meanwhile = async {
            listing.wait_for(|count| *count > before).await.unwrap();
            meanwhile().await;
            self.lists.send_replace(true);
        };
        tokio::join!(bench.look(), meanwhile);
    }
}

impl Provider for Scripted {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { watch: true, ..Capabilities::default() }
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

    fn clock(&self) -> BoxFuture<'_, Option<Timestamp>> {
        future::ready(None).boxed()
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

    // A look begins, and sees it running; it ends before the list arrives: that is noticed at once, and outlives the list.
    provider
        .during_a_look(&bench, async || {
            provider.put(&target_type, EngineState::Exited);
            provider.tell();
            bench.container_that("exited", "one", |c| c.state == EngineState::Exited).await;
        })
        .await;
    assert_eq!(bench.container(&target_type, "one").await.unwrap().state, EngineState::Exited);
}

#[tokio::test]
async fn what_appears_during_a_look_that_did_not_list_it_stays() {
    let provider = Scripted::new();
    let bench = scripted(&provider).await;
    let target_type = bench.target_type();
    provider
        .during_a_look(&bench, async || {
            provider.put(&target_type, EngineState::Running);
            provider.tell();
            bench.container_that("available", "one", |c| c.pool_state == PoolState::Available).await;
        })
        .await;
    assert!(bench.container(&target_type, "one").await.is_some());
    // The next one lists it, and the one after that does not.
    bench.look().await;
    assert!(bench.container(&target_type, "one").await.is_some());
    provider.present.lock().unwrap().clear();
    bench.look().await;
    assert!(bench.container(&target_type, "one").await.is_none());
}

#[tokio::test]
async fn what_a_failover_brought_back_is_removed_by_the_next_look() {
    let provider = Scripted::new();
    let bench = scripted(&provider).await;
    let (target_type, former) = (bench.target_type(), format!("{}-former", bench.target_type()).parse().unwrap());
    provider.put(&target_type, EngineState::Running);
    bench.look().await;
    // The discoverer knows of neither: the one had been removed, the other had been of another type.
    bench.store.add_types(std::slice::from_ref(&former)).await.unwrap();
    for (of, id) in [(&target_type, "gone"), (&former, "one")] {
        let key = |name: &str| format!("{}:{{{of}}}:{name}", bench.config.prefix);
        let facts =
            [("provider", "docker"), ("inc", "first"), ("state", "running"), ("check", "none"), ("probed", "0")];
        let () = redis::pipe()
            .hset_multiple(key(&format!("container:{id}")), &facts)
            .set(key(&format!("about:{id}")), serde_json::to_string(&About::default()).unwrap())
            .zadd(key("containers"), id, 0)
            .query(&mut bench.redis.conn())
            .unwrap();
        assert!(bench.store.settle(of, &container_id(id)).await.unwrap().is_some());
    }
    bench.look().await;
    assert!(bench.container(&target_type, "gone").await.is_none());
    assert!(bench.container(&former, "one").await.is_none(), "it is in two types");
    assert!(bench.container(&target_type, "one").await.is_some());
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
