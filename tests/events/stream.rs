//! `GET /events`.

use std::time::Duration;

use leasehold::client::EventFilter;
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{PATIENCE, come_and_go, follow, kept, next, next_of, text};
use crate::{
    api::Service,
    common::{
        eventually,
        http::Http,
        redis::Redis,
        replica::{Replica, Settings, farm},
    },
};

/// All that is kept, as it is on the wire, after this id.
async fn read(http: &Http, query: &str, after: Option<&str>) -> String {
    let headers: Vec<_> = after.iter().map(|id| ("Last-Event-ID", *id)).collect();
    let answer = http.try_call(Method::GET, &format!("/events?follow=false{query}"), None, &headers).await.unwrap();
    let answer = answer.expect(200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    answer.text
}

/// What stands behind this name on the wire.
fn lines<'a>(wire: &'a str, name: &str) -> Vec<&'a str> {
    wire.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

/// The ids of the events on the wire.
fn told(wire: &str) -> Vec<String> {
    let id = |data: &&str| serde_json::from_str::<serde_json::Value>(data).unwrap()["id"].as_str().unwrap().to_owned();
    lines(wire, "data").iter().map(id).collect()
}

#[tokio::test]
async fn all_that_is_done_is_told_in_order_on_every_replica() {
    let service = Service::start(2, 3).await;
    let (mut live, mut whole) = (
        follow(&service.replicas[0], EventFilter::default(), false),
        follow(&service.replicas[1], EventFilter::default(), true),
    );
    // What is already there, to know that both have begun.
    let first = come_and_go(&service.http()).await;
    while text(&next_of(&mut whole, "session.ended").await, "session") != first {}
    let marker = async {
        loop {
            come_and_go(&service.replicas[1].http()).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! { _ = next(&mut live) => {} () = marker => {} }

    let mut made = Vec::new();
    for round in 0..20 {
        made.push(come_and_go(&service.replicas[round % 2].http()).await);
    }
    for stream in [&mut live, &mut whole] {
        let (mut ready, mut ended, mut last) = (Vec::new(), Vec::new(), None::<u64>);
        while ended.last() != made.last() {
            let event = next(stream).await;
            let sequence: u64 = event.id.rsplit_once('-').unwrap().1.parse().unwrap();
            assert!(last.is_none_or(|last| sequence == last + 1), "{event:?} after {last:?}");
            last = Some(sequence);
            let session = text(&event, "session").to_owned();
            if made.contains(&session) {
                match event.kind.as_str() {
                    "session.ready" => ready.push(session),
                    "session.ended" => ended.push(session),
                    _ => {}
                }
            }
        }
        assert_eq!(ready, made);
        assert_eq!(ended, made);
    }
}

#[tokio::test]
async fn who_comes_back_misses_nothing_that_is_kept() {
    let service = Service::start(2, 2).await;
    let http = service.http();
    for _ in 0..3 {
        come_and_go(&http).await;
    }
    let wire = read(&http, "", None).await;
    assert_eq!(told(&wire), kept(&service.redis, "wine"));
    assert!(wire.starts_with("retry: "), "{wire}");
    // After each event, on another replica, what follows.
    let (all, ids) = (told(&wire), lines(&wire, "id"));
    assert_eq!(ids.len(), all.len() + 1, "the place before the first, and one with each");
    for _ in 0..120 {
        come_and_go(&http).await;
    }
    let now = kept(&service.redis, "wine");
    assert!(now.len() > 200, "more than a page");
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(told(&read(&service.replicas[1].http(), "", Some(id)).await), now[at..]);
    }
}

#[tokio::test]
async fn case_26_who_was_away_too_long_is_told_and_reads_a_snapshot() {
    let service = Service::start(1, 2).await;
    let http = service.http();
    come_and_go(&http).await;
    let place = lines(&read(&http, "", None).await, "id").pop().unwrap().to_owned();
    let mut live = follow(&service.replicas[0], EventFilter::default(), true);
    let first = come_and_go(&http).await;
    while text(&next_of(&mut live, "session.ended").await, "session") != first {}
    come_and_go(&http).await;
    let _: i64 =
        redis::cmd("XTRIM").arg("test:{wine}:events").arg("MAXLEN").arg(1).query(&mut service.redis.conn()).unwrap();
    let wire = read(&http, "", Some(&place)).await;
    assert_eq!(lines(&wire, "event"), ["resync", "session.ended"]);
    let resync: serde_json::Value = serde_json::from_str(lines(&wire, "data")[0]).unwrap();
    assert_eq!((&resync["target_type"], &resync["data"]["reason"]), (&json!("wine"), &json!("trimmed")));
    // After it the stream is whole again, also for who comes back right after.
    let ids = lines(&wire, "id");
    assert_eq!(lines(&read(&http, "", Some(ids[1])).await, "event"), ["session.ended"]);
    assert_eq!(read(&http, "", Some(ids[2])).await.matches("data: ").count(), 0);
    // The snapshot shows what the lost events told of, and what follows it is told.
    let status = http.get("/containers/status").await.expect(200).body;
    assert_eq!(status["available"], 2);
    let last = come_and_go(&http).await;
    let wire = read(&http, "&kind=session.", Some(ids[2])).await;
    assert_eq!(lines(&wire, "event"), ["session.ready", "session.ended"]);
    assert!(wire.contains(&last));
    // A filter does not hide it.
    let wire = read(&http, "&kind=container.", Some(&place)).await;
    assert_eq!(lines(&wire, "event")[0], "resync");
}

#[tokio::test]
async fn case_26_another_epoch_is_told() {
    let redis = Redis::start();
    let settings = Settings::toml(farm("wine", 1)).env("RECOVERY__LONGEST_LEASE", "1s").env("RECOVERY__LAG", "0s");
    let replica = Replica::start_with_available(&redis.url(), &settings, 1).await;
    let mut live = follow(&replica, EventFilter::default(), true);
    assert_eq!(next(&mut live).await.kind, "container.added");
    let place = lines(&read(&replica.http(), "", None).await, "id").pop().unwrap().to_owned();
    let _: String = redis::cmd("FLUSHALL").query(&mut redis.conn()).unwrap();
    // Also who follows the container only.
    let resync = next_of(&mut live, "resync").await;
    assert_eq!(text(&resync, "reason"), "epoch");
    assert_eq!(next(&mut live).await.kind, "recovery.began");
    let wire = read(&replica.http(), "&kind=session.", Some(&place)).await;
    assert_eq!(lines(&wire, "event")[0], "resync");
}

#[tokio::test]
async fn filters_leave_out_and_still_move_on() {
    let redis = Redis::start();
    let both = farm("wine", 2) + &farm("linux", 1).replace("name = \"farm\"", "name = \"other\"");
    let replica = Replica::start_with_available(&redis.url(), &Settings::toml(both), 3).await;
    let http = replica.http();
    let id = come_and_go(&http).await;
    come_and_go(&http).await;
    let wire = read(&http, &format!("&session={id}"), None).await;
    assert_eq!(lines(&wire, "event"), ["session.ready", "session.ended"]);
    let wire = read(&http, "&target_type=linux", None).await;
    assert_eq!(told(&wire), kept(&redis, "linux"));
    let wire = read(&http, "&container=farm.wine-2&kind=container.added", None).await;
    assert_eq!(lines(&wire, "event"), ["container.added"]);
    let all = told(&read(&http, "", None).await).len();
    assert_eq!(all, kept(&redis, "wine").len() + kept(&redis, "linux").len());

    http.get("/events?target_type=beos").await.problem(404, "unknown_target_type");
    http.get("/events?session=mine").await.problem(400, "invalid_session_id");
    http.get("/events?container=%20").await.problem(400, "invalid_parameter");
    http.get("/events?from=yesterday").await.problem(400, "invalid_parameter");
    http.get("/events?kind=%7B").await.problem(422, "out_of_range");
}

#[tokio::test]
async fn a_hostile_cursor_is_refused_or_harmless() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let call = async |id: &str| {
        http.try_call(Method::GET, "/events?follow=false", None, &[("Last-Event-ID", id)]).await.unwrap()
    };
    for bad in ["1", "e1.____", "e2.", "e1.BHdpbmU", &"A".repeat(10_000), "\u{fc}"] {
        let problem = call(bad).await.problem(400, "bad_cursor");
        assert!(problem.text_at("/detail").contains("Last-Event-ID"), "{}", problem.text);
    }
    // A place that never was: in the future, of a type that nobody knows.
    let text = |bytes: &[u8]| {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        format!("e1.{}", URL_SAFE_NO_PAD.encode(bytes))
    };
    let future = [b"\x04wine".as_slice(), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f], b"\x01"].concat();
    let wire = call(&text(&future)).await.expect(200).text;
    assert_eq!(lines(&wire, "event"), ["resync"]);
    let wire = call(&text(b"\x04beos\x07\x07")).await.expect(200).text;
    assert_eq!(told(&wire), kept(&service.redis, "wine"));
}

