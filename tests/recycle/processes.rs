//! Whole replicas that are killed in the middle of it: another one finishes the work.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::PATIENCE;
use crate::common::{
    docker::Engine,
    eventually,
    http::Http,
    redis::Redis,
    replica::{Replica, Settings},
};

const IN_TWO_SECONDS: &str = "kind = \"exec\"\ncommand = [\"/bin/sleep\", \"2\"]\ndeadline = \"4s\"";

/// A replica on the engine's containers of this run, with this reset.
fn replica(redis: &Redis, engine: &Engine, reset: &str) -> Replica {
    let label = engine.label();
    let toml = format!(
        "[discovery]\nlabel = {label:?}\ncompose_services = false\nguide_label = \"{label}.guide\"\nlock = \"1s\"\n\
         [health]\nkind = \"none\"\n[reset]\n{reset}\n[[provider]]\nname = \"engine\"\nkind = \"docker\"\n",
    );
    Replica::start(&redis.url(), &Settings::toml(toml))
}

async fn started(engine: &Engine) -> String {
    engine.start(engine.target(engine.run())).await
}

async fn shown(http: &Http, id: &str) -> Value {
    http.get(&format!("/containers/{id}")).await.body
}

async fn becomes(what: &str, http: &Http, id: &str, like: impl Fn(&Value) -> bool) {
    eventually(what, PATIENCE, async || like(&shown(http, id).await).then_some(())).await;
}

fn is(state: &str) -> impl Fn(&Value) -> bool {
    move |one| one["pool_state"] == state
}

async fn session(http: &Http, engine: &Engine) -> Value {
    http.post("/sessions", json!({ "target_type": engine.run() })).await.expect(201).body
}

#[tokio::test]
async fn the_reset_of_a_replica_that_is_killed_is_made_by_another() {
    let (engine, redis) = (Engine::new().await, Redis::start());
    let mut first = replica(&redis, &engine, IN_TWO_SECONDS);
    let id = started(&engine).await;
    let path = format!("/containers/{id}");
    becomes("it is found", &first.http(), &id, is("available")).await;
    let made = session(&first.http(), &engine).await;
    let refused = first.http().post(&format!("{path}/restart"), json!({})).await;
    refused.problem(409, "container_in_use");
    first.http().delete(&format!("/sessions/{}", made["id"].as_str().unwrap())).await.expect(200);
    let key = format!("test:{{{}}}:container:{id}", engine.run());
    let attempt = || -> Option<u64> { redis::cmd("HGET").arg(&key).arg("attempt").query(&mut redis.conn()).unwrap() };
    let began = eventually("the first one is at it", PATIENCE, async || attempt()).await;
    first.kill();
    let second = replica(&redis, &engine, IN_TWO_SECONDS);
    assert_eq!(shown(&second.http(), &id).await["pool_state"], "resetting");
    eventually("the second one begins anew", PATIENCE, async || attempt().filter(|now| *now != began)).await;
    becomes("it is clean", &second.http(), &id, is("available")).await;

    // An operator's restart, by way of the whole program.
    let before = engine.inspect(&id).await.state.unwrap().started_at;
    let answer = second.http().post(&format!("{path}/restart"), json!({ "force": true })).await.expect(200).body;
    assert_eq!(answer["reset"]["state"], "pending");
    becomes("it was restarted", &second.http(), &id, is("available")).await;
    assert_ne!(engine.inspect(&id).await.state.unwrap().started_at, before);
}

