//! A StatefulSet removes the pod with the highest number, so it is told to have fewer only while that one leaves.

use super::Scaling;
use crate::kubernetes::cluster::Cluster;

#[tokio::test]
async fn a_stateful_set_waits_for_its_highest_number_and_goes_on_when_that_is_free() {
    let scaling = Scaling::on(Cluster::stub().await, "statefulset", 4, |_| {}).await;
    let (low, high) = (scaling.session_on("wine-1").await, scaling.session_on("wine-3").await);
    scaling.scale();
    let told = scaling.says("ordinal_in_use").await;
    assert_eq!(told, format!("{}/wine-3 has the highest number and stays", scaling.lab.cluster.namespace));
    scaling.decides(2).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (4, 0));
    scaling.has(4).await;
    scaling.lab.release(&high).await;
    scaling.to_have(2).await;
    scaling.has(2).await;
    scaling.is_kept(&low).await;
    scaling.lab.release(&low).await;
    scaling.to_have(1).await;
    assert_eq!(scaling.has(1).await, [format!("{}/wine-0", scaling.lab.cluster.namespace)]);
}

#[tokio::test]
async fn a_stateful_set_grows_with_demand() {
    let scaling = Scaling::on(Cluster::any().await, "statefulset", 1, |_| {}).await;
    let asked = [scaling.asked().await, scaling.asked().await, scaling.asked().await];
    scaling.scale();
    for session in &asked {
        scaling.served(session).await;
    }
    assert_eq!(scaling.replicas().await, 3);
}

#[tokio::test]
async fn a_leased_pod_that_is_not_ready_holds_up_no_stateful_set() {
    let scaling = Scaling::on(Cluster::stub().await, "statefulset", 3, |_| {}).await;
    let session = scaling.session_on("wine-0").await;
    scaling.is_ready("wine-0", false).await;
    scaling.scale();
    scaling.to_have(1).await;
    scaling.is_kept(&session).await;
}
