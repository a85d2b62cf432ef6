//! `[[webhook]]`: order, signatures, failures, and replicas that die.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    PATIENCE, come_and_go, kept,
    receiver::{Manner, Receiver, verify},
    text,
};
use crate::common::{
    eventually,
    redis::Redis,
    replica::{Replica, Settings, farm},
};

const OLD: &str = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk";
const NEW: &str = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3";

fn hook(name: &str, receiver: &Receiver, more: &str) -> String {
    let url = receiver.url();
    format!(
        "[[webhook]]\nname = \"{name}\"\nurl = \"{url}\"\nsecrets = [\"{NEW}\", \"{OLD}\"]\nfirst_pause = \"20ms\"\n\
         longest_pause = \"100ms\"\n{more}\n"
    )
}

async fn start(redis: &Redis, hooks: &str) -> Replica {
    Replica::start_with_available(&redis.url(), &Settings::toml(hooks.to_owned() + &farm("wine", 2)), 2).await
}

/// Waits until all that Redis has was taken, each once and in order.
async fn all_taken(redis: &Redis, receiver: &Receiver) {
    eventually("everything is delivered", PATIENCE, async || {
        let (taken, kept) = (receiver.taken(), kept(redis, "wine"));
        assert!(kept.starts_with(&taken) || taken.len() > kept.len(), "{taken:?} of {kept:?}");
        (taken == kept).then_some(())
    })
    .await;
}

async fn state(replica: &Replica, webhook: usize) -> Value {
    replica.http().get("/webhooks").await.expect(200).body[webhook]["deliveries"][0].clone()
}