#[tokio::test]
async fn case_39_the_recreate_of_a_replica_that_is_killed_is_finished_by_another() {
    let (engine, redis) = (Engine::new().await, Redis::start());
    let recreate = "kind = \"recreate\"\ndeadline = \"4s\"";
    let mut first = replica(&redis, &engine, recreate);
    let id = started(&engine).await;
    becomes("it is found", &first.http(), &id, is("available")).await;
    let made = session(&first.http(), &engine).await;
    first.http().delete(&format!("/sessions/{}", made["id"].as_str().unwrap())).await.expect(200);
    let begun = || -> bool {
        let key = format!("test:{{{}}}:definition:{id}", engine.run());
        redis::cmd("EXISTS").arg(key).query(&mut redis.conn()).unwrap()
    };
    eventually("what it is made from is kept", PATIENCE, async || begun().then_some(())).await;
    first.kill();
    let second = replica(&redis, &engine, recreate);
    let after = eventually("another is given out", PATIENCE, async || {
        let answer = second.http().post("/sessions", json!({ "target_type": engine.run() })).await;
        (answer.status == 201).then_some(answer.body)
    })
    .await;
    assert_ne!(after["container"]["id"], json!(id));
    assert!(after["lease"]["fencing_token"].as_u64() > made["lease"]["fencing_token"].as_u64());
    eventually("the old one is gone", PATIENCE, async || (engine.containers().await.len() == 1).then_some(())).await;
    assert!(!begun(), "something is kept of it");
}

/// Takes containers and gives them back. None of its sessions may be refused anything, or have the container that is drained.
async fn borrow(
    http: Http,
    target_type: String,
    stop: Arc<AtomicBool>,
    served: Arc<AtomicUsize>,
    drained: Arc<AtomicBool>,
    not: String,
) {
    while !stop.load(Ordering::Relaxed) {
        let was_drained = drained.load(Ordering::Relaxed);
        let answer = http.post("/sessions", json!({ "target_type": target_type, "wait_seconds": 5 })).await.expect(201);
        let (id, container) = (answer.text_at("/id"), answer.text_at("/container/id"));
        assert!(!(was_drained && container == not), "a session on what is drained");
        http.delete(&format!("/sessions/{id}")).await.expect(200);
        served.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_drain_that_was_told_to_a_replica_that_is_killed_ends_under_load_by_force() {
    let (engine, redis) = (Engine::new().await, Redis::start());
    let mut replicas = [(); 2].map(|()| replica(&redis, &engine, "kind = \"none\""));
    let http = replicas[1].http();
    for _ in 0..3 {
        let id = started(&engine).await;
        becomes("it is found", &http, &id, is("available")).await;
    }
    let held = session(&http, &engine).await;
    let (session_id, id) = (held["id"].as_str().unwrap(), held["container"]["id"].as_str().unwrap());
    let [stop, drained] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
    let served = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            borrow(http.clone(), engine.run().to_owned(), stop.clone(), served.clone(), drained.clone(), id.to_owned())
        })
        .map(tokio::spawn)
        .collect();
    let busy = async || {
        let before = served.load(Ordering::Relaxed);
        let more = async || (served.load(Ordering::Relaxed) > before + 20).then_some(());
        eventually("sessions go on", PATIENCE, more).await;
    };
    busy().await;
    let drain = json!({ "deadline_seconds": 2, "force": true });
    replicas[0].http().post(&format!("/containers/{id}/drain"), drain).await.expect(200);
    drained.store(true, Ordering::Relaxed);
    replicas[0].kill();
    becomes("it is drained", &http, id, |one| one["drain"].is_null() && one["session_id"].is_null()).await;
    let ended = http.get(&format!("/sessions/{session_id}")).await.expect(200).body;
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("admin")));
    assert_eq!(shown(&http, id).await["cordoned"], true);
    // The other one discovers now.
    engine.remove(id).await;
    eventually("it is gone", PATIENCE, async || {
        (http.get(&format!("/containers/{id}")).await.status == 404).then_some(())
    })
    .await;
    busy().await;
    stop.store(true, Ordering::Relaxed);
    tokio::time::timeout(Duration::from_secs(20), futures_util::future::join_all(clients))
        .await
        .expect("they stop")
        .into_iter()
        .for_each(|client| client.expect("a client that lost nothing"));
}
