//! Containers are made clean between two sessions, on the real Docker engine and a real Redis.

mod compose;
mod lost;
mod processes;
mod recreate;
mod restart;
mod webhook;
mod worn;

use std::{sync::Arc, time::Duration};

use leasehold::{
    config::{Config, ResetKind},
    metrics::{Metrics, PoolSizes},
    model::{Container, EndReason, PoolState, ResetState, Session},
    provider, recycle,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    common::{docker::Target, eventually},
    discovery::Bench,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// A bench that discovers, with one container.
struct Recycled {
    bench: Bench,
    id: String,
}

/// A replica that makes containers clean.
struct Worker {
    metrics: Arc<Metrics>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    async fn end(self) {
        self.shutdown.cancel();
        self.task.await.expect("it ends well");
    }

    /// Ends it as SIGKILL does.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

impl Recycled {
    async fn new(change: impl FnOnce(&mut Config), shape: impl FnOnce(Target) -> Target) -> Self {
        let bench = Bench::discovering(|config| {
            config.reset.kind = ResetKind::Auto;
            config.reset.pause = Duration::from_millis(50);
            change(config);
        })
        .await;
        let target = shape(bench.engine.target(bench.engine.run()));
        let id = bench.engine.start(target).await;
        bench.container_that("it is found", &id, |one| one.pool_state == PoolState::Available).await;
        Self { bench, id }
    }

    fn worker(&self) -> Worker {
        self.worker_with(provider::from_config(&self.bench.config).expect("good providers"))
    }

    fn worker_with(&self, providers: Vec<Arc<dyn provider::Provider>>) -> Worker {
        let (shutdown, metrics) = (CancellationToken::new(), Arc::new(Metrics::new()));
        let task = tokio::spawn(recycle::run(
            self.bench.store.for_worker(),
            providers,
            Arc::new(self.bench.config.clone()),
            metrics.clone(),
            shutdown.clone(),
        ));
        Worker { metrics, shutdown, task }
    }

    async fn used(&self) -> Session {
        let session = self.bench.session().await;
        self.give_back(&session).await;
        session
    }

    async fn give_back(&self, session: &Session) {
        let target_type = self.bench.target_type();
        self.bench.store.release(&target_type, session.id, None, None, EndReason::Released).await.unwrap();
    }

    async fn becomes(&self, what: &str, like: impl Fn(&Container) -> bool) -> Container {
        let target_type = self.bench.target_type();
        let look = async || self.bench.container(&target_type, &self.id).await.filter(&like);
        eventually(what, PATIENCE, look).await
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{{{}}}:{name}", self.bench.config.prefix, self.bench.target_type())
    }

    /// The attempt that goes on.
    fn attempt(&self) -> Option<u64> {
        let mut command = redis::cmd("HGET");
        command.arg(self.key(&format!("container:{}", self.id))).arg("attempt");
        command.query(&mut self.bench.redis.conn()).unwrap()
    }

    /// Makes pool time pass.
    fn pass(&self, time: Duration) {
        let mut command = redis::cmd("HINCRBY");
        command.arg(self.key("epoch")).arg("offset").arg(-i64::try_from(time.as_millis()).unwrap());
        let _: i64 = command.query(&mut self.bench.redis.conn()).unwrap();
    }

    async fn started_at(&self) -> String {
        self.bench.engine.inspect(&self.id).await.state.unwrap().started_at.unwrap()
    }
}

fn available(one: &Container) -> bool {
    one.pool_state == PoolState::Available
}

fn exec(command: &[&'static str]) -> impl FnOnce(&mut Config) {
    let command = command.iter().map(|word| (*word).to_owned()).collect();
    move |config| {
        config.reset.kind = ResetKind::Exec;
        config.reset.command = command;
    }
}

#[tokio::test]
async fn by_default_an_engine_restarts_what_a_session_used() {
    let recycled = Recycled::new(|_| {}, |target| target).await;
    let first = recycled.started_at().await;
    let before = recycled.used().await;
    recycled.becomes("nobody has made it clean yet", |one| one.pool_state == PoolState::Resetting).await;
    assert_eq!(recycled.started_at().await, first);
    let worker = recycled.worker();
    recycled.becomes("it is clean", available).await;
    assert_ne!(recycled.started_at().await, first);
    let after = recycled.bench.session().await;
    assert!(after.lease.as_ref().unwrap().fencing_token > before.lease.unwrap().fencing_token);
    // The restart was the worker's own: it ends no session.
    recycled.bench.look().await;
    assert_eq!(recycled.bench.end_of(&after).await, None);
    worker.end().await;
}

#[tokio::test]
async fn a_command_that_ends_with_0_makes_it_clean() {
    let recycled = Recycled::new(exec(&["/usr/bin/test", "-e", "/bin/sleep"]), |target| target).await;
    let first = recycled.started_at().await;
    recycled.used().await;
    let worker = recycled.worker();
    recycled.becomes("it is clean", available).await;
    assert_eq!(recycled.started_at().await, first, "restarted all the same");
    let told = worker.metrics.encode(&PoolSizes::default()).unwrap();
    assert!(told.contains("leasehold_reset_duration_seconds_count{") && told.contains("outcome=\"good\"} 1"), "{told}");
    worker.end().await;
}

#[tokio::test]
async fn a_command_that_fails_leaves_it_unhealthy_with_the_reason() {
    let recycled = Recycled::new(exec(&["/usr/bin/test", "-e", "/nowhere"]), |target| target).await;
    recycled.used().await;
    let worker = recycled.worker();
    let failed = |one: &Container| one.reset.as_ref().is_some_and(|reset| reset.state == ResetState::Failed);
    let one = recycled.becomes("the last attempt fails", failed).await;
    assert_eq!(one.pool_state, PoolState::Unhealthy);
    assert_eq!(one.health.reason.as_deref(), Some("its reset fails: exit code 1"));
    worker.end().await;
}

#[tokio::test]
async fn a_command_that_does_not_end_fails_at_its_deadline() {
    let slow = |config: &mut Config| {
        exec(&["/bin/sleep", "600"])(config);
        config.reset.deadline = Duration::from_secs(1);
        config.reset.attempts = 1;
    };
    let recycled = Recycled::new(slow, |target| target).await;
    recycled.used().await;
    let worker = recycled.worker();
    let one = recycled.becomes("it fails", |one| one.pool_state == PoolState::Unhealthy).await;
    assert_eq!(one.health.reason.as_deref(), Some("its reset fails: not done within 1s"));
    worker.end().await;
}

#[tokio::test]
async fn a_worker_that_is_killed_in_a_reset_is_followed_by_another() {
    let slow = |config: &mut Config| {
        exec(&["/bin/sleep", "2"])(config);
        config.reset.deadline = Duration::from_secs(3);
    };
    let recycled = Recycled::new(slow, |target| target).await;
    recycled.used().await;
    let first = recycled.worker();
    eventually("the first worker is at it", PATIENCE, async || recycled.attempt()).await;
    first.kill().await;
    recycled.pass(Duration::from_secs(10));
    let second = recycled.worker();
    recycled.becomes("the second one makes it clean", available).await;
    second.end().await;
}
