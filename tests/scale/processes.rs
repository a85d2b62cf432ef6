//! A whole replica that is killed while it scales: another one goes on, with no container too many and none too few.

use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{
    docker::Engine,
    eventually,
    http::Http,
    redis::Redis,
    replica::{Replica, Settings},
};

const MAX: usize = 4;
/// Longer than the claim of a dead scaler, and than what it left half made is waited for.
const PATIENCE: Duration = Duration::from_mins(4);

fn replica(redis: &Redis, engine: &Engine) -> Replica {
    let (label, run) = (engine.label(), engine.run());
    let toml = format!(
        "[discovery]\nlabel = {label:?}\ncompose_services = false\nguide_label = \"{label}.guide\"\nlock = \"1s\"\n\
         [health]\nkind = \"none\"\n[reset]\nkind = \"none\"\n[[provider]]\nname = \"engine\"\nkind = \"docker\"\n\
         [types.{run}.scale]\nmin_idle = 0\nmin = 1\nmax = {MAX}\nup_pause = \"1s\"\ncalm = \"3s\"\n",
    );
    Replica::start(&redis.url(), &Settings::toml(toml))
}

/// A place in line that is waited in until a container is there.
async fn served(http: &Http, engine: &Engine) -> Value {
    let body = json!({ "target_type": engine.run(), "on_shortage": "queue", "ttl_seconds": 600 });
    let made = http.post("/sessions", body).await.body;
    let id = made["id"].as_str().expect("an id");
    let path = format!("/sessions/{id}?wait_seconds=5");
    let session = eventually("it is served", PATIENCE, async || {
        let session = http.get(&path).await.expect(200).body;
        (session["state"] == "ready").then_some(session)
    })
    .await;
    http.post(&format!("/sessions/{id}/heartbeat"), json!({})).await.expect(200);
    session
}

#[tokio::test]
async fn a_scaler_that_is_killed_while_it_adds_is_followed_by_another_and_none_is_too_many_or_left() {
    let (engine, redis) = (Engine::new().await, Redis::start());
    let mut first = replica(&redis, &engine);
    let own = engine.start(engine.target(engine.run())).await;
    let key = format!("test:{{{}}}:scale", engine.run());
    let scaler = || -> Option<String> { redis::cmd("HGET").arg(&key).arg("by").query(&mut redis.conn()).unwrap() };
    let by = eventually("it scales", PATIENCE, async || scaler()).await;
    let second = replica(&redis, &engine);
    let http = second.http();
    let wants_all = async {
        tokio::join!(served(&http, &engine), served(&http, &engine), served(&http, &engine), served(&http, &engine))
    };
    let kill = async {
        eventually("it adds", PATIENCE, async || (engine.containers().await.len() > 1).then_some(())).await;
        first.kill();
    };
    let ((one, two, three, four), ()) = tokio::join!(wants_all, kill);
    assert_eq!(engine.containers().await.len(), MAX);
    let used: std::collections::BTreeSet<_> =
        [&one, &two, &three, &four].map(|session| session["container"]["id"].to_string()).into();
    assert_eq!(used.len(), MAX, "two have the same one");

    for session in [&two, &three, &four] {
        http.delete(&format!("/sessions/{}", session["id"].as_str().unwrap())).await.expect(200);
    }
    // What was there by itself stays, and what a session has.
    let kept = one["container"]["id"].as_str().unwrap();
    let left = if kept == own { 1 } else { 2 };
    eventually("the others are gone", PATIENCE, async || (engine.containers().await.len() == left).then_some(())).await;
    assert_eq!(engine.inspect(kept).await.state.unwrap().running, Some(true));
    assert_eq!(engine.inspect(&own).await.state.unwrap().running, Some(true));
    assert_ne!(scaler(), Some(by), "the dead one scales");
}
