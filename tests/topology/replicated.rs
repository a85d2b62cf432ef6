//! Grants that are answered only when a replica has them.

use std::time::Duration;

use serde_json::{Value, json};

use super::settings;
use crate::common::{eventually, http::Http, redis::Redis, replica::Replica};

/// A primary and its replica, in step.
async fn pair() -> (Redis, Redis) {
    let primary = Redis::start();
    let port = primary.address().port().to_string();
    let replica = Redis::unmarked(&["--replicaof", "127.0.0.1", &port]);
    in_step(&primary).await;
    (primary, replica)
}

/// A write is acknowledged: a replica's own word that its link is up comes up to a second before that.
async fn in_step(primary: &Redis) {
    eventually("the replica is in step", Duration::from_secs(20), async || {
        let mut connection = primary.conn();
        let _: String = redis::cmd("SET").arg("in step").arg(1).query(&mut connection).unwrap();
        let reached: u32 = redis::cmd("WAIT").arg(1).arg(100).query(&mut connection).unwrap();
        (reached == 1).then_some(())
    })
    .await;
}

async fn lends(primary: &Redis, containers: usize) -> Replica {
    let settings = settings(containers).env("REDIS__WAIT_REPLICAS", 1).env("REDIS__WAIT_TIMEOUT", "300ms");
    Replica::start_with_available(&primary.url(), &settings, containers as u64).await
}

/// How many sessions of wine a server has.
fn sessions(redis: &Redis) -> (u64, u64) {
    let (live, records): (u64, Vec<String>) = redis::pipe()
        .cmd("ZCARD")
        .arg("test:{wine}:sessions")
        .cmd("KEYS")
        .arg("test:{wine}:session:*")
        .query(&mut redis.conn())
        .unwrap();
    (live, records.len() as u64)
}

/// The session that a create makes as soon as the replica confirms it in time.
async fn granted(http: &Http, body: &Value, key: &str) -> String {
    let made = eventually("a grant", Duration::from_secs(10), async || {
        let answer = http.post_with_key("/sessions", body.clone(), key).await;
        (answer.status != 503).then_some(answer)
    });
    made.await.expect(201).text_at("/id")
}

async fn available(http: &Http) -> Value {
    http.get("/containers/status").await.expect(200).body["available"].clone()
}

#[tokio::test]
async fn a_grant_is_answered_when_a_replica_has_it_and_else_it_never_was() {
    let (primary, replica) = pair().await;
    let leasehold = lends(&primary, 2).await;
    let http = leasehold.http();
    let body = json!({"target_type": "wine"});
    let kept = granted(&http, &body, "kept").await;
    assert_eq!(sessions(&replica), (1, 1));

    replica.pause();
    let refused = http.post_with_key("/sessions", body.clone(), "job").await.problem(503, "not_replicated");
    assert_eq!(refused.header("retry-after"), "1");
    http.post("/sessions", body.clone()).await.problem(503, "not_replicated");
    assert_eq!((sessions(&primary), available(&http).await), ((1, 1), json!(1)));
    // Whoever reads a session that its holder was not heard of yet may hear of the grant for the first time.
    http.get(&format!("/sessions/{kept}")).await.problem(503, "not_replicated");
    // Only grants wait.
    http.post(&format!("/sessions/{kept}/heartbeat"), json!({})).await.expect(200);
    http.get(&format!("/sessions/{kept}")).await.expect(200);
    assert_eq!(sessions(&primary), (1, 1));

    replica.resume();
    let id = granted(&http, &body, "job").await;
    assert_eq!(sessions(&replica), (2, 2));
    http.delete(&format!("/sessions/{id}")).await.expect(200);
    http.delete(&format!("/sessions/{kept}")).await.expect(200);
    assert_eq!(available(&http).await, 2);
}

#[tokio::test]
async fn an_offer_that_no_replica_has_is_taken_back_when_it_is_claimed() {
    let (primary, replica) = pair().await;
    let leasehold = lends(&primary, 1).await;
    let http = leasehold.http();
    let holds = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201).text_at("/id");

    let waits = http.post("/sessions", json!({"target_type": "wine", "wait_seconds": 30}));
    let frees = async {
        eventually("one in line", Duration::from_secs(10), async || {
            (http.get("/containers/status").await.body["by_type"]["wine"]["sessions_queued"] == 1).then_some(())
        })
        .await;
        replica.pause();
        http.delete(&format!("/sessions/{holds}")).await.expect(200);
    };
    let (waited, ()) = tokio::join!(waits, frees);
    waited.problem(503, "not_replicated");
    assert_eq!(available(&http).await, 1);
    replica.resume();
    in_step(&primary).await;

    // By a heartbeat, without a poll before.
    let holds = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201).text_at("/id");
    let queue = json!({"target_type": "wine", "on_shortage": "queue"});
    let ticket = http.post("/sessions", queue.clone()).await.expect(202).text_at("/id");
    replica.pause();
    http.delete(&format!("/sessions/{holds}")).await.expect(200);
    http.post(&format!("/sessions/{ticket}/heartbeat"), json!({})).await.problem(503, "not_replicated");
    http.get(&format!("/sessions/{ticket}")).await.problem(404, "session_not_found");
    assert_eq!(available(&http).await, 1);
    replica.resume();
    in_step(&primary).await;

    let holds = http.post("/sessions", json!({"target_type": "wine"})).await.expect(201).text_at("/id");
    let ticket = http.post("/sessions", queue).await.expect(202).text_at("/id");
    http.delete(&format!("/sessions/{holds}")).await.expect(200);
    http.post(&format!("/sessions/{ticket}/heartbeat"), json!({})).await.expect(200);
    assert_eq!(http.get(&format!("/sessions/{ticket}")).await.expect(200).body["state"], "ready");
}
