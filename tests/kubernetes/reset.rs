//! A pod is made clean by being replaced.

use std::sync::Arc;

use leasehold::{
    config::{Config, ResetKind},
    metrics::Metrics,
    model::{EngineState, PoolState, ResetState},
    recycle,
};
use serde_json::json;

use super::{Lab, PATIENCE, wine};
use crate::common::eventually;

impl Lab {
    pub(super) fn recycle(&self) {
        let (store, providers) = (self.store.for_worker(), vec![self.provider.clone()]);
        let (config, metrics) = (self.config.clone(), Arc::new(Metrics::new()));
        tokio::spawn(recycle::run(store, providers, config, metrics, self.shutdown.clone()));
    }

    /// A pod of a controller, ready; returns its uid.
    async fn controlled_pod(&self, name: &str) -> String {
        let controller = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "wine",
            "uid": "6a0a4d0e-6f0f-4a5e-9d55-0d4a6f1f2b11", "controller": true}]);
        let owned = |pod: &mut serde_json::Value| pod["metadata"]["ownerReferences"] = controller;
        let id = self.cluster.create_pod_with(name, wine(), owned).await;
        self.cluster.runs(name, "10.1.2.3", "first", "True").await;
        self.available(&id).await;
        id
    }
}

fn auto(config: &mut Config) {
    config.reset.kind = ResetKind::Auto;
    config.reset.pause = std::time::Duration::from_millis(50);
}

#[tokio::test]
async fn after_a_session_the_pod_is_deleted_and_what_its_controller_puts_in_its_place_is_given_out() {
    let lab = Lab::on_stub(auto).await;
    lab.cluster.faults().replace_deleted();
    let old = lab.controlled_pod("wine-a").await;
    let session = lab.session().await;
    lab.release(&session).await;
    lab.becomes("it waits to be made clean", &old, |one| one.pool_state == PoolState::Resetting).await;
    lab.recycle();
    let ending = lab.becomes("it ends", &old, |one| one.state == EngineState::Terminating).await;
    assert_eq!(ending.pool_state, PoolState::Resetting);
    let others = async || lab.cluster.names().await.into_iter().find(|name| name != "wine-a");
    let other = eventually("another one is in its place", PATIENCE, others).await;
    lab.cluster.runs(&other, "10.1.2.4", "first", "True").await;
    lab.cluster.confirm_deleted("wine-a").await;
    lab.gone(&old).await;
    let new = lab.cluster.pod(&other).await.unwrap().metadata.uid.unwrap();
    lab.available(&new).await;
    assert_eq!(lab.session().await.container.unwrap().id.as_str(), new);
    let deleted = lab.cluster.faults().calls().into_iter().filter(|call| call.starts_with("DELETE")).count();
    assert_eq!(deleted, 1);
}

#[tokio::test]
async fn a_pod_that_nothing_would_replace_is_left_alone_and_says_so() {
    let lab = Lab::on_stub(auto).await;
    let id = lab.cluster.ready_pod("alone", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.release(&session).await;
    lab.recycle();
    let failed =
        |one: &leasehold::model::Container| one.reset.as_ref().is_some_and(|reset| reset.state == ResetState::Failed);
    let one = lab.becomes("its reset fails", &id, failed).await;
    assert_eq!(one.health.reason.as_deref(), Some("its reset fails: the pod has no controller that would replace it"));
    assert!(lab.cluster.pod("alone").await.unwrap().metadata.deletion_timestamp.is_none());
}

#[tokio::test]
async fn a_command_in_the_pod_makes_it_clean_or_says_why_not() {
    let command = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        move |config: &mut Config| {
            config.reset.kind = ResetKind::Exec;
            config.reset.command = words;
            config.reset.attempts = 1;
        }
    };
    let lab = Lab::on_stub(command(&["say", "clean"])).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let exit =
        lab.provider.exec(&id.parse().unwrap(), &["say".to_owned(), "hello".to_owned()], PATIENCE).await.unwrap();
    assert_eq!((exit.code, exit.said.as_str()), (0, "hello"));
    let session = lab.session().await;
    lab.release(&session).await;
    lab.recycle();
    lab.available(&id).await;
    let asked = |call: &String| call.contains("command=say&command=clean") && call.contains("container=desktop");
    assert!(lab.cluster.faults().calls().iter().any(asked), "{:?}", lab.cluster.faults().calls());

    let lab = Lab::on_stub(command(&["fail", "7"])).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.release(&session).await;
    lab.recycle();
    let failed = |one: &leasehold::model::Container| one.pool_state == PoolState::Unhealthy;
    let one = lab.becomes("its reset fails", &id, failed).await;
    assert_eq!(one.health.reason.as_deref(), Some("its reset fails: exit code 7: it fails with 7"));
}

#[tokio::test]
async fn what_an_operator_has_restarted_is_replaced() {
    let lab = Lab::on_stub(|_| {}).await;
    lab.cluster.faults().replace_deleted();
    let old = lab.controlled_pod("wine-a").await;
    lab.recycle();
    lab.store.restart(&lab.wine, &old.parse().unwrap(), "ops/key", false).await.unwrap();
    lab.becomes("it ends", &old, |one| one.state == EngineState::Terminating).await;
    lab.cluster.confirm_deleted("wine-a").await;
    lab.gone(&old).await;
    assert_eq!(lab.store.counts(&lab.wine).await.unwrap().containers, 1, "what is in its place");
}
