//! What an operator does and asks: cordon, drain, explain.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{Service, ready, wine};
use crate::common::{
    eventually,
    http::Http,
    redis::Redis,
    replica::{Settings, farm},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// All events of the type, in order: kind and fields.
fn events(redis: &Redis) -> Vec<(String, BTreeMap<String, String>)> {
    let rows: Vec<(String, BTreeMap<String, String>)> =
        redis::cmd("XRANGE").arg("test:{wine}:events").arg("-").arg("+").query(&mut redis.conn()).expect("the events");
    rows.into_iter().map(|(_, fields)| (fields["kind"].clone(), fields)).collect()
}

async fn act(http: &Http, container: &str, verb: &str, body: Value) -> Value {
    http.post(&format!("/containers/{container}/{verb}"), body).await.expect(200).body
}

/// Waits until no session has a container that is drained.
async fn drained(http: &Http, container: &str) -> Value {
    eventually("it is free", PATIENCE, || async {
        let shown = http.get(&format!("/containers/{container}")).await.expect(200).body;
        (shown["drain"].is_null() && shown["allocated_to"].is_null()).then_some(shown)
    })
    .await
}

#[tokio::test]
async fn an_admin_cordons_and_uncordons_and_the_event_says_who() {
    let service = Service::start(2, 1).await;
    let http = service.http();
    let (session, made) = ready(&http).await;
    let id = made.text_at("/container/id");
    for replica in &service.replicas {
        let shown = act(&replica.http(), &id, "cordon", json!({})).await;
        assert_eq!((&shown["cordoned"], &shown["cordoned_by"]), (&json!(true), &json!("admin/environment")));
        assert_eq!(shown["allocated_to"], session.as_str());
    }
    http.post(&format!("/sessions/{session}/heartbeat"), json!({})).await.expect(200);
    http.delete(&format!("/sessions/{session}")).await.expect(200);
    http.post("/sessions", wine()).await.problem(503, "no_available_containers");
    let status = http.get("/containers/status").await.expect(200).body;
    assert_eq!((&status["available"], &status["by_type"]["wine"]["cordoned"]), (&json!(0), &json!(1)));
    http.post("/containers/refresh", json!({})).await.expect(200);
    assert_eq!(http.get(&format!("/containers/{id}")).await.body["cordoned"], true);
    act(&http, &id, "uncordon", json!({})).await;
    ready(&http).await;
    let told: Vec<_> = events(&service.redis).into_iter().filter(|(_, fields)| fields.contains_key("by")).collect();
    let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["container.cordoned", "container.uncordoned"]);
    assert!(told.iter().all(|(_, fields)| fields["by"] == "admin/environment"), "{told:?}");
    let log = service.replicas[0].log();
    assert!(log.contains("container is cordoned") && log.contains("admin/environment"), "{log}");
}

#[tokio::test]
async fn an_admin_sees_why_a_container_rests_and_lifts_it() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let id = http.get("/containers").await.body["containers"][0]["id"].as_str().unwrap().to_owned();
    let mut redis = service.redis.conn();
    // As `lua/lib/strike.lua` leaves it; a container without a probe does not flap.
    let _: i64 = redis::cmd("HSET")
        .arg(format!("test:{{wine}}:container:{id}"))
        .arg(&["quarantine", "probe"])
        .query(&mut redis)
        .unwrap();
    let _: i64 = redis::cmd("ZADD").arg("test:{wine}:quarantine").arg(9e12).arg(&id).query(&mut redis).unwrap();
    // A cordon and its end settle it.
    act(&http, &id, "cordon", json!({})).await;
    act(&http, &id, "uncordon", json!({})).await;
    let shown = http.get(&format!("/containers/{id}")).await.expect(200).body;
    assert_eq!((&shown["pool_state"], &shown["quarantine"]["reason"]), (&json!("unhealthy"), &json!("probe")));
    let why = http.get("/explain?target_type=wine").await.expect(200).body;
    assert_eq!(why["reasons"][0]["reason"], "quarantined", "{why}");
    let help = why["reasons"][0]["help"].as_str().unwrap();
    assert!(help.contains(&format!("leasehold unquarantine {id}")), "{help}");
    let free = http.delete(&format!("/containers/{id}/quarantine")).await.expect(200).body;
    assert_eq!((&free["pool_state"], &free["quarantine"]), (&json!("available"), &json!(null)));
    ready(&http).await;
    let told = events(&service.redis);
    let lifted: Vec<_> = told.iter().filter(|(kind, _)| kind == "container.quarantine_lifted").collect();
    assert_eq!(lifted.len(), 1);
    assert_eq!(lifted[0].1["by"], "admin/environment");
}

