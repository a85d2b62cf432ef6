//! Liveness, readiness, metrics, and the end of a replica.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nix::sys::signal::Signal;
use serde_json::json;

use super::{Service, ready, wine};
use crate::common::{
    eventually,
    redis::Redis,
    replica::{Replica, Settings},
};

#[tokio::test]
async fn metrics_tell_of_the_pool_and_of_what_was_asked() {
    let service = Service::start(1, 2).await;
    let http = service.http();
    let (id, _) = ready(&http).await;
    http.post("/sessions", json!({"target_type": "beos"})).await.problem(404, "unknown_target_type");
    let text = http.get("/metrics").await.expect(200).text;
    for line in [
        "leasehold_containers{target_type=\"wine\",state=\"available\"} 1\n",
        "leasehold_containers{target_type=\"wine\",state=\"allocated\"} 1\n",
        "leasehold_sessions{target_type=\"wine\",state=\"ready\"} 1\n",
        "leasehold_queue_depth{target_type=\"wine\"} 0\n",
        "leasehold_provider_up{provider=\"farm\"} 1\n",
        "leasehold_redis_up 1\n",
        "leasehold_allocation_duration_seconds_count{target_type=\"wine\",outcome=\"ready\"} 1\n",
        "leasehold_http_request_duration_seconds_count{method=\"POST\",route=\"/sessions\",status=\"201\"} 1\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("leasehold_provider_age_seconds{provider=\"farm\"}"));
    assert!(!text.contains("beos") && !text.contains(&id), "what clients send must not become a label");
}

#[tokio::test]
async fn a_replica_without_the_api_still_tells_operators_how_it_is() {
    let redis = Redis::start();
    let replica = Replica::start(&redis.url(), &Settings::default().roles("reaper"));
    let http = replica.http();
    http.get("/healthz").await.expect(200);
    http.get("/readyz").await.expect(200);
    http.get("/metrics").await.expect(200);
    http.post("/sessions", wine()).await.problem(404, "not_found");
}

#[tokio::test]
async fn case_27_sigterm_loses_no_request_and_answers_those_who_wait() {
    let mut service = Service::start_with(2, 1, |settings| settings.env("DRAIN", "1s")).await;
    let (one, two) = (service.replicas[0].http(), service.replicas[1].http());
    let (holder, _) = ready(&two).await;
    let queue = json!({"target_type": "wine", "wait_seconds": 60, "on_shortage": "queue"});
    let fail = json!({"target_type": "wine", "wait_seconds": 60});
    let (a, b) = (one.clone(), one.clone());
    let in_line = async |count| {
        eventually("so many in line", Duration::from_secs(10), || async {
            (two.get("/containers/status").await.body["by_type"]["wine"]["sessions_queued"] == count).then_some(())
        })
        .await;
    };
    let queued = tokio::spawn(async move { a.post("/sessions", queue).await });
    in_line(1).await;
    let failed = tokio::spawn(async move { b.post_with_key("/sessions", fail, "job").await });
    in_line(2).await;
    // Requests that go on while it ends, until it says that it is not ready, as a load balancer sends them.
    let answered = Arc::new(AtomicUsize::new(0));
    let load = tokio::spawn({
        let (one, answered) = (one.clone(), answered.clone());
        async move {
            while one.get("/readyz").await.status == 200 {
                one.get("/containers/status").await.expect(200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    eventually("some load", Duration::from_secs(10), async || (answered.load(Ordering::Relaxed) > 10).then_some(()))
        .await;
    service.replicas[0].signal(Signal::SIGTERM);
    eventually("not ready", Duration::from_secs(5), || async {
        let answer = one.try_call(reqwest::Method::GET, "/readyz", None, &[]).await.ok()?;
        (answer.status == 503).then(|| answer.problem(503, "shutting_down"))
    })
    .await;
    // It still serves who has not noticed, and lets no connection live on.
    let late = one.get("/containers/status").await.expect(200);
    assert_eq!(late.header("connection"), "close");
    assert_eq!(queued.await.unwrap().expect(202).body["state"], "queued");
    let told = failed.await.unwrap().problem(503, "shutting_down");
    assert_eq!(told.header("retry-after"), "1");
    load.await.unwrap();
    let status = service.replicas[0].ended(Duration::from_secs(10)).await;
    assert!(status.success(), "{status}: {}", service.replicas[0].log());
    // The other replica goes on with the same line: the retry joins the session of its key.
    let retry = tokio::spawn({
        let two = two.clone();
        async move { two.post_with_key("/sessions", json!({"target_type": "wine", "wait_seconds": 60}), "job").await }
    });
    two.delete(&format!("/sessions/{holder}")).await.expect(200);
    let first = queued_first(&two).await;
    two.delete(&format!("/sessions/{first}")).await.expect(200);
    retry.await.unwrap().expect(201);
}

/// The session at the head of the line claims what it was offered when it is read.
async fn queued_first(http: &crate::common::http::Http) -> String {
    eventually("the first of the line is ready", Duration::from_secs(15), || async {
        let sessions = http.get("/sessions").await.expect(200).body;
        for session in sessions.as_array()? {
            let id = session["id"].as_str()?;
            let now = http.get(&format!("/sessions/{id}")).await;
            if now.body["state"] == "ready" {
                return Some(id.to_owned());
            }
        }
        None
    })
    .await
}

#[tokio::test]
async fn a_redis_that_evicts_is_refused_at_start() {
    let redis = Redis::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_leasehold"))
        .arg("serve")
        .env("LEASEHOLD_REDIS__URL", redis.url())
        .env("LEASEHOLD_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(text.contains("allkeys-lru") && text.contains("noeviction"), "{text}");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let redis = Redis::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_leasehold"))
        .arg("serve")
        .env("LEASEHOLD_REDIS__URL", redis.url())
        .env("LEASEHOLD_LISTEN", &address)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains(&address), "{text}");
}
