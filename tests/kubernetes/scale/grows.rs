//! A workload is told to have more.

use leasehold::{model::PoolState, store::Allocated};

use super::Scaling;

#[tokio::test]
async fn a_deployment_grows_with_demand_up_to_the_most_and_shrinks_again_and_no_session_loses_its_pod() {
    let scaling = Scaling::anywhere(1, |_| {}).await;
    let mut asked = Vec::new();
    for _ in 0..7 {
        asked.push(scaling.asked().await);
    }
    scaling.scale();
    let mut served = Vec::new();
    for session in &asked[..6] {
        served.push(scaling.served(session).await);
    }
    scaling.says("at_max").await;
    assert_eq!(scaling.replicas().await, 6);
    scaling.lab.release(&served[0]).await;
    served.push(scaling.served(&asked[6]).await);
    let (kept, gone) = served[1..].split_at(2);
    for session in gone {
        scaling.lab.release(session).await;
    }
    scaling.to_have(2).await;
    scaling.has(2).await;
    for session in kept {
        scaling.is_kept(session).await;
        scaling.lab.release(session).await;
    }
    scaling.to_have(1).await;
    scaling.has(1).await;
    let events = scaling.events();
    let told: Vec<_> = events.iter().filter(|fields| fields["kind"] == "type.scaled").collect();
    let change = |sign: fn(i64) -> bool| -> i64 {
        told.iter().map(|fields| fields["change"].parse::<i64>().unwrap()).filter(|one| sign(*one)).sum()
    };
    assert_eq!((change(i64::is_positive), change(i64::is_negative)), (5, -5), "it went to and fro: {told:#?}");
    let ends = |fields: &&std::collections::BTreeMap<String, String>| fields["kind"] == "session.ended";
    assert!(events.iter().filter(ends).all(|fields| fields["reason"] == "released"));
}

#[tokio::test]
async fn what_is_not_made_does_not_pile_up() {
    let scaling = Scaling::new(1, |_| {}).await;
    scaling.controller.hold();
    let asked = [scaling.asked().await, scaling.asked().await, scaling.asked().await];
    scaling.scale();
    let told = scaling.says("not_there_yet").await;
    assert_eq!(told, format!("deployment {}/wine is to have 3 pods, and 1 were made", scaling.lab.cluster.namespace));
    scaling.decides(3).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (3, 1));
    scaling.controller.go_on();
    for session in &asked {
        scaling.served(session).await;
    }
    scaling.has(3).await;
    scaling.decides(3).await;
    assert_eq!(scaling.replicas().await, 3);
}

#[tokio::test]
async fn a_pool_of_none_grows_again_by_the_workload_that_was_kept() {
    let scaling = Scaling::new(1, |settings| settings.min = 0).await;
    let session = scaling.session_on(&scaling.lab.cluster.names().await[0]).await;
    scaling.lab.release(&session).await;
    scaling.scale();
    scaling.to_have(0).await;
    scaling.has(0).await;
    let asked = scaling.asked().await;
    scaling.served(&asked).await;
    assert_eq!(scaling.replicas().await, 1);
}

#[tokio::test]
async fn a_workload_that_is_named_grows_from_nothing_that_was_ever_found() {
    let scaling = Scaling::new(0, |settings| settings.template = Some("wine".to_owned())).await;
    assert!(matches!(scaling.lab.allocated().await, Allocated::Shortage(None)));
    scaling.scale();
    scaling.to_have(1).await;
    scaling.has(1).await;
}

#[tokio::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let scaling = Scaling::new(3, |settings| settings.dry_run = true).await;
    scaling.scale();
    let namespace = &scaling.lab.cluster.namespace;
    let told = scaling.says("calm").await;
    assert_eq!(told, format!("dry run: up to 2 would be taken away from deployment {namespace}/wine"));
    for _ in 0..5 {
        scaling.asked().await;
    }
    let told = scaling.says("demand").await;
    assert_eq!(told, format!("dry run: deployment {namespace}/wine would be told to have 5 instead of 3"));
    scaling.decides(2).await;
    assert_eq!((scaling.replicas().await, scaling.resized()), (3, 0));
    let (all, _) = scaling.lab.store.containers(&scaling.lab.wine, false, "", 100).await.unwrap();
    assert!(all.iter().all(|one| one.pool_state == PoolState::Allocated), "{all:#?}");
}
