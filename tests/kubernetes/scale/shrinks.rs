//! A Deployment is told to have fewer only while it can choose no pod that a session has.

use leasehold::{config::ResetKind, model::PoolState};

use super::{Scaling, pod_of};
use crate::{
    common::eventually,
    kubernetes::{PATIENCE, cluster::Cluster},
};

#[tokio::test]
async fn whichever_pod_a_session_has_it_stays() {
    for at in 0..3 {
        let scaling = Scaling::new(3, |_| {}).await;
        let session = scaling.session_on(&scaling.lab.cluster.names().await[at]).await;
        scaling.scale();
        scaling.to_have(1).await;
        scaling.has(1).await;
        scaling.is_kept(&session).await;
    }
}

#[tokio::test]
async fn while_a_leased_pod_is_not_ready_nothing_goes() {
    let scaling = Scaling::new(3, |_| {}).await;
    let session = scaling.session_on(&scaling.lab.cluster.names().await[1]).await;
    scaling.is_ready(pod_of(&session), false).await;
    scaling.scale();
    let told = scaling.says("leased_unready").await;
    assert!(told.contains(pod_of(&session)), "{told}");
    scaling.decides(2).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (3, 0));
    scaling.is_ready(pod_of(&session), true).await;
    scaling.to_have(1).await;
    scaling.has(1).await;
    scaling.is_kept(&session).await;
}

#[tokio::test]
async fn a_leased_pod_that_becomes_unready_after_others_were_taken_out_of_the_pool_is_waited_for() {
    let scaling = Scaling::new(3, |_| {}).await;
    let session = scaling.session_on(&scaling.lab.cluster.names().await[1]).await;
    scaling.marked().await;
    // Pods are not marked meanwhile, so that those which are taken out of the pool do not go yet.
    scaling.lab.cluster.faults().fail_marks(true);
    scaling.scale();
    scaling.says("not_marked").await;
    scaling.is_ready(pod_of(&session), false).await;
    scaling.lab.cluster.faults().fail_marks(false);
    scaling.says("leased_unready").await;
    scaling.decides(2).await;
    assert_eq!(scaling.replicas().await, 3);
    scaling.is_ready(pod_of(&session), true).await;
    scaling.to_have(1).await;
    scaling.is_kept(&session).await;
}

#[tokio::test]
async fn nothing_goes_before_the_marks_are_seen() {
    let scaling = Scaling::new(3, |_| {}).await;
    scaling.marked().await;
    scaling.lab.cluster.faults().fail_marks(true);
    scaling.scale();
    let told = scaling.says("not_marked").await;
    assert!(told.contains("is not marked yet as what it is"), "{told}");
    scaling.decides(2).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (3, 0));
    scaling.lab.cluster.faults().fail_marks(false);
    scaling.to_have(1).await;
    scaling.has(1).await;
}

#[tokio::test]
async fn while_a_rollout_goes_on_nothing_goes() {
    let scaling = Scaling::new(3, |_| {}).await;
    eventually("it is settled", PATIENCE, async || {
        let status = scaling.deployments().get("wine").await.unwrap().status?;
        (status.replicas == Some(3)).then_some(())
    })
    .await;
    scaling.controller.hold();
    scaling.tell_status(serde_json::json!({"updatedReplicas": 1})).await;
    scaling.scale();
    let told = scaling.says("rolling_out").await;
    assert!(told.ends_with("1 of its 3 pods are of its newest template"), "{told}");
    scaling.decides(2).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (3, 0));
    scaling.controller.go_on();
    scaling.to_have(1).await;
}

#[tokio::test]
async fn when_a_hand_changes_the_workload_in_between_it_is_looked_at_anew() {
    let scaling = Scaling::new(3, |_| {}).await;
    scaling.lab.cluster.faults().change_before();
    scaling.scale();
    let conflict = |fields: &std::collections::BTreeMap<String, String>| {
        fields["kind"] == "type.scaled" && fields["reason"] == "conflict"
    };
    eventually("it is told", PATIENCE, async || scaling.events().iter().any(conflict).then_some(())).await;
    scaling.to_have(1).await;
    scaling.has(1).await;
    assert_eq!(scaling.resized(), 2);
}

#[tokio::test]
async fn a_resize_whose_answer_is_lost_is_not_done_twice() {
    let scaling = Scaling::new(4, |settings| settings.min = 2).await;
    scaling.lab.cluster.faults().lose_answer();
    scaling.scale();
    // While the controller does nothing the pods are there, and are still to go.
    eventually("it is resized", PATIENCE, async || (scaling.replicas().await == 2).then(|| scaling.controller.hold()))
        .await;
    scaling.decides(3).await;
    assert_eq!(scaling.replicas().await, 2);
    scaling.controller.go_on();
    scaling.has(2).await;
    scaling.decides(2).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (2, 1));
}