#[tokio::test]
async fn an_admin_has_a_container_rest_and_everybody_sees_who_did() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let id = http.get("/containers").await.body["containers"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/containers/{id}/quarantine");
    let rests = http.post(&path, json!({ "rest_seconds": 120 })).await.expect(200).body;
    assert_eq!(rests["pool_state"], "unhealthy");
    let until: jiff::Timestamp = rests["quarantine"]["until"].as_str().unwrap().parse().unwrap();
    let left = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((60..=120).contains(&left), "{left} s");
    let by = "admin/environment";
    assert_eq!((&rests["quarantine"]["reason"], &rests["quarantine"]["by"]), (&json!("operator"), &json!(by)));
    http.post("/sessions", super::wine()).await.problem(503, "no_available_containers");
    let why = http.get("/explain?target_type=wine").await.expect(200).body;
    assert_eq!(why["reasons"][0]["reason"], "quarantined", "{why}");
    assert_eq!(why["reasons"][0]["containers"][0]["because"], format!("put there by {by}"), "{why}");
    // Without a body it is half an hour.
    let longer = http.post(&path, json!({})).await.expect(200).body;
    assert!(longer["quarantine"]["until"].as_str() > rests["quarantine"]["until"].as_str(), "{longer}");
    for seconds in [0, 604_801] {
        let detail = http.post(&path, json!({ "rest_seconds": seconds })).await;
        let detail = detail.problem(422, "out_of_range").text_at("/detail");
        assert!(detail.contains(&format!("rest_seconds = {seconds}")) && detail.contains("1 to 604800"), "{detail}");
    }
    http.delete(&path).await.expect(200);
    ready(&http).await;
    let told = events(&service.redis);
    let told: Vec<_> = told.iter().filter(|(kind, _)| kind == "container.quarantined").collect();
    assert_eq!(told.len(), 2);
    assert_eq!((told[0].1["why"].as_str(), told[0].1["by"].as_str()), ("operator", by));
}

#[tokio::test]
async fn only_an_admin_acts_and_a_drain_has_its_bounds() {
    let service = Service::start_with(1, 1, super::auth::with_keys).await;
    let http = service.http();
    let id = http.get("/containers").await.body["containers"][0]["id"].as_str().unwrap().to_owned();
    for verb in ["cordon", "uncordon", "quarantine", "drain", "restart"] {
        for key in ["alice-key", "eye-key"] {
            let answer = http.with_key(Some(key)).post(&format!("/containers/{id}/{verb}"), json!({})).await;
            answer.problem(403, "forbidden");
        }
        http.post(&format!("/containers/nobody/{verb}"), json!({})).await.problem(404, "container_not_found");
    }
    for key in ["alice-key", "eye-key"] {
        let path = format!("/containers/{id}/quarantine");
        http.with_key(Some(key)).delete(&path).await.problem(403, "forbidden");
    }
    http.delete("/containers/nobody/quarantine").await.problem(404, "container_not_found");
    let wrong = async |body, status, code| {
        http.post(&format!("/containers/{id}/drain"), body).await.problem(status, code).text_at("/detail")
    };
    let detail = wrong(json!({ "deadline_seconds": 86401 }), 422, "out_of_range").await;
    assert!(detail.contains("deadline_seconds = 86401") && detail.contains("0 to 86400"), "{detail}");
    wrong(json!({ "deadline_seconds": -1 }), 400, "invalid_field").await;
    wrong(json!({ "forced": true }), 400, "unknown_field").await;
    assert_eq!(http.get(&format!("/containers/{id}")).await.body["cordoned"], false);
    // Who may hold sessions may ask why there are none.
    http.with_key(Some("alice-key")).get("/explain?target_type=wine").await.expect(200);
    http.with_key(Some("eye-key")).get("/explain?target_type=wine").await.problem(403, "forbidden");
}

