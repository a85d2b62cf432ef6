//! Containers are made anew for what they went through: so many sessions, or their age.

use std::time::Duration;

use leasehold::config::{Config, ResetKind};

use super::{Recycled, available};

#[tokio::test]
async fn after_so_many_sessions_a_container_is_made_anew_whatever_its_reset_is() {
    let twice = |config: &mut Config| {
        config.reset.kind = ResetKind::None;
        config.reset.max_sessions = Some(2);
    };
    let mut recycled = Recycled::new(twice, |target| target).await;
    let worker = recycled.worker();
    for _ in 0..2 {
        recycled.used().await;
        recycled.becomes("one session is not too many", available).await;
        recycled.used().await;
        recycled.id = recycled.anew().await.id.to_string();
    }
    worker.end().await;
}

#[tokio::test]
async fn pain_nearly_expired_container_is_handed_out_one_that_is_too_old_is_made_anew_but_under_no_session() {
    let young = |config: &mut Config| config.reset.max_age = Some(Duration::from_secs(8));
    let recycled = Recycled::new(young, |target| target).await;
    let session = recycled.bench.session().await;
    let worker = recycled.worker();
    let engine = &recycled.bench.engine;
    let other = engine.start(engine.target(engine.run())).await;
    recycled.bench.container_that("another is idle", &other, available).await;
    recycled.bench.gone(&other).await;
    // Both are as old.
    assert_eq!(recycled.bench.end_of(&session).await, None);
    assert!(recycled.all().await.iter().any(|one| one.id.as_str() == recycled.id), "made anew under its session");
    recycled.give_back(&session).await;
    recycled.bench.gone(&recycled.id).await;
    worker.end().await;
    assert_eq!(recycled.bench.engine.containers().await.len(), 2);
}
