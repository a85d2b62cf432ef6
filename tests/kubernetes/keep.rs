//! What pods are marked with, for those that scale them down. Each of these that takes `Lab::new` runs against any cluster.

use super::{Lab, PATIENCE, wine};
use crate::common::eventually;

/// A pod's deletion cost, and whether it may be evicted.
async fn marks(lab: &Lab, name: &str) -> Option<(String, String)> {
    let annotations = lab.cluster.pod(name).await?.metadata.annotations?;
    let of = |name: &str| annotations.get(name).cloned();
    Some((of("controller.kubernetes.io/pod-deletion-cost")?, of("cluster-autoscaler.kubernetes.io/safe-to-evict")?))
}

async fn marked(lab: &Lab, name: &str, cost: &str, evict: &str) {
    let expected = (cost.to_owned(), evict.to_owned());
    eventually("it is marked", PATIENCE, async || marks(lab, name).await.filter(|marks| *marks == expected).map(drop))
        .await;
}

#[tokio::test]
async fn a_pod_is_marked_as_leased_while_a_session_has_it_and_else_as_idle() {
    let lab = Lab::new().await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    marked(&lab, "wine-0", "-1000", "true").await;
    let session = lab.session().await;
    marked(&lab, "wine-0", "1000", "false").await;
    lab.release(&session).await;
    marked(&lab, "wine-0", "-1000", "true").await;
    lab.clean_up().await;
}

#[tokio::test]
async fn what_is_taken_away_is_marked_to_go_before_what_is_idle() {
    let lab = Lab::new().await;
    let ids = [lab.cluster.ready_pod("wine-0", "10.1.2.3").await, lab.cluster.ready_pod("wine-1", "10.1.2.4").await];
    for id in &ids {
        lab.available(id).await;
    }
    let hold = std::time::Duration::from_mins(1);
    lab.store.plan_scale(&lab.wine, "me", hold).await.unwrap().expect("the claim");
    let one = ids[1].parse().unwrap();
    let taken = lab.store.take_away(&lab.wine, "me", 1, 0, 0, &[one]).await.unwrap();
    assert_eq!(taken.len(), 1);
    marked(&lab, "wine-1", "-2000", "true").await;
    marked(&lab, "wine-0", "-1000", "true").await;
    lab.clean_up().await;
}

#[tokio::test]
async fn a_pod_that_is_marked_is_not_marked_again_and_one_that_somebody_changed_is() {
    let lab = Lab::on_stub(|_| {}).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    marked(&lab, "wine-0", "-1000", "true").await;
    let patches = || lab.cluster.faults().calls().iter().filter(|call| call.starts_with("PATCH")).count();
    let before = patches();
    // Another one that comes later is marked in a round that has seen the first one again.
    let other = lab.cluster.ready_pod("wine-1", "10.1.2.4").await;
    lab.available(&other).await;
    marked(&lab, "wine-1", "-1000", "true").await;
    assert_eq!(patches(), before + 1);
    lab.cluster.annotate("wine-0", "controller.kubernetes.io/pod-deletion-cost", "7").await;
    marked(&lab, "wine-0", "-1000", "true").await;
}

#[tokio::test]
async fn without_the_right_to_patch_nothing_else_is_off_and_it_is_named() {
    let cluster = super::Cluster::stub().await;
    cluster.faults().deny("patch", "pods");
    let lab = Lab::on(cluster, |_| {}).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    lab.session().await;
    let right = format!("the right to patch pods in namespace {} is missing", lab.cluster.namespace);
    let missing = lab.provider.missing_rights();
    assert!(missing.len() == 1 && missing[0].starts_with(&right), "{missing:?}");
    lab.provider.keep(&[(id.parse().unwrap(), leasehold::model::Keep::Leased)]).await.expect("it is passed over");
    assert!(!lab.cluster.faults().calls().iter().any(|call| call.starts_with("PATCH")));
}

#[tokio::test]
async fn a_successor_of_the_same_name_is_not_marked_for_its_predecessor() {
    let lab = Lab::on_stub(|_| {}).await;
    let first = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&first).await;
    marked(&lab, "wine-0", "-1000", "true").await;
    // Nothing tells the provider that another one has the name by now.
    lab.cluster.faults().fall_silent();
    lab.cluster.confirm_deleted("wine-0").await;
    lab.cluster.create_pod("wine-0", wine()).await;
    lab.provider.keep(&[(first.parse().unwrap(), leasehold::model::Keep::Leased)]).await.expect("it is passed over");
    let patched = lab.cluster.faults().calls().iter().filter(|call| call.starts_with("PATCH")).count();
    assert!(patched >= 2, "it was not tried");
    assert_eq!(marks(&lab, "wine-0").await, None);
}