#[tokio::test]
async fn what_is_leaving_when_demand_rises_is_replaced_and_the_pool_stays_as_large() {
    let scaling = Scaling::new(3, |_| {}).await;
    scaling.marked().await;
    scaling.lab.cluster.faults().fail_marks(true);
    scaling.scale();
    scaling.says("not_marked").await;
    let before = scaling.lab.cluster.names().await;
    let asked = [scaling.asked().await, scaling.asked().await, scaling.asked().await];
    let mut served = Vec::new();
    for session in &asked {
        served.push(scaling.served(session).await);
    }
    let new = served.iter().filter(|session| !before.iter().any(|name| name == pod_of(session))).count();
    assert_eq!((new, scaling.replicas().await, scaling.resized()), (2, 3, 0));
}

#[tokio::test]
async fn what_the_controller_spares_for_an_unready_one_goes_as_well() {
    let scaling = Scaling::new(4, |settings| settings.min = 2).await;
    scaling.marked().await;
    scaling.lab.cluster.faults().fail_marks(true);
    scaling.scale();
    scaling.says("not_marked").await;
    let (all, _) = scaling.lab.store.containers(&scaling.lab.wine, false, "", 100).await.unwrap();
    let stays = all.iter().find(|one| one.pool_state == PoolState::Available && !one.cordoned).expect("one that stays");
    let stays = stays.name.split_once('/').unwrap().1.to_owned();
    scaling.is_ready(&stays, false).await;
    scaling.lab.cluster.faults().fail_marks(false);
    // The controller takes the unready one and one of the two that are leaving.
    eventually("it is gone", PATIENCE, async || scaling.lab.cluster.pod(&stays).await.is_none().then_some(())).await;
    scaling.has(2).await;
    scaling.to_have(2).await;
    scaling.decides(2).await;
    assert_eq!(scaling.has(2).await.len(), 2);
}

#[tokio::test]
async fn what_a_scaler_took_out_of_the_pool_before_it_died_another_one_lets_go() {
    let scaling = Scaling::new(3, |_| {}).await;
    scaling.marked().await;
    scaling.lab.cluster.faults().fail_marks(true);
    let first = scaling.scaler.child_token();
    scaling.scale_as("second", &first);
    scaling.says("not_marked").await;
    first.cancel();
    scaling.scale_as("third", &scaling.scaler);
    scaling.lab.cluster.faults().fail_marks(false);
    scaling.to_have(1).await;
    scaling.has(1).await;
    let taken = scaling.events().iter().filter(|fields| fields["kind"] == "container.taken_away").count();
    assert_eq!((taken, scaling.resized()), (2, 1));
}

#[tokio::test]
async fn after_a_loss_of_redis_nothing_goes_while_it_is_not_known_which_pods_sessions_have() {
    let scaling = Scaling::new(3, |_| {}).await;
    scaling.marked().await;
    scaling.lab.cluster.faults().fail_marks(true);
    scaling.scale();
    scaling.says("not_marked").await;
    // All pods that were to leave are idle again, and are marked as leaving no more when the recovery is over.
    redis::cmd("FLUSHALL").query::<()>(&mut scaling.lab.redis.conn()).unwrap();
    scaling.lab.cluster.faults().fail_marks(false);
    scaling.says("recovering").await;
    scaling.decides(3).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (3, 0));
}

#[tokio::test]
async fn a_pod_that_is_ending_while_another_one_takes_its_place_is_not_one_too_many() {
    let cluster = Cluster::stub().await;
    let scaling = Scaling::with(cluster, "deployment", 2, |settings| settings.min = 2, ResetKind::Auto).await;
    scaling.lab.recycle();
    scaling.scale();
    scaling.controller.end_slowly(true);
    let session = scaling.session_on(&scaling.lab.cluster.names().await[0]).await;
    scaling.lab.release(&session).await;
    eventually("there are three", PATIENCE, async || (scaling.lab.cluster.names().await.len() == 3).then_some(()))
        .await;
    // Longer than the calm.
    scaling.decides(4).await;
    scaling.controller.end_slowly(false);
    scaling.has(2).await;
    let taken = scaling.events().iter().filter(|fields| fields["kind"] == "container.taken_away").count();
    assert_eq!((taken, scaling.resized()), (0, 0));
}

impl Scaling {
    /// Waits until each pod is marked as what it is.
    async fn marked(&self) {
        eventually("all are marked", PATIENCE, async || {
            let pods = self.lab.cluster.pods().list(&kube::api::ListParams::default()).await.unwrap();
            let cost = "controller.kubernetes.io/pod-deletion-cost";
            let (all, _) = self.lab.store.containers(&self.lab.wine, false, "", 100).await.unwrap();
            let leased = |id: &str| all.iter().any(|one| one.id.as_str() == id && one.allocated_to.is_some());
            let marked = |pod: &k8s_openapi::api::core::v1::Pod| {
                let expected = if leased(pod.metadata.uid.as_deref().unwrap()) { "1000" } else { "-1000" };
                pod.metadata.annotations.as_ref().and_then(|all| all.get(cost)).is_some_and(|cost| cost == expected)
            };
            pods.items.iter().all(marked).then_some(())
        })
        .await;
    }
}
