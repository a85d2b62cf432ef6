//! Restarts that an operator asks for, and a replica that dies while it makes a container clean.

use leasehold::{
    config::ResetKind,
    model::{EndReason, PoolState},
    store::Restarting,
};
use serde_json::json;

use super::{PATIENCE, Recycled, available, exec};
use crate::common::{
    docker::Engine,
    eventually,
    redis::Redis,
    replica::{Replica, Settings},
};

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

/// A replica on the engine's containers of this run, which makes them clean in two seconds.
fn replica(redis: &Redis, engine: &Engine) -> Replica {
    let toml = format!(
        "[discovery]\nlabel = {:?}\ncompose_services = false\nguide_label = \"{}.guide\"\nlock = \"1s\"\n[health]\nkind = \"none\"\n\
         [reset]\nkind = \"exec\"\ncommand = [\"/bin/sleep\", \"2\"]\ndeadline = \"4s\"\n\
         [[provider]]\nname = \"engine\"\nkind = \"docker\"\n",
        engine.label(),
        engine.label(),
    );
    Replica::start(&redis.url(), &Settings::toml(toml))
}

#[tokio::test]
async fn the_reset_of_a_replica_that_is_killed_is_made_by_another() {
    let (engine, redis) = (Engine::new().await, Redis::start());
    let mut first = replica(&redis, &engine);
    let id = engine.start(engine.target(engine.run())).await;
    let path = format!("/containers/{id}");
    let state = async |replica: &Replica| replica.http().get(&path).await.body["pool_state"].clone();
    let is = async |what: &str, replica: &Replica, wanted: &str| {
        eventually(what, PATIENCE, async || (state(replica).await == wanted).then_some(())).await;
    };
    is("it is found", &first, "available").await;
    let made = first.http().post("/sessions", json!({ "target_type": engine.run() })).await.expect(201).text_at("/id");
    let refused = first.http().post(&format!("{path}/restart"), json!({})).await;
    refused.problem(409, "container_in_use");
    first.http().delete(&format!("/sessions/{made}")).await.expect(200);
    let key = format!("test:{{{}}}:container:{id}", engine.run());
    let attempt = || -> Option<u64> { redis::cmd("HGET").arg(&key).arg("attempt").query(&mut redis.conn()).unwrap() };
    let began = eventually("the first one is at it", PATIENCE, async || attempt()).await;
    first.kill();
    let second = replica(&redis, &engine);
    assert_eq!(state(&second).await, "resetting");
    eventually("the second one begins anew", PATIENCE, async || attempt().filter(|now| *now != began)).await;
    is("it is clean", &second, "available").await;

    // An operator's restart, by way of the whole program.
    let before = engine.inspect(&id).await.state.unwrap().started_at;
    let shown = second.http().post(&format!("{path}/restart"), json!({ "force": true })).await.expect(200).body;
    assert_eq!(shown["reset"]["state"], "pending");
    is("it was restarted", &second, "available").await;
    assert_ne!(engine.inspect(&id).await.state.unwrap().started_at, before);
}