#[tokio::test]
async fn a_receiver_that_fails_gets_everything_in_order_and_signed() {
    let redis = Redis::start();
    let receiver = Receiver::start(Manner::Answers(500)).await;
    let replica = start(&redis, &hook("audit", &receiver, "attempts = 100")).await;
    let http = replica.http();
    come_and_go(&http).await;
    eventually("two attempts", PATIENCE, async || (receiver.came().len() >= 2).then_some(())).await;
    let behind = eventually("its state", PATIENCE, async || {
        let state = state(&replica, 0).await;
        (state["attempts"].as_u64() > Some(0)).then_some(state)
    })
    .await;
    assert!(behind["behind"].as_u64().unwrap() >= 3 && behind["error"] == "the answer was 500", "{behind}");
    // A redirect is no success and is not followed.
    receiver.behave(Manner::Answers(307));
    let before = receiver.came().len();
    eventually("another attempt", PATIENCE, async || (receiver.came().len() > before + 1).then_some(())).await;
    receiver.behave(Manner::Takes);
    come_and_go(&http).await;
    all_taken(&redis, &receiver).await;
    for delivery in receiver.came() {
        verify(&delivery, OLD);
        verify(&delivery, NEW);
        assert_eq!(delivery.headers["content-type"], "application/json");
        assert!(!delivery.headers.contains_key("traceparent"), "no traces are configured");
    }
    let metrics = http.get("/metrics").await.expect(200).text;
    for line in [
        "leasehold_webhook_delivery_duration_seconds_count{webhook=\"audit\",outcome=\"failed\"} ",
        "leasehold_webhook_delivery_duration_seconds_count{webhook=\"audit\",outcome=\"delivered\"} ",
        "leasehold_webhook_behind{webhook=\"audit\",target_type=\"wine\"} ",
        "leasehold_webhook_dead_letters{webhook=\"audit\",target_type=\"wine\"} 0\n",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    for secret in [OLD, NEW, "secret-of-the-receiver"] {
        assert!(!replica.log().contains(secret));
        assert!(!http.get("/webhooks").await.text.contains(secret));
    }
}

/// The pause between the first two attempts at a receiver that first behaves so, with pauses from 20 ms to one second.
async fn first_pause(manner: Manner) -> Duration {
    let redis = Redis::start();
    let receiver = Receiver::start(manner).await;
    let hooks = hook("audit", &receiver, "attempts = 100").replace("\"100ms\"", "\"1s\"");
    let _replica = start(&redis, &hooks).await;
    let came = eventually("two attempts", PATIENCE, async || {
        let came = receiver.came();
        (came.len() >= 2).then_some(came)
    })
    .await;
    assert_eq!(came[0].event.id, came[1].event.id);
    receiver.behave(Manner::Takes);
    all_taken(&redis, &receiver).await;
    came[1].at - came[0].at
}

#[tokio::test]
async fn a_receiver_that_says_when_is_left_alone_until_then_and_no_longer_than_any_other() {
    const AGES: &str = "Fri, 06 Nov 2150 08:49:37 GMT";
    let (long, short) = (Duration::from_millis(950), Duration::from_millis(600));
    for manner in [Manner::Later(503, "1"), Manner::Later(429, "86400"), Manner::Later(503, AGES)] {
        let pause = first_pause(manner).await;
        assert!(pause > long, "{manner:?}: {pause:?}");
    }
    // What cannot be read, what has passed, and where it says nothing: as without it.
    for manner in [Manner::Later(503, "soon"), Manner::Later(429, "0"), Manner::Later(500, "86400")] {
        let pause = first_pause(manner).await;
        assert!(pause < short, "{manner:?}: {pause:?}");
    }
}

#[tokio::test]
async fn pain_a_slow_receiver_holds_up_no_other() {
    let redis = Redis::start();
    let (slow, quick) = (Receiver::start(Manner::Hangs).await, Receiver::start(Manner::Takes).await);
    let hooks = hook("slow", &slow, "timeout = \"60s\"") + &hook("quick", &quick, "");
    let replica = start(&redis, &hooks).await;
    for _ in 0..5 {
        come_and_go(&replica.http()).await;
    }
    all_taken(&redis, &quick).await;
    assert_eq!(slow.taken(), [""; 0]);
    assert_eq!(slow.came().len(), 1, "one at a time");
}

#[tokio::test]
async fn what_is_not_taken_is_a_dead_letter_and_can_be_sent_again() {
    let redis = Redis::start();
    let receiver = Receiver::start(Manner::Answers(503)).await;
    let replica =
        start(&redis, &hook("audit", &receiver, "kinds = [\"session.ended\"]\nattempts = 2\ndead_kept = 3")).await;
    let http = replica.http();
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(come_and_go(&http).await);
    }
    let dead = eventually("they are dead", PATIENCE, async || {
        let dead = http.get("/webhooks/audit/dead").await.expect(200).body;
        (dead["letters"][0]["event"]["data"]["session"] == made[3].as_str()).then_some(dead)
    })
    .await;
    assert_eq!((&dead["total"], &dead["letters"][0]["attempts"]), (&json!(3), &json!(2)), "the oldest is not kept");
    assert_eq!(dead["letters"][0]["error"], "the answer was 503");
    assert_eq!(receiver.came().len(), 8, "two attempts each");
    receiver.behave(Manner::Takes);
    let replayed = http.post("/webhooks/audit/replay", json!({})).await.expect(200).body;
    assert_eq!(replayed, json!({"replayed": 3}));
    let last = come_and_go(&http).await;
    made.push(last);
    eventually("all that were kept", PATIENCE, async || (receiver.taken().len() == 4).then_some(())).await;
    let sessions: Vec<_> =
        receiver.came().iter().filter(|one| one.taken).map(|one| text(&one.event, "session").to_owned()).collect();
    assert_eq!(sessions.len(), 4, "{sessions:?}");
    assert!(made[1..].iter().all(|id| sessions.contains(id)), "{sessions:?} of {made:?}");
    let again: Vec<_> = sessions.iter().filter(|id| **id != made[4]).collect();
    assert_eq!(again, made[1..4].iter().collect::<Vec<_>>(), "the oldest first");
    assert_eq!(http.get("/webhooks/audit/dead").await.expect(200).body, json!({"letters": [], "total": 0}));

    http.get("/webhooks/other/dead").await.problem(404, "webhook_not_found");
    http.post("/webhooks/other/replay", json!({})).await.problem(404, "webhook_not_found");
    http.get("/webhooks/audit/dead?limit=0").await.problem(422, "out_of_range");
}

