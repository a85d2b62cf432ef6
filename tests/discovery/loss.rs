//! After a loss of Redis: what was started since is nobody's.

use std::time::{Duration, Instant};

use leasehold::{model::PoolState, store::Allocated};

use super::Bench;
use crate::common::{clock::Clock, redis::Redis};

/// Past what a clock may be set forward unnoticed.
const LONG_ENOUGH: Duration = Duration::from_millis(2500);

/// The clock of Redis is off by hours from the engine's, either way.
#[tokio::test]
async fn case_32_after_a_flush_only_what_was_started_since_is_given_out_at_once() {
    for hours in [-5, 5] {
        let clock = Clock::new();
        clock.set(hours * 3600);
        let redis = Redis::unmarked_under(&["--appendonly", "no"], clock.env());
        redis.mark_new();
        let bench = Bench::discovering(|config| {
            config.redis.url = redis.url().into();
            config.recovery.lag = Duration::ZERO;
            config.discovery.lock = Duration::from_secs(1);
        })
        .await;
        let target = || bench.engine.target(bench.engine.run());
        let old = bench.engine.start(target()).await;
        bench.container_that("available", &old, |c| c.pool_state == PoolState::Available).await;

        let _: String = redis::cmd("FLUSHALL").query(&mut redis.conn()).unwrap();
        assert!(matches!(bench.allocated().await, Allocated::Shortage(Some(_))), "no recovery");
        // Time of the pool passes only while somebody asks, as the reaper does.
        let until = Instant::now() + LONG_ENOUGH;
        while Instant::now() < until {
            bench.store.counts(&bench.target_type()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bench.look().await;
        bench.container_that("held", &old, |c| c.held).await;
        assert!(matches!(bench.allocated().await, Allocated::Shortage(Some(_))), "the old one was given out");

        let new = bench.engine.start(target()).await;
        bench.container_that("free", &new, |c| c.pool_state == PoolState::Available).await;
        assert_eq!(bench.session().await.container.unwrap().id.as_str(), new);
        assert!(matches!(bench.allocated().await, Allocated::Shortage(Some(_))), "the old one was given out");

        bench.engine.restart(&old).await;
        bench.container_that("free", &old, |c| c.pool_state == PoolState::Available).await;
        assert_eq!(bench.session().await.container.unwrap().id.as_str(), old);
    }
}
