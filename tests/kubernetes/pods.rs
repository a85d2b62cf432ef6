//! What happens to pods, and what becomes of it in the registry. Each of these runs against any cluster.

use leasehold::{
    model::{EndReason, EngineHealth, EngineState, PoolState, Reason},
    store::Allocated,
};
use serde_json::json;

use super::{Lab, wine};

#[tokio::test]
async fn a_pod_appears_becomes_ready_and_is_given_out_at_its_own_address_by_the_names_of_its_ports() {
    let lab = Lab::new().await;
    let id = lab.cluster.create_pod("wine-0", wine()).await;
    let made = lab.becomes("found", &id, |_| true).await;
    assert_eq!((made.state, made.pool_state), (EngineState::Created, PoolState::Initializing));
    assert_eq!(made.name, format!("{}/wine-0", lab.cluster.namespace));

    lab.cluster.runs("wine-0", "10.1.2.3", "first", "False").await;
    let starting = lab.becomes("it runs", &id, |one| one.state == EngineState::Running).await;
    assert_eq!((starting.pool_state, starting.health.engine), (PoolState::Initializing, EngineHealth::Starting));
    assert!(matches!(lab.allocated().await, Allocated::Shortage(None)), "given out before it was ready");

    lab.cluster.runs("wine-0", "10.1.2.3", "first", "True").await;
    lab.available(&id).await;
    let given = lab.session().await.container.unwrap();
    assert_eq!((given.id.as_str(), given.ip_address.as_deref()), (id.as_str(), Some("10.1.2.3")));
    assert_eq!(given.endpoints["vnc"].address.as_deref(), Some("10.1.2.3:5901"));
    assert_eq!(given.endpoints["novnc"].internal.as_deref(), Some("10.1.2.3:6080"));
    assert_eq!((given.ports["5901"], given.labels["leasehold.type"].as_str()), (5901, "wine"));
    lab.clean_up().await;
}

#[tokio::test]
async fn a_deleted_pod_is_given_out_no_more_and_its_session_goes_on_until_it_is_gone() {
    let lab = Lab::new().await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.delete("wine-0").await;
    let ending = lab.becomes("its end is noticed", &id, |one| one.state == EngineState::Terminating).await;
    assert_eq!((ending.pool_state, lab.end_of(&session).await), (PoolState::Allocated, None));
    assert_eq!(ending.endpoints["vnc"].address.as_deref(), Some("10.1.2.3:5901"));

    lab.release(&session).await;
    assert!(matches!(lab.allocated().await, Allocated::Shortage(None)), "given out while it ends");
    let (_, told) = lab.store.explain(&lab.wine, 10).await.unwrap();
    assert_eq!(told.iter().map(|(reason, _)| *reason).collect::<Vec<_>>(), [Reason::Terminating]);

    let other = lab.cluster.ready_pod("wine-1", "10.1.2.4").await;
    lab.available(&other).await;
    let session = lab.session().await;
    lab.cluster.delete("wine-1").await;
    lab.becomes("its end is noticed", &other, |one| one.state == EngineState::Terminating).await;
    lab.cluster.confirm_deleted("wine-1").await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.clean_up().await;
}

#[tokio::test]
async fn an_evicted_pod_ends_its_session() {
    let lab = Lab::new().await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.patch_status("wine-0", json!({"phase": "Failed", "reason": "Evicted"})).await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.gone(&id).await;
    lab.clean_up().await;
}

#[tokio::test]
async fn a_pod_whose_node_is_silent_is_unhealthy_and_its_session_ends_when_it_is_deleted() {
    let lab = Lab::new().await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.runs("wine-0", "10.1.2.3", "first", "Unknown").await;
    lab.becomes("it is unhealthy", &id, |one| one.health.engine == EngineHealth::Unhealthy).await;
    assert_eq!(lab.end_of(&session).await, None);
    // The taint manager does this after five minutes; no kubelet will confirm it.
    lab.cluster.delete("wine-0").await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.gone(&id).await;
    lab.clean_up().await;
}

#[tokio::test]
async fn only_pods_with_a_label_take_part_and_those_of_the_guides_system_do() {
    let lab = Lab::new().await;
    let out = [
        lab.cluster.create_pod("plain", json!({"app": "wine"})).await,
        lab.cluster
            .create_pod("fixed", json!({"legacy-use.target-type": "wine", "legacy-use.scalable": "false"}))
            .await,
        lab.cluster.create_pod("wrong", json!({"leasehold.type": "Wine_11"})).await,
    ];
    let guide = lab.cluster.create_pod("guide", json!({"legacy-use.target-type": "wine"})).await;
    let both =
        lab.cluster.create_pod("both", json!({"legacy-use.target-type": "linux", "leasehold.type": "wine"})).await;
    for id in [&guide, &both] {
        lab.becomes("it takes part", id, |_| true).await;
    }
    lab.look().await;
    for id in &out {
        assert!(lab.container(id).await.is_none());
    }
    assert_eq!(lab.store.counts(&lab.wine).await.unwrap().containers, 2);
    lab.clean_up().await;
}

#[tokio::test]
async fn another_pod_under_the_same_name_is_another_container() {
    let lab = Lab::new().await;
    let first = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&first).await;
    let session = lab.session().await;
    lab.cluster.confirm_deleted("wine-0").await;
    let second = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    assert_ne!(first, second);
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.available(&second).await;
    assert!(lab.container(&first).await.is_none());
    lab.clean_up().await;
}

#[tokio::test]
async fn a_process_that_begins_anew_in_its_pod_ends_the_session() {
    let lab = Lab::new().await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.runs("wine-0", "10.1.2.3", "first", "False").await;
    lab.cluster.runs("wine-0", "10.1.2.3", "first", "True").await;
    lab.look().await;
    assert_eq!(lab.end_of(&session).await, None, "it was not ready for a while, and that is all");
    lab.cluster.runs("wine-0", "10.1.2.3", "second", "True").await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
    lab.available(&id).await;
    lab.clean_up().await;
}

#[tokio::test]
async fn what_was_there_before_the_discoverer_is_found_in_all_namespaces() {
    use leasehold::config::ProviderConfig;

    let cluster = super::Cluster::any().await;
    let id = cluster.ready_pod("wine-0", "10.1.2.3").await;
    let everywhere = |config: &mut leasehold::config::Config| {
        let ProviderConfig::Kubernetes(lab) = &mut config.provider[0] else { unreachable!() };
        lab.namespaces = vec!["*".to_owned()];
    };
    let lab = Lab::on(cluster, everywhere).await;
    lab.available(&id).await;
    let clock = lab.provider.clock().await.expect("the API server tells its time");
    let created: jiff::Timestamp = lab.container(&id).await.unwrap().created_at.unwrap().parse().unwrap();
    let age = clock.duration_since(created);
    assert!((0..60).contains(&age.as_secs()), "{age:?}");
    lab.clean_up().await;
}
