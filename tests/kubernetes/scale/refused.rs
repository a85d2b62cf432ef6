//! What cannot be scaled, and says so.

use leasehold::config::{Config, ProviderConfig, TypeConfig};
use serde_json::json;

use super::{Scaling, read_type, settings};
use crate::kubernetes::{Lab, cluster::Cluster, controller::Controller, wine};

#[tokio::test]
async fn a_right_that_is_missing_is_named_and_nothing_is_taken_out_of_the_pool() {
    let cluster = Cluster::stub().await;
    cluster.faults().deny("patch", "deployments.apps/scale");
    let scaling = Scaling::on(cluster, "deployment", 3, |_| {}).await;
    let namespace = &scaling.lab.cluster.namespace;
    let right = format!("the right to patch deployments.apps/scale in namespace {namespace} is missing");
    assert_eq!(scaling.lab.provider.missing_rights(), [format!("{right}: no pool of a Deployment follows demand")]);
    scaling.scale();
    assert_eq!(scaling.says("no_right").await, right);
    scaling.has(3).await;
}

#[tokio::test]
async fn a_right_that_is_taken_away_meanwhile_is_named() {
    let scaling = Scaling::new(3, |_| {}).await;
    scaling.scale();
    scaling.to_have(1).await;
    scaling.lab.cluster.faults().deny("get", "deployments.apps");
    scaling.asked().await;
    scaling.asked().await;
    let told = scaling.says("no_right").await;
    assert!(told.starts_with("the right to get deployments.apps in namespace"), "{told}");
}

#[tokio::test]
async fn a_pod_that_belongs_to_nothing_or_to_something_else_says_what_would_be_right() {
    let scaled = |config: &mut Config| {
        let scale = leasehold::config::ScaleConfig { min: 3, ..settings() };
        config.types.insert(read_type(), TypeConfig { scale: Some(scale), ..TypeConfig::default() });
    };
    for (owner, told) in [
        (None, "pod {} belongs to nothing: what is scaled is a Deployment or a StatefulSet"),
        (Some("DaemonSet"), "pod {} belongs to a DaemonSet: what is scaled is a Deployment or a StatefulSet"),
        (
            Some("ReplicaSet"),
            "the ReplicaSet wine belongs to no Deployment: what is scaled is a Deployment or a StatefulSet",
        ),
    ] {
        let lab = Lab::on(Cluster::any().await, scaled).await;
        let owned = |pod: &mut serde_json::Value| {
            if let Some(kind) = owner {
                pod["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": kind, "name": "wine",
                    "uid": "6a0a4d0e-6f0f-4a5e-9d55-0d4a6f1f2b11", "controller": true}]);
            }
        };
        let id = lab.cluster.create_pod_with("alone", wine(), owned).await;
        lab.cluster.runs("alone", "10.1.2.3", "first", "True").await;
        lab.available(&id).await;
        let controller = Controller::start(&lab.cluster).await;
        let scaling = Scaling { lab, controller, scaler: tokio_util::sync::CancellationToken::new() };
        scaling.scale();
        let expected = told.replace("{}", &format!("{}/alone", scaling.lab.cluster.namespace));
        assert_eq!(scaling.says("no_workload").await, expected);
    }
}

#[tokio::test]
async fn a_workload_of_another_type_is_left_alone() {
    let scaling = Scaling::new(2, |settings| settings.template = Some("other".to_owned())).await;
    let other = crate::kubernetes::controller::workload("other", 2, &json!({"leasehold.type": "linux"}));
    let other = crate::kubernetes::cluster::read_as(other);
    scaling.deployments().create(&kube::api::PostParams::default(), &other).await.unwrap();
    scaling.scale();
    let told = scaling.says("no_workload").await;
    let named = format!("deployment {}/other", scaling.lab.cluster.namespace);
    assert_eq!(told, format!("the template of {named} makes no pods of type wine"));
}

#[tokio::test]
async fn where_pods_are_not_marked_a_deployment_never_gets_smaller() {
    let cluster = Cluster::stub().await;
    let scaling = Scaling::on(cluster, "deployment", 3, |_| {}).await;
    let mut config = (*scaling.lab.config).clone();
    let ProviderConfig::Kubernetes(lab) = &mut config.provider[0] else { unreachable!() };
    lab.mark_pods = false;
    let provider = leasehold::provider::from_config(&config).expect("a good provider");
    let (store, metrics) = (scaling.lab.store.for_worker(), std::sync::Arc::default());
    tokio::spawn(leasehold::scale::run(store, provider, metrics, "second".to_owned(), scaling.scaler.clone()));
    let told = scaling.says("not_marked").await;
    assert!(told.ends_with("pods are not marked: `mark_pods` of its provider is off"), "{told}");
    scaling.has(3).await;
}