fn key(name: &str, owner: &str, role: &str) -> String {
    let hash = Sha256::digest(name).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("[[api_key]]\nname = \"{name}\"\nowner = \"{owner}\"\nrole = \"{role}\"\nhash = \"sha256:{hash}\"\n")
}

#[tokio::test]
async fn clients_see_their_own_sessions_and_all_containers() {
    let service = Service::start_with(1, 2, |mut settings| {
        for (name, owner, role) in
            [("alice-key", "alice", "client"), ("bob-key", "bob", "client"), ("eye-key", "eye", "viewer")]
        {
            settings.toml += &key(name, owner, role);
        }
        settings
    })
    .await;
    let admin = service.http();
    let [alice, bob, eye] = ["alice-key", "bob-key", "eye-key"].map(|key| admin.with_key(Some(key)));
    let (of_alice, of_bob) = (come_and_go(&alice).await, come_and_go(&bob).await);
    for (http, sees_alice, sees_bob) in
        [(&alice, true, false), (&bob, false, true), (&eye, true, true), (&admin, true, true)]
    {
        let wire = read(http, "", None).await;
        assert_eq!((wire.contains(&of_alice), wire.contains(&of_bob)), (sees_alice, sees_bob), "{wire}");
        assert!(lines(&wire, "event").contains(&"container.added"));
    }
    // Naming another's session does not help.
    assert!(!read(&bob, &format!("&session={of_alice}"), None).await.contains("data: "));
    admin.with_key(None).get("/events").await.problem(401, "missing_api_key");
}

