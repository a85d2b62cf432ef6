//! Restarts that an operator asks for.

use leasehold::{
    config::ResetKind,
    model::{EndReason, PoolState},
    store::Restarting,
};

use super::{PATIENCE, Recycled, available, exec};
use crate::common::eventually;

impl Recycled {
    async fn restart(&self, force: bool) -> Restarting {
        let id = self.id.parse().unwrap();
        self.bench.store.restart(&self.bench.target_type(), &id, "ops", force).await.unwrap()
    }
}

#[tokio::test]
async fn an_idle_container_is_restarted_also_where_there_is_no_reset() {
    let recycled = Recycled::new(|config| config.reset.kind = ResetKind::None, |target| target).await;
    let first = recycled.started_at().await;
    for _ in 0..2 {
        let Restarting::Asked(one) = recycled.restart(false).await else { panic!("refused") };
        assert_eq!(one.pool_state, PoolState::Resetting, "it may be given out");
    }
    let worker = recycled.worker();
    recycled.becomes("it is restarted", available).await;
    let second = recycled.started_at().await;
    assert_ne!(second, first);
    // Nobody restarts it again: the next session keeps it.
    let session = recycled.bench.session().await;
    recycled.bench.look().await;
    assert_eq!(recycled.bench.end_of(&session).await, None);
    recycled.give_back(&session).await;
    recycled.becomes("nothing is to be done after it", available).await;
    assert_eq!(recycled.started_at().await, second);
    worker.end().await;
}

#[tokio::test]
async fn a_session_keeps_its_container_unless_force_is_said() {
    let recycled = Recycled::new(exec(&["/usr/bin/test", "-e", "/bin/sleep"]), |target| target).await;
    let first = recycled.started_at().await;
    let session = recycled.bench.session().await;
    assert_eq!(recycled.restart(false).await, Restarting::InUse(session.id.to_string()));
    assert_eq!(recycled.bench.end_of(&session).await, None);
    assert!(matches!(recycled.restart(true).await, Restarting::Asked(_)));
    assert_eq!(recycled.bench.end_of(&session).await, Some(EndReason::Admin));
    let worker = recycled.worker();
    recycled.becomes("it is restarted and clean", available).await;
    assert_ne!(recycled.started_at().await, first);
    worker.end().await;
}

#[tokio::test]
async fn what_rests_since_its_reset_failed_is_restarted_at_once() {
    let recycled = Recycled::new(exec(&["/usr/bin/test", "-e", "/nowhere"]), |target| target).await;
    let first = recycled.started_at().await;
    recycled.used().await;
    let worker = recycled.worker();
    recycled.becomes("its reset fails", |one| one.pool_state == PoolState::Unhealthy).await;
    assert_eq!(recycled.started_at().await, first);
    recycled.restart(false).await;
    eventually("it is restarted", PATIENCE, async || (recycled.started_at().await != first).then_some(())).await;
    // And still not clean.
    recycled.becomes("its reset fails again", |one| one.pool_state == PoolState::Unhealthy).await;
    worker.end().await;
}