#[tokio::test]
async fn pain_a_replica_killed_during_a_delivery_loses_no_event() {
    let redis = Redis::start();
    let receiver = Receiver::start(Manner::Hangs).await;
    let hooks = hook("audit", &receiver, "timeout = \"60s\"");
    let mut first = start(&redis, &hooks).await;
    // Half way through the first delivery.
    eventually("a delivery is under way", PATIENCE, async || (!receiver.came().is_empty()).then_some(())).await;
    assert!(state(&first, 0).await["replica"].is_string());
    let second = start(&redis, &hooks).await;
    for _ in 0..3 {
        come_and_go(&second.http()).await;
    }
    first.kill();
    receiver.behave(Manner::Takes);
    all_taken(&redis, &receiver).await;
    // And half way through the stream, again and again.
    let mut replicas = vec![second, start(&redis, &hooks).await];
    for _ in 0..2 {
        let http = replicas[1].http();
        for _ in 0..10 {
            come_and_go(&http).await;
        }
        replicas[0].kill();
        replicas.remove(0);
        for _ in 0..10 {
            come_and_go(&http).await;
        }
        all_taken(&redis, &receiver).await;
        replicas.push(start(&redis, &hooks).await);
    }
}

#[tokio::test]
async fn case_26_a_receiver_is_told_of_what_is_gone() {
    let redis = Redis::start();
    let receiver = Receiver::start(Manner::Answers(500)).await;
    let replica = start(&redis, &hook("audit", &receiver, "attempts = 100")).await;
    eventually("an attempt", PATIENCE, async || (!receiver.came().is_empty()).then_some(())).await;
    drop(replica);
    let replica = Replica::start_with_available(&redis.url(), &Settings::toml(farm("wine", 2)), 2).await;
    for _ in 0..3 {
        come_and_go(&replica.http()).await;
    }
    let trim = redis::cmd("XTRIM").arg("test:{wine}:events").arg("MAXLEN").arg(2).query::<i64>(&mut redis.conn());
    trim.unwrap();
    receiver.behave(Manner::Takes);
    let _replica = start(&redis, &hook("audit", &receiver, "attempts = 100")).await;
    let taken = eventually("three", PATIENCE, async || {
        let taken: Vec<_> = receiver.came().into_iter().filter(|one| one.taken).collect();
        (taken.len() >= 3).then_some(taken)
    })
    .await;
    assert_eq!((taken[0].event.kind.as_str(), text(&taken[0].event, "reason")), ("resync", "trimmed"));
    assert_eq!(taken[1].event.kind, "session.ready");
    assert_eq!(taken[2].event.kind, "session.ended");
}

#[tokio::test]
async fn case_26_a_receiver_is_told_of_another_epoch() {
    let redis = Redis::start();
    let receiver = Receiver::start(Manner::Takes).await;
    let replica = start(&redis, &hook("audit", &receiver, "kinds = [\"session.\", \"recovery.\"]")).await;
    come_and_go(&replica.http()).await;
    eventually("the session", PATIENCE, async || (receiver.taken().len() == 2).then_some(())).await;
    let _: String = redis::cmd("FLUSHALL").query(&mut redis.conn()).unwrap();
    let taken = eventually("what follows", PATIENCE, async || {
        let mut taken = receiver.came();
        // How far it was is lost as well: it may come twice.
        taken.dedup_by(|one, before| one.event.id == before.event.id);
        (taken.len() >= 4).then_some(taken)
    })
    .await;
    assert_eq!((taken[2].event.kind.as_str(), text(&taken[2].event, "reason")), ("resync", "epoch"));
    assert_eq!(taken[3].event.kind, "recovery.began");
}

#[tokio::test]
async fn only_replicas_with_the_role_deliver() {
    let redis = Redis::start();
    let receiver = Receiver::start(Manner::Takes).await;
    let settings = Settings::toml(hook("audit", &receiver, "") + &farm("wine", 2));
    let api = Replica::start_with_available(&redis.url(), &settings.clone().roles("api,discovery"), 2).await;
    come_and_go(&api.http()).await;
    assert!(state(&api, 0).await["replica"].is_null());
    assert!(receiver.came().is_empty());
    // The type is young: also what happened before is delivered.
    let _events = Replica::start(&redis.url(), &settings.roles("events"));
    all_taken(&redis, &receiver).await;
}
