//! When a viewer sees no more.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::time::Instant;

use super::{Coming, KEY, Lab};

/// The least TTL that there is.
const TTL: u64 = 5;

#[tokio::test]
async fn when_the_lease_ends_all_its_viewers_are_cut_on_every_replica() {
    let lab = Lab::new(2).await;
    let session = lab.session(60).await;
    let pass = lab.pass(&session, json!({"view_only": true})).await;
    let mut views = [lab.driver(&session).await, Coming::with(&pass).sees(lab.replicas[1].address(), &session).await];
    lab.end(&session).await;
    for view in &mut views {
        assert_eq!(view.closed().await, (4001, "the lease is over".to_owned()));
    }
    lab.desktop.saw("nobody is left", |seen| seen.here == 0).await;
}

#[tokio::test]
async fn a_viewer_is_there_as_long_as_the_lease_is_renewed_and_no_longer() {
    let lab = Lab::new(1).await;
    let began = Instant::now();
    let session = lab.session(TTL).await;
    let mut view = lab.driver(&session).await;
    let path = format!("/sessions/{session}/heartbeat");
    let mut renewed = began;
    while began.elapsed() < Duration::from_secs(2 * TTL) {
        lab.http().post(&path, json!({})).await.expect(200);
        renewed = Instant::now();
        view.says(&KEY).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let count = lab.desktop.seen().said.len();
    assert!(count >= 9 * KEY.len(), "{count} bytes came through");
    assert_eq!(view.closed().await.0, 4001);
    assert!(renewed.elapsed() >= Duration::from_secs(TTL - 1), "after {:?}", renewed.elapsed());
    lab.desktop.saw("it is let go", |seen| seen.here == 0).await;
}

#[tokio::test]
async fn while_redis_is_away_a_viewer_is_cut_when_its_lease_may_be_over() {
    let mut lab = Lab::new(1).await;
    let session = lab.session(TTL).await;
    let mut view = lab.driver(&session).await;
    lab.redis.kill();
    assert_eq!(view.closed().await.0, 4001);
    lab.desktop.saw("it is let go", |seen| seen.here == 0).await;
}

#[tokio::test]
async fn a_replica_that_ends_lets_its_viewers_go_to_another_one() {
    let lab = Lab::new(2).await;
    let session = lab.session(60).await;
    let coming = Coming::with(&lab.pass(&session, json!({})).await).named("a-secret-of-the-viewer");
    let mut view = coming.sees(lab.at(), &session).await;
    lab.replicas[0].signal(Signal::SIGTERM);
    assert_eq!(view.closed().await.0, 1012);
    let mut view = coming.sees(lab.replicas[1].address(), &session).await;
    view.says(&KEY).await;
    lab.desktop.saw("the key", |seen| seen.said == KEY).await;
}

#[tokio::test]
async fn a_desktop_that_is_gone_is_told_as_that() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let mut view = lab.driver(&session).await;
    lab.desktop.hang_up();
    assert_eq!(view.closed().await.0, 4002);
}
