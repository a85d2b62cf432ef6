//! Redis away, busy, full, or out of reach of one replica.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{replica, settings};
use crate::common::{eventually, http::Http, redis::Redis, replica::Replica, wire::Wire};

async fn make(http: &Http, ttl: u64) -> (String, u64) {
    let made = http.post("/sessions", json!({"target_type": "wine", "ttl_seconds": ttl})).await.expect(201);
    (made.text_at("/id"), made.body["lease"]["fencing_token"].as_u64().expect("a token"))
}

async fn ready(http: &Http) {
    eventually("ready again", Duration::from_secs(10), async || {
        (http.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

/// Every route that needs Redis says so in time.
async fn says_away(http: &Http) {
    for path in ["/readyz", "/sessions", "/containers", "/containers/status"] {
        let asked = Instant::now();
        let answer = http.get(path).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.text);
        assert_eq!(answer.header("retry-after"), "1", "{path}");
        assert!(asked.elapsed() < Duration::from_secs(3), "{path}: only after {:?}", asked.elapsed());
    }
    let asked = Instant::now();
    http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "redis_unavailable");
    assert!(asked.elapsed() < Duration::from_secs(3), "only after {:?}", asked.elapsed());
    http.get("/healthz").await.expect(200);
    let metrics = http.get("/metrics").await.expect(200);
    assert!(metrics.text.contains("leasehold_redis_up 0\n"), "{}", metrics.text);
}

#[tokio::test]
async fn case_20_redis_down_for_longer_than_the_ttl_costs_no_lease_its_time() {
    let mut redis = Redis::durable();
    let replica = replica(&redis.url(), 4).await;
    let http = replica.http();
    let mut held = Vec::new();
    for _ in 0..3 {
        let (id, token) = make(&http, 5).await;
        http.post(&format!("/sessions/{id}/heartbeat"), json!({"fencing_token": token})).await.expect(200);
        held.push((id, token));
    }
    redis.kill();
    says_away(&http).await;
    // Longer than the TTL: by the wall clock every lease is over.
    let over = Instant::now() + Duration::from_secs(7);
    eventually("the TTL is over", Duration::from_secs(10), async || (Instant::now() > over).then_some(())).await;
    redis.restart();
    ready(&http).await;
    for (id, token) in &held {
        let renewed = http.post(&format!("/sessions/{id}/heartbeat"), json!({"fencing_token": token})).await;
        assert_eq!(renewed.status, 200, "{}", renewed.text);
    }
    // And nothing is given twice.
    assert_eq!(http.get("/containers/status").await.body["available"], 1);
    eventually("the operator is told", Duration::from_secs(5), async || {
        replica.log().contains("another Redis server is behind the data").then_some(())
    })
    .await;
}

#[tokio::test]
async fn redis_away_is_said_in_time_and_needs_no_restart() {
    let mut redis = Redis::durable();
    let replica = replica(&redis.url(), 2).await;
    let http = replica.http();
    let waiting = tokio::spawn({
        let http = http.clone();
        let (first, second) = (make(&http, 60).await, make(&http, 60).await);
        async move {
            let answer = http.post("/sessions", json!({"target_type": "wine", "wait_seconds": 30})).await;
            (first, second, answer)
        }
    });
    eventually("one in line", Duration::from_secs(5), async || {
        (http.get("/containers/status").await.body["by_type"]["wine"]["sessions_queued"] == 1).then_some(())
    })
    .await;
    for _ in 0..2 {
        redis.kill();
        says_away(&http).await;
        redis.restart();
        ready(&http).await;
    }
    // Who waited through it is served as if nothing had been.
    let listed = http.get("/sessions?state=ready").await.expect(200);
    let id = listed.text_at("/0/id");
    http.delete(&format!("/sessions/{id}")).await.expect(200);
    waiting.await.unwrap().2.expect(201);
}

#[tokio::test]
async fn a_replica_starts_without_redis_and_is_ready_when_it_comes() {
    let mut redis = Redis::durable();
    redis.kill();
    let replica = Replica::start(&redis.url(), &settings(1));
    let http = replica.http();
    http.get("/readyz").await.problem(503, "redis_unavailable");
    http.get("/healthz").await.expect(200);
    redis.restart();
    ready(&http).await;
    eventually("a container", Duration::from_secs(10), async || {
        (http.get("/containers/status").await.body["available"] == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn case_21_memory_full_refuses_creates_and_nothing_else() {
    let redis = Redis::start();
    let replica = replica(&redis.url(), 3).await;
    let http = replica.http();
    let (kept, token) = make(&http, 60).await;
    let (lapsing, _) = make(&http, 1).await;
    let memory = |most: &str| {
        let _: String = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(most).query(&mut redis.conn()).unwrap();
    };
    memory("1mb");
    let refused = http.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "redis_out_of_memory");
    assert_eq!(refused.header("retry-after"), "1");
    http.post(&format!("/sessions/{kept}/heartbeat"), json!({"fencing_token": token})).await.expect(200);
    eventually("the other one is reclaimed", Duration::from_secs(10), async || {
        (http.get(&format!("/sessions/{lapsing}")).await.body["end_reason"] == "expired").then_some(())
    })
    .await;
    http.delete(&format!("/sessions/{kept}")).await.expect(200);
    assert_eq!(http.get("/containers/status").await.body["available"], 3);
    memory("0");
    make(&http, 60).await;
}

#[tokio::test]
async fn case_22_a_busy_redis_is_said_in_time_and_recovered_from() {
    let redis = Redis::start_with(&["--lua-time-limit", "50"]);
    let replica = replica(&redis.url(), 2).await;
    let http = replica.http();
    make(&http, 60).await;
    let url = redis.url();
    let busy = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url).unwrap().get_connection().unwrap();
        redis::cmd("EVAL").arg("while true do end").arg(0).query::<()>(&mut connection)
    });
    eventually("Redis is busy", Duration::from_secs(5), async || {
        (http.get("/readyz").await.status == 503).then_some(())
    })
    .await;
    says_away(&http).await;
    let mut connection = redis::Client::open(redis.url()).unwrap().get_connection().unwrap();
    let _: String = redis::cmd("SCRIPT").arg("KILL").query(&mut connection).unwrap();
    assert!(busy.join().unwrap().is_err());
    ready(&http).await;
    make(&http, 60).await;
}

#[tokio::test]
async fn case_23_a_black_hole_before_one_replica_leaves_the_others_at_work() {
    let redis = Redis::start();
    let wire = Wire::to_tcp(redis.address()).await;
    let cut_off = replica(&format!("redis://{}", wire.at()), 2).await;
    let other = replica(&redis.url(), 2).await;
    wire.hole();
    says_away(&cut_off.http()).await;
    let http = other.http();
    http.get("/readyz").await.expect(200);
    let (id, _) = make(&http, 60).await;
    http.delete(&format!("/sessions/{id}")).await.expect(200);
    // Connections that fell into the hole stay there: only new ones help.
    wire.cut();
    wire.mend();
    ready(&cut_off.http()).await;
    make(&cut_off.http(), 60).await;
}

#[tokio::test]
async fn pain_the_coordinator_hangs_and_says_it_is_healthy_scripts_that_do_not_run_are_not_ready() {
    let redis = Redis::start();
    let replica = replica(&redis.url(), 1).await;
    let http = replica.http();
    http.get("/readyz").await.expect(200);
    let acl = |rules: &[&str]| {
        let _: String =
            redis::cmd("ACL").arg("SETUSER").arg("default").arg(rules).query(&mut redis.conn()).expect("a rule");
    };
    // Redis answers everything else: a PING would say that all is well.
    acl(&["-eval", "-evalsha"]);
    let told = eventually("not ready", Duration::from_secs(10), async || {
        let answer = http.get("/readyz").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    told.problem(503, "redis_unavailable");
    http.get("/healthz").await.expect(200);
    acl(&["+eval", "+evalsha"]);
    eventually("ready again", Duration::from_secs(10), async || {
        (http.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}
