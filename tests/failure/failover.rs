//! Another server takes the place of the one that granted the leases, without its last writes.

use std::time::{Duration, Instant};

use leasehold::client::{Client, CreateSession, SessionGuard};
use secrecy::SecretString;
use serde_json::json;

use super::{LONGEST, recovering as settings};
use crate::common::{
    eventually,
    http::Http,
    redis::Redis,
    replica::{KEY, Replica},
    sentinel::{SERVICE, Sentinel},
};

/// A primary and a replica of it.
async fn pair() -> (Redis, Redis) {
    let primary = Redis::start();
    let at = primary.address().port().to_string();
    let replica = Redis::unmarked(&["--appendonly", "no", "--replicaof", "127.0.0.1", &at]);
    eventually("replication", Duration::from_secs(20), async || {
        (replica.info("master_link_status") == "up").then_some(())
    })
    .await;
    (primary, replica)
}

/// Nothing is replicated any more: what is written from now on is lost with the primary.
fn cut_replication(primary: &Redis) {
    let mut connection = primary.conn();
    let _: String = redis::cmd("ACL").arg(&["SETUSER", "default", "-psync", "-sync"]).query(&mut connection).unwrap();
    let killed: i64 = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "replica"]).query(&mut connection).unwrap();
    assert_eq!(killed, 1);
}

/// Waits until the replica has all that was written so far.
fn in_step(primary: &Redis) {
    let reached: i64 = redis::cmd("WAIT").arg(1).arg(5000).query(&mut primary.conn()).unwrap();
    assert_eq!(reached, 1);
}

fn promote(redis: &Redis) {
    let _: String = redis::cmd("REPLICAOF").arg("NO").arg("ONE").query(&mut redis.conn()).unwrap();
}

async fn acquire(replica: &Replica, ttl: u64) -> SessionGuard {
    let client = Client::new(&replica.url(), Some(&SecretString::from(KEY))).unwrap();
    let mut request = CreateSession::new("wine".parse().unwrap());
    request.ttl_seconds = Some(ttl);
    client.acquire(&request).await.unwrap()
}

fn container(guard: &SessionGuard) -> String {
    guard.session().container.as_ref().expect("a container").id.to_string()
}

fn token(guard: &SessionGuard) -> u64 {
    guard.session().lease.as_ref().expect("a lease").fencing_token.0
}

/// Until a recovery goes on.
async fn recovers(http: &Http) {
    eventually("a recovery", Duration::from_secs(30), async || {
        let status = http.get("/containers/status").await;
        status.body["by_type"]["wine"]["recovery"].is_object().then_some(())
    })
    .await;
}

#[tokio::test]
async fn case_31_a_failover_that_lost_writes_gives_nothing_out_twice() {
    let (mut primary, _other) = pair().await;
    let port = primary.address().port().to_string();
    let sentinels: Vec<_> = (0..3).map(|_| Sentinel::start(&port)).collect();
    eventually("the sentinels know each other and the replica", Duration::from_secs(30), async || {
        let known = |sentinel: &Sentinel| {
            sentinel.field("num-slaves").as_deref() == Some("1")
                && sentinel.field("num-other-sentinels").as_deref() == Some("2")
        };
        sentinels.iter().all(known).then_some(())
    })
    .await;
    let at: Vec<_> = sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port())).collect();
    let url = format!("redis+sentinel://{}/{SERVICE}", at.join(","));
    let granting = Replica::start_with_available(&url, &settings(3), 3).await;
    // This one remembers nothing of what the first one grants.
    let other = Replica::start_with_available(&url, &settings(3), 3).await;
    let known = acquire(&other, 5).await;
    in_step(&primary);

    // From here on all is lost: a lease that is held, and one that is given back and granted anew.
    cut_replication(&primary);
    let lost = acquire(&other, 5).await;
    let passed_on = acquire(&granting, 5).await;
    let before = container(&passed_on);
    passed_on.release().await.unwrap();
    let passed_on = acquire(&granting, 5).await;
    assert_eq!(container(&passed_on), before);
    primary.kill();

    let http = other.http();
    recovers(&http).await;
    let until = Instant::now() + LONGEST + Duration::from_secs(2);
    while Instant::now() < until {
        let answer = http.post("/sessions", json!({"target_type": "wine"})).await;
        let code = answer.text_at("/code");
        assert!(["recovering", "no_available_containers", "redis_unavailable"].contains(&code.as_str()), "{code}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for guard in [&known, &lost, &passed_on] {
        assert!(guard.held_until().is_some(), "{:?} lost its lease", guard.session().id);
    }
    let (given, highest) = (container(&lost), token(&lost));
    lost.release().await.unwrap();
    let next = acquire(&other, 5).await;
    assert_eq!(container(&next), given);
    assert!(token(&next) > highest);
    for guard in [known, passed_on, next] {
        guard.release().await.unwrap();
    }
}

#[tokio::test]
async fn case_34_a_primary_that_was_cut_off_stops_granting_and_the_new_one_waits_for_its_leases() {
    let (old, new) = pair().await;
    // What the documents ask of a primary that has replicas.
    let least = ["SET", "min-replicas-to-write", "1", "min-replicas-max-lag", "1"];
    let _: String = redis::cmd("CONFIG").arg(&least).query(&mut old.conn()).unwrap();
    let old_side = Replica::start_with_available(&old.url(), &settings(2), 2).await;
    let held = acquire(&old_side, 4).await;
    in_step(&old);

    cut_replication(&old);
    promote(&new);
    let new_side = Replica::start(&new.url(), &settings(2));
    let (here, there) = (old_side.http(), new_side.http());
    recovers(&there).await;

    // On the old side grants stop within the lag that Redis was given, and renewals with them.
    eventually("the old primary refuses", Duration::from_secs(10), async || {
        let answer = here.post("/sessions", json!({"target_type": "wine", "ttl_seconds": 1})).await;
        (answer.status == 503 && answer.text_at("/code") == "redis_unavailable").then_some(())
    })
    .await;
    // On the new side nothing is given out before the holder of the old one has stopped by its own clock.
    let given = eventually("something is given out", LONGEST * 3, async || {
        let answer = there.post("/sessions", json!({"target_type": "wine"})).await;
        (answer.status == 201).then_some(answer)
    })
    .await;
    assert!(held.held_until().is_none(), "{} has two holders", container(&held));
    assert!(given.body["lease"]["fencing_token"].as_u64().unwrap() > token(&held));
    here.post("/sessions", json!({"target_type": "wine"})).await.problem(503, "redis_unavailable");
}
