//! What an API server does on a bad day, which only the stub can be made to do.

use leasehold::{model::EndReason, provider::LogOptions};

use super::{Lab, PATIENCE, wine};
use crate::common::eventually;
use futures_util::TryStreamExt as _;

#[tokio::test]
async fn what_the_watch_tells_is_not_asked_for_again() {
    let lab = Lab::on_stub(|_| {}).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let calls = lab.cluster.faults().calls();
    assert!(!calls.iter().any(|call| call.contains("/pods/wine-0")), "{calls:?}");
}

#[tokio::test]
async fn after_410_gone_pods_that_were_deleted_meanwhile_are_gone_and_new_ones_found() {
    let lab = Lab::on_stub(|_| {}).await;
    let lost = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    let kept = lab.cluster.ready_pod("wine-1", "10.1.2.4").await;
    lab.available(&lost).await;
    lab.available(&kept).await;
    let sessions = [lab.session().await, lab.session().await];
    let stub = lab.cluster.faults();
    stub.fall_silent();
    lab.cluster.confirm_deleted("wine-0").await;
    let new = lab.cluster.ready_pod("wine-2", "10.1.2.5").await;
    stub.compact();
    stub.speak();
    lab.gone(&lost).await;
    lab.available(&new).await;
    for session in sessions {
        let expected = (session.container.as_ref().unwrap().id.as_str() == lost).then_some(EndReason::ContainerLost);
        assert_eq!(lab.end_of(&session).await, expected);
    }
    assert_eq!(lab.status().await.error, None, "the provider was followed all the time");
}

#[tokio::test]
async fn a_watch_that_breaks_off_in_the_middle_misses_nothing() {
    let lab = Lab::on_stub(|_| {}).await;
    let lost = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&lost).await;
    for round in 1..=3 {
        lab.cluster.faults().cut();
        let name = format!("wine-{round}");
        let id = lab.cluster.ready_pod(&name, "10.1.2.4").await;
        lab.available(&id).await;
        lab.cluster.confirm_deleted(&name).await;
        lab.gone(&id).await;
    }
    lab.cluster.faults().cut();
    lab.cluster.confirm_deleted("wine-0").await;
    lab.gone(&lost).await;
}

#[tokio::test]
async fn a_right_that_is_taken_away_is_named_and_what_is_known_stays() {
    let lab = Lab::on_stub(|_| {}).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let session = lab.session().await;
    lab.cluster.faults().deny("list", "pods");
    assert!(!lab.store.ask_for_look(&lab.name(), std::time::Duration::from_millis(500)).await.unwrap());
    let error = eventually("an error is shown", PATIENCE, async || lab.status().await.error).await;
    let right = format!("the right to list pods in namespace {} is missing", lab.cluster.namespace);
    assert!(error.contains(&right), "{error}");
    assert_eq!(lab.end_of(&session).await, None);
    assert!(lab.container(&id).await.is_some());

    lab.cluster.faults().allow();
    eventually("it is followed again", PATIENCE, async || lab.status().await.error.is_none().then_some(())).await;
    lab.cluster.confirm_deleted("wine-0").await;
    assert_eq!(lab.ended(&session).await, EndReason::ContainerLost);
}

#[tokio::test]
async fn a_missing_right_turns_off_its_feature_alone() {
    let cluster = super::Cluster::stub().await;
    cluster.faults().deny("get", "pods/log");
    cluster.faults().deny("delete", "pods");
    let lab = Lab::on(cluster, |_| {}).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let namespace = &lab.cluster.namespace;
    assert_eq!(
        lab.provider.missing_rights(),
        [
            format!("the right to get pods/log in namespace {namespace} is missing: no logs are read"),
            format!("the right to delete pods in namespace {namespace} is missing: pods are not made anew"),
        ]
    );
    let logs = lab.provider.clone().logs(id.parse().unwrap(), LogOptions::default()).await;
    let error = logs.err().expect("no logs").to_string();
    assert_eq!(error, format!("the right to get pods/log in namespace {namespace} is missing"));
}

#[tokio::test]
async fn a_list_of_many_pages_is_whole_also_when_its_pages_fit_together_no_more() {
    let cluster = super::Cluster::stub().await;
    cluster.faults().page(2);
    for at in 0..7 {
        cluster.create_pod(&format!("wine-{at}"), wine()).await;
    }
    let lab = Lab::on(cluster, |_| {}).await;
    assert_eq!(lab.store.counts(&lab.wine).await.unwrap().containers, 7);
    let pages = lab.cluster.faults().calls().iter().filter(|call| call.contains("continue=")).count();
    assert!(pages >= 3, "{pages} further pages were asked for");
    lab.cluster.faults().expire_page();
    lab.look().await;
    assert_eq!(lab.store.counts(&lab.wine).await.unwrap().containers, 7);
    let first_label = |call: &String| call.contains("labelSelector=leasehold.type") && !call.contains("watch=");
    let last = lab.cluster.faults().calls().into_iter().rfind(first_label).unwrap();
    assert!(!last.contains("limit="), "it was not asked for as a whole: {last}");
}

#[tokio::test]
async fn the_log_of_a_pod_is_read_from_its_end_or_on_and_on() {
    let lab = Lab::on_stub(|_| {}).await;
    let id = lab.cluster.ready_pod("wine-0", "10.1.2.3").await;
    lab.available(&id).await;
    let read = async |follow, tail| {
        let options = LogOptions { follow, tail, since: None };
        let lines = lab.provider.clone().logs(id.parse().unwrap(), options).await.expect("its log");
        let lines: Vec<_> = lines.try_collect().await.expect("whole lines");
        lines.into_iter().map(|line| line.line).collect::<Vec<_>>()
    };
    assert_eq!(read(false, None).await, ["one", "two"]);
    assert_eq!(read(false, Some(1)).await, ["two"]);
    assert_eq!(read(true, Some(1)).await, ["two", "three"]);
    lab.cluster.confirm_deleted("wine-0").await;
    lab.gone(&id).await;
    let gone = lab.provider.clone().logs(id.parse().unwrap(), LogOptions::default()).await;
    assert_eq!(gone.err().expect("no log").to_string(), "the container is gone");
}
