//! Containers that an operator takes out, on the real engine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use leasehold::{
    model::{EndReason, EngineState, OwnerName, PoolState, SessionId, TargetType},
    store::{Allocated, Allocation, Released, Store},
};

use super::{Bench, PATIENCE, container_id};
use crate::common::eventually;

const BY: &str = "ops/laptop";

#[tokio::test]
async fn a_cordon_outlives_restarts_and_takeovers_and_what_is_made_anew_is_another() {
    let bench = Bench::discovering(|_| {}).await;
    let target = || bench.engine.target(bench.engine.run());
    let id = bench.engine.start(target()).await;
    bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
    bench.store.cordon(&bench.target_type(), &container_id(&id), BY).await.unwrap().expect("it is there");
    bench.engine.stop(&id).await;
    bench.container_that("stopped", &id, |c| c.state == EngineState::Exited && c.cordoned).await;
    bench.engine.restart(&id).await;
    bench.container_that("running again", &id, |c| c.state == EngineState::Running && c.cordoned).await;
    let second = bench.discover("second");
    bench.look().await;
    assert!(bench.container(&bench.target_type(), &id).await.unwrap().cordoned);
    assert!(matches!(bench.allocated().await, Allocated::Shortage(None)));

    bench.engine.remove(&id).await;
    let anew = bench.engine.start(target()).await;
    bench.container_that("available", &anew, |c| c.pool_state == PoolState::Available && !c.cordoned).await;
    second.end().await;
}

/// Takes containers and gives them back, until told to stop. None of its sessions may end otherwise.
async fn borrow(store: Store, target_type: TargetType, stop: Arc<AtomicBool>, served: Arc<AtomicUsize>) {
    let owner: OwnerName = "tester".parse().unwrap();
    while !stop.load(Ordering::Relaxed) {
        let id = SessionId::new(&target_type);
        let new = Allocation::new(id, &owner, Duration::from_mins(1));
        let made = store.allocate(&target_type, &new).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        if !matches!(made, Allocated::Ready(_)) {
            continue;
        }
        match store.release(&target_type, id, None, None, EndReason::Released).await.unwrap() {
            Released::Ended(session) => {
                assert_eq!(session.end_reason, Some(EndReason::Released), "it lost its container");
            }
            other => panic!("{other:?}"),
        }
        served.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pain_drained_node_still_gets_sessions_what_is_drained_under_load_can_be_removed_and_nobody_notices() {
    let bench = Bench::discovering(|_| {}).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = bench.engine.start(bench.engine.target(bench.engine.run())).await;
        bench.container_that("available", &id, |c| c.pool_state == PoolState::Available).await;
        ids.push(id);
    }
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..6)
        .map(|_| tokio::spawn(borrow(bench.store.for_worker(), bench.target_type(), stop.clone(), served.clone())))
        .collect();
    let busy = async || {
        let before = served.load(Ordering::Relaxed);
        let more = async || (served.load(Ordering::Relaxed) > before + 20).then_some(());
        eventually("sessions go on", PATIENCE, more).await;
    };
    busy().await;
    for id in &ids[..2] {
        let deadline = Duration::from_mins(1);
        bench.store.drain(&bench.target_type(), &container_id(id), BY, deadline, false).await.unwrap().unwrap();
        bench.container_that("drained", id, |c| c.cordoned && c.drain.is_none() && c.allocated_to.is_none()).await;
        bench.engine.remove(id).await;
        bench.gone(id).await;
        busy().await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client that lost nothing");
    }
}