#[tokio::test]
async fn what_is_only_listed_is_not_restarted_and_the_answer_says_so() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let id = http.get("/containers").await.body["containers"][0]["id"].as_str().unwrap().to_owned();
    let refused = http.post(&format!("/containers/{id}/restart"), json!({})).await;
    let detail = refused.problem(409, "not_supported").text_at("/detail");
    assert!(detail.contains("provider farm") && detail.contains("`docker`"), "{detail}");
    http.post(&format!("/containers/{id}/restart"), json!({ "forced": true })).await.problem(400, "unknown_field");
    assert_eq!(http.get(&format!("/containers/{id}")).await.body["pool_state"], "available");
}

#[tokio::test(flavor = "multi_thread")]
async fn pain_drained_node_still_gets_sessions_under_load_it_does_not() {
    let service = Service::start(2, 6).await;
    let http = service.http();
    let (stop, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..12)
        .map(|at| {
            let (http, stop, served) = (service.replicas[at % 2].http(), stop.clone(), served.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let made = http.post("/sessions", json!({ "target_type": "wine", "wait_seconds": 30 })).await;
                    let id = made.expect(201).text_at("/id");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    http.delete(&format!("/sessions/{id}")).await.expect(200);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let busy = async |more: usize| {
        let before = served.load(Ordering::Relaxed);
        eventually("sessions go on", PATIENCE, || async {
            (served.load(Ordering::Relaxed) >= before + more).then_some(())
        })
        .await;
    };
    busy(30).await;
    let ids: Vec<String> = http.get("/containers").await.body["containers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    for id in &ids[..3] {
        act(&http, id, "drain", json!({ "deadline_seconds": 30 })).await;
    }
    for id in &ids[..3] {
        assert_eq!(drained(&http, id).await["cordoned"], true);
    }
    busy(60).await;
    let mut cordoned: BTreeMap<String, bool> = BTreeMap::new();
    let mut offered: BTreeMap<String, String> = BTreeMap::new();
    for (kind, fields) in events(&service.redis) {
        let container = fields.get("container").cloned().unwrap_or_default();
        match kind.as_str() {
            "container.cordoned" => drop(cordoned.insert(container, true)),
            "session.offered" => {
                assert!(!cordoned.contains_key(&container), "offered under a cordon: {fields:?}");
                offered.insert(fields["session"].clone(), container);
            }
            // What was offered before may still be claimed.
            "session.ready" if offered.get(&fields["session"]) != Some(&container) => {
                assert!(!cordoned.contains_key(&container), "given out under a cordon: {fields:?}");
            }
            _ => {}
        }
    }
    assert_eq!(cordoned.len(), 3);
    for id in &ids[..3] {
        act(&http, id, "uncordon", json!({})).await;
    }
    eventually("they are given out again", PATIENCE, || async {
        let all = http.get("/containers").await.expect(200).body;
        let again = |id: &String| {
            let leased = |one: &Value| one["id"] == id.as_str() && !one["allocated_to"].is_null();
            all["containers"].as_array().unwrap().iter().any(leased)
        };
        ids[..3].iter().any(again).then_some(())
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("a client without a failure");
    }
}

#[tokio::test]
async fn pain_stuck_in_deleting_a_replica_killed_during_a_drain_loses_nothing() {
    let mut service = Service::start(2, 2).await;
    let other = service.replicas[1].http();
    let http = service.http();
    let ((forced, one), (kept, two)) = (ready(&http).await, ready(&http).await);
    let (one, two) = (one.text_at("/container/id"), two.text_at("/container/id"));
    let shown = act(&http, &one, "drain", json!({ "deadline_seconds": 1, "force": true })).await;
    assert_eq!((&shown["drain"]["waiting_for"], &shown["drain"]["force"]), (&json!(forced), &json!(true)));
    assert!(shown["drain"]["until"].as_str().unwrap().ends_with('Z'), "{shown}");
    act(&http, &two, "drain", json!({ "deadline_seconds": 1 })).await;
    service.replicas[0].kill();
    // The other one was not told of it, and finishes it.
    assert_eq!(drained(&other, &one).await["cordoned"], true);
    let ended = other.get(&format!("/sessions/{forced}")).await.expect(200).body;
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("admin")));
    let stays = eventually("the drain is over", PATIENCE, || async {
        let shown = other.get(&format!("/containers/{two}")).await.expect(200).body;
        shown["drain"].is_null().then_some(shown)
    })
    .await;
    assert_eq!((&stays["cordoned"], &stays["allocated_to"]), (&json!(true), &json!(kept)));
    let times = |kind: &str| events(&service.redis).iter().filter(|(one, _)| one == kind).count();
    assert_eq!((times("container.drained"), times("container.drain_expired")), (1, 1));
    other.post(&format!("/sessions/{kept}/heartbeat"), json!({})).await.expect(200);
}

#[tokio::test]
async fn pain_nobody_can_say_why_nothing_is_available_explain_and_the_refusal_do() {
    let service = Service::start(1, 3).await;
    let http = service.http();
    let some = http.get("/explain?target_type=wine").await.expect(200).body;
    assert_eq!((&some["available"], &some["reasons"]), (&json!(3), &json!([])));
    assert_eq!(some["summary"], "3 of 3 wine containers are available");
    let (session, made) = ready(&http).await;
    let (_, drained) = ready(&http).await;
    act(&http, &drained.text_at("/container/id"), "drain", json!({})).await;
    let left = http.get("/containers?available_only=true").await.body["containers"][0]["id"].clone();
    act(&http, left.as_str().unwrap(), "cordon", json!({})).await;

    let refused = http.post("/sessions", wine()).await.problem(503, "no_available_containers");
    assert_eq!(refused.body["detail"], "No available wine containers");
    assert_eq!(refused.body["reasons"], json!({ "leased": 2, "draining": 1, "cordoned": 1 }));
    let guide = http.post("/containers/wine/allocate?session_id=job", json!({})).await;
    assert!(guide.problem(503, "no_available_containers").body["reasons"].is_object());

    let why = http.get("/explain/?target_type=wine").await.expect(200).body;
    assert_eq!((&why["candidates"], &why["available"]), (&json!(3), &json!(0)));
    assert_eq!(why["summary"], "None of 3 wine containers is available: 2 leased, 1 draining, 1 cordoned");
    let of = |reason: &str| {
        let all = why["reasons"].as_array().unwrap();
        all.iter().find(|one| one["reason"] == reason).unwrap_or_else(|| panic!("no {reason} in {why}"))
    };
    let leased = &of("leased")["containers"];
    let named = leased.as_array().unwrap().iter().find(|one| one["session_id"] == session.as_str());
    assert_eq!(named.expect("the session's")["id"], made.body["container"]["id"]);
    let cordoned = of("cordoned");
    assert_eq!(cordoned["containers"][0]["because"], "cordoned by admin/environment");
    let help = cordoned["help"].as_str().unwrap();
    assert!(help.contains(&format!("leasehold uncordon {}", left.as_str().unwrap())), "{help}");

    let unknown = http.get("/explain?target_type=linux").await.problem(404, "unknown_target_type");
    assert_eq!(unknown.body["known_types"], json!(["wine"]));
    http.get("/explain").await.problem(400, "invalid_parameter");
}

#[tokio::test]
async fn a_type_without_containers_and_one_with_a_line_are_explained() {
    let empty = |mut settings: Settings| {
        settings.toml = format!("[types.linux]\n{}", farm("wine", 1));
        settings
    };
    let service = Service::start_with(1, 1, empty).await;
    let http = service.http();
    let none = http.get("/explain?target_type=linux").await.expect(200).body;
    assert_eq!((&none["candidates"], &none["reasons"][0]["reason"]), (&json!(0), &json!("none_found")));
    assert!(none["reasons"][0]["help"].as_str().unwrap().contains("leasehold.type=linux"), "{none}");
    let refused = http.post("/sessions", json!({ "target_type": "linux" })).await;
    assert_eq!(refused.problem(503, "no_available_containers").body["reasons"], json!({ "none_found": 0 }));

    ready(&http).await;
    http.post("/sessions", json!({ "target_type": "wine", "on_shortage": "queue" })).await.expect(202);
    let line = http.get("/explain?target_type=wine").await.expect(200).body;
    assert_eq!(line["waiting"], 1);
    assert_eq!(line["reasons"][1]["reason"], "line_ahead");
    assert_eq!(line["summary"], "None of 1 wine container is available: 1 leased, 1 in line");
}
