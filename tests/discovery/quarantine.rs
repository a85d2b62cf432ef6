//! A container of the real engine that flaps.

use leasehold::{
    model::{EngineState, PoolState},
    store::Allocated,
};

use super::{Bench, container_id};

#[tokio::test]
async fn pain_a_flapping_container_is_given_out_again_and_again_it_rests_and_so_does_what_takes_its_name() {
    let bench = Bench::discovering(|_| {}).await;
    let run = bench.engine.run();
    let well = bench.engine.start(bench.engine.target(run)).await;
    let name = format!("leasehold-test-{run}-flaps");
    let ends_soon = bench.engine.target(run).named(&name).command(&["/bin/sleep", "0.5"]).restarting();
    let flaps = bench.engine.start(ends_soon).await;
    bench.container_that("the other one is found", &well, |c| c.pool_state == PoolState::Available).await;
    let resting = bench.container_that("it rests", &flaps, |c| c.quarantine.is_some()).await;
    let quarantine = resting.quarantine.unwrap();
    assert_eq!(quarantine.times, 1);
    assert!(["exited", "restarted"].contains(&quarantine.reason.as_str()), "{quarantine:?}");
    let session = bench.session().await;
    assert_eq!(session.container.unwrap().id.as_str(), well);
    assert!(matches!(bench.allocated().await, Allocated::Shortage(None)), "it is not given out while it rests");

    bench.engine.remove(&flaps).await;
    bench.gone(&flaps).await;
    let again = bench.engine.start(bench.engine.target(run).named(&name)).await;
    let found = bench.container_that("it is found", &again, |c| c.state == EngineState::Running).await;
    assert_eq!((found.pool_state, found.quarantine.map(|rest| rest.times)), (PoolState::Unhealthy, Some(1)));
    assert!(matches!(bench.allocated().await, Allocated::Shortage(None)), "nor is what took its name");

    let target_type = bench.target_type();
    let lifted = bench.store.lift_quarantine(&target_type, &container_id(&again), "ops/key").await.unwrap().unwrap();
    assert_eq!((lifted.pool_state, lifted.quarantine), (PoolState::Available, None));
    assert_eq!(bench.session().await.container.unwrap().id.as_str(), again);
}