#[tokio::test]
async fn sigterm_ends_streams_and_clients_go_on_elsewhere() {
    let mut service = Service::start(2, 2).await;
    let mut stream = service.replicas[0].http().raw(Method::GET, "/events").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let greeting = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let place = lines(&greeting, "id")[0].to_owned();
    let metrics = service.http().get("/metrics").await.expect(200).text;
    assert!(metrics.contains("leasehold_event_streams 1\n"), "{metrics}");
    service.replicas[0].signal(Signal::SIGTERM);
    let end = async { while stream.chunk().await.expect("an orderly end").is_some() {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the stream ends");
    let status = service.replicas[0].ended(PATIENCE).await;
    assert!(status.success(), "{status}");
    let other = service.replicas[1].http();
    let id = come_and_go(&other).await;
    let wire = read(&other, "&kind=session.", Some(&place)).await;
    assert_eq!(lines(&wire, "event"), ["session.ready", "session.ended"]);
    assert!(wire.contains(&id));
}

#[tokio::test]
async fn streams_and_long_polls_share_their_bound() {
    let service = Service::start_with(1, 1, |settings| settings.env("LONG_POLLS", 1)).await;
    let http = service.http();
    let mut open = http.raw(Method::GET, "/events").send().await.unwrap();
    open.chunk().await.unwrap();
    let refused = http.get("/events").await.problem(503, "too_many_waiting");
    assert_eq!(refused.header("retry-after"), "1");
    let id = come_and_go(&http).await;
    assert!(!id.is_empty(), "what does not wait is served");
    http.post("/sessions", json!({"target_type": "wine"})).await.expect(201);
    let waits = json!({"target_type": "wine", "wait_seconds": 1});
    http.post("/sessions", waits).await.problem(503, "too_many_waiting");
    drop(open);
    eventually("a free place", PATIENCE, async || {
        let answer = http.get("/events?follow=false").await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn nothing_is_read_when_nobody_listens() {
    // Without the role `events`: whoever has it reads for the history, each two seconds.
    let roles = |settings: Settings| settings.roles("api,discovery,reaper");
    let service = Service::start_with(1, 1, roles).await;
    let http = service.http();
    let reads = async || {
        let text = http.get("/metrics").await.expect(200).text;
        let count = "leasehold_script_duration_seconds_count{script=\"read_events\",outcome=\"ok\"} ";
        let line = text.lines().find_map(|line| line.strip_prefix(count)?.parse::<u64>().ok());
        line.unwrap_or(0)
    };
    assert_eq!(reads().await, 0);
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut stream = http.raw(Method::GET, "/events").send().await.unwrap();
        stream.chunk().await.unwrap();
        open.push(stream);
    }
    eventually("one reads for all", PATIENCE, async || (reads().await > 25).then_some(())).await;
    drop(open);
    eventually("nobody reads", PATIENCE, async || {
        let before = reads().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        (reads().await == before).then_some(())
    })
    .await;
}
