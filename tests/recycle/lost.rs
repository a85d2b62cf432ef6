//! After a loss of Redis: what somebody may have used in the lost writes is made clean, and where that cuts them off, given out early.

use leasehold::{config::ResetKind, model::PoolState, store::Allocated};

use super::{PATIENCE, Recycled, Worker, available, exec};
use crate::common::eventually;

impl Recycled {
    /// Redis forgets everything while a session has the container, which then nobody hears of again.
    async fn lost(&self) {
        self.bench.session().await;
        let _: String = redis::cmd("FLUSHALL").query(&mut self.bench.redis.conn()).unwrap();
        self.bench.look().await;
        self.becomes("it is held", |one| one.held).await;
        self.nothing_is_given_out().await;
    }

    async fn nothing_is_given_out(&self) {
        let outcome = self.bench.allocated().await;
        assert!(matches!(outcome, Allocated::Shortage(Some(_))), "{outcome:?}");
    }

    async fn recovering(&self) -> bool {
        self.bench.store.counts(&self.bench.target_type()).await.unwrap().recovery.is_some()
    }

    /// A replica, with what its reaper does.
    async fn reaped(&self) -> Worker {
        let worker = self.worker();
        self.bench.store.reclaim(&self.bench.target_type()).await.unwrap();
        worker
    }
}

#[tokio::test]
async fn case_32_a_container_that_may_be_held_is_restarted_after_the_grace_and_given_out() {
    let recycled = Recycled::new(|_| {}, |target| target).await;
    let first = recycled.started_at().await;
    recycled.lost().await;
    recycled.pass(recycled.bench.config.recovery.grace);
    let worker = recycled.reaped().await;
    recycled.becomes("it is free", available).await;
    assert_ne!(recycled.started_at().await, first);
    assert!(recycled.recovering().await);
    let session = recycled.bench.session().await;
    assert_eq!(session.container.unwrap().id.as_str(), recycled.id);
    worker.end().await;
}

#[tokio::test]
async fn case_32_a_container_that_may_be_held_is_made_anew_after_the_grace_and_given_out() {
    let recycled = Recycled::new(|config| config.reset.kind = ResetKind::Recreate, |target| target).await;
    recycled.lost().await;
    recycled.pass(recycled.bench.config.recovery.grace);
    let worker = recycled.reaped().await;
    let given = eventually("another is given out", PATIENCE, async || match recycled.bench.allocated().await {
        Allocated::Ready(session) => session.container,
        _ => None,
    })
    .await;
    assert_ne!(given.id.as_str(), recycled.id);
    assert!(recycled.recovering().await);
    worker.end().await;
}

#[tokio::test]
async fn case_32_a_command_cuts_nobody_off_so_it_runs_when_the_recovery_is_over() {
    let recycled = Recycled::new(exec(&["/usr/bin/test", "-e", "/nowhere"]), |target| target).await;
    recycled.lost().await;
    recycled.pass(recycled.bench.config.recovery.grace);
    let worker = recycled.reaped().await;
    recycled.nothing_is_given_out().await;
    assert!(recycled.becomes("it is held still", |one| one.held).await.reset.is_none());
    recycled.pass(recycled.bench.config.longest_lease() + recycled.bench.config.recovery.lag);
    recycled.bench.store.reclaim(&recycled.bench.target_type()).await.unwrap();
    assert!(!recycled.recovering().await);
    // It fails, so it was made.
    recycled.becomes("its reset failed", |one| one.pool_state == PoolState::Unhealthy).await;
    worker.end().await;
}
