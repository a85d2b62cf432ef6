//! Target types, and their settings that are changed at run time.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Service, ready, wine};
use crate::common::{eventually, http::Http};

const PATIENCE: Duration = Duration::from_secs(10);

async fn type_of(http: &Http) -> Value {
    http.get("/types").await.expect(200).body[0].clone()
}

/// Waits until a replica has it in force.
async fn in_force(http: &Http, setting: &str, value: Value) {
    eventually(&format!("{setting} = {value}"), PATIENCE, || async {
        (type_of(http).await["settings"][setting] == value).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_type_shows_its_settings_and_counts() {
    let service = Service::start_with(1, 2, |settings| settings.env("LIMITS__LINE_MAX", 50)).await;
    let shown = type_of(&service.http()).await;
    assert_eq!((&shown["target_type"], &shown["changed"]), (&json!("wine"), &json!({})));
    assert_eq!((&shown["settings"]["line_max"], &shown["settings"]["ttl_default_seconds"]), (&json!(50), &json!(60.0)));
    assert_eq!((&shown["settings"]["max_duration_seconds"], &shown["counts"]["available"]), (&Value::Null, &json!(2)));
}

#[tokio::test]
async fn what_was_decided_about_a_types_size_is_told_with_the_reason_and_measured() {
    let service = Service::start(2, 2).await;
    let http = service.http();
    assert_eq!(type_of(&http).await["scale"], Value::Null);
    let body = json!({ "scale_min": 1, "scale_max": 3, "scale_min_idle": 3 });
    http.patch("/types/wine", body).await.expect(200);
    // Its provider cannot make more.
    let terms = type_of(&http).await["scale_terms"].clone();
    assert_eq!(
        (&terms["calm_seconds"], &terms["share_of_peak"], &terms["schedule"]),
        (&json!(300.0), &Value::Null, &json!([]))
    );
    let told = eventually("a decision", PATIENCE, || async {
        let scale = type_of(&http).await["scale"].clone();
        (scale["reason"] == "no_template").then_some(scale)
    })
    .await;
    assert_eq!(told["wanted"], 3);
    let detail = told["detail"].as_str().unwrap();
    assert!(detail.ends_with("cannot make more containers"), "{detail}");
    let metrics = service.replicas[1].http().get("/metrics").await.expect(200).text;
    for line in [
        "leasehold_scale_wanted{target_type=\"wine\"} 3\n",
        "leasehold_scale_max{target_type=\"wine\"} 3\n",
        "leasehold_scale_at_max{target_type=\"wine\"} 0\n",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }

    let body = json!({ "scale_min": null, "scale_max": null, "scale_min_idle": null });
    let changed = http.patch("/types/wine", body).await.expect(200).body;
    assert_eq!((&changed["scale"], &changed["scale_terms"]), (&Value::Null, &Value::Null), "it is scaled no more");
}

#[tokio::test]
async fn a_change_is_in_force_on_every_replica_and_null_takes_it_back() {
    let service = Service::start(2, 1).await;
    let (http, other) = (service.http(), service.replicas[1].http());
    let body = json!({ "ttl_default_seconds": 30, "ttl_max_seconds": 40, "line_max": 1, "max_duration_seconds": 35 });
    let changed = http.patch("/types/wine", body.clone()).await.expect(200).body;
    assert_eq!((&changed["changed"], &changed["settings"]["ttl_max_seconds"]), (&body, &json!(40.0)));
    in_force(&other, "line_max", json!(1)).await;

    let (id, made) = ready(&other).await;
    assert_eq!(made.body["lease"]["ttl_seconds"], 30);
    let long = other.post("/sessions", json!({ "target_type": "wine", "ttl_seconds": 41 })).await;
    let detail = long.problem(422, "out_of_range").text_at("/detail");
    assert!(detail.contains("ttl_seconds = 41: 5 to 40"), "{detail}");
    other.post("/sessions", json!({ "target_type": "wine", "on_shortage": "queue" })).await.expect(202);
    let full = other.post("/sessions", json!({ "target_type": "wine", "on_shortage": "queue" })).await;
    assert!(full.problem(429, "line_full").text_at("/detail").contains("(1 tickets)"));
    other.delete(&format!("/sessions/{id}")).await.expect(200);

    // The configured default is more than the most that is in force.
    let alone = http.patch("/types/wine", json!({ "ttl_default_seconds": null })).await.problem(422, "out_of_range");
    assert!(alone.text_at("/detail").starts_with("ttl_max_seconds = 40: 60 to 3600"), "{}", alone.text);
    let back = json!({ "ttl_default_seconds": null, "ttl_max_seconds": null, "line_max": null });
    let back = http.patch("/types/wine", back).await.expect(200);
    assert_eq!(back.body["changed"], json!({ "max_duration_seconds": 35 }));
    assert_eq!(back.body["settings"]["ttl_default_seconds"], 60.0);
    in_force(&other, "line_max", json!(10000)).await;
    // Nothing to change is nothing changed.
    assert_eq!(http.patch("/types/wine", json!({})).await.expect(200).body["changed"], back.body["changed"]);
}

#[tokio::test]
async fn what_is_wrong_is_named_with_the_right_range_and_changes_nothing() {
    let service = Service::start_with(1, 1, super::auth::with_keys).await;
    let http = service.http();
    for (body, status, code, parts) in [
        (json!({ "ttl_max_seconds": 10 }), 422, "out_of_range", ["ttl_max_seconds = 10", "60 to 3600"]),
        (json!({ "ttl_max_seconds": 3601 }), 422, "out_of_range", ["ttl_max_seconds = 3601", "60 to 3600"]),
        (json!({ "ttl_default_seconds": 4 }), 422, "out_of_range", ["ttl_default_seconds = 4", "5 to 600"]),
        (json!({ "line_max": 9, "probe_fall": 0 }), 422, "out_of_range", ["probe_fall = 0", "1 to 100"]),
        (json!({ "wait_max_seconds": 1 }), 422, "out_of_range", ["wait_max_seconds = 1", "10 to 86400"]),
        (json!({ "line_max": "many" }), 400, "invalid_field", ["line_max", "many"]),
        (json!({ "line_max": -1 }), 400, "invalid_field", ["line_max", "-1"]),
        (json!({ "linemax": 1 }), 400, "unknown_field", ["linemax", "line_max"]),
    ] {
        let detail = http.patch("/types/wine", body.clone()).await.problem(status, code).text_at("/detail");
        assert!(parts.iter().all(|part| detail.contains(part)), "{body}: {detail}");
    }
    http.patch("/types/linux", json!({})).await.problem(404, "unknown_target_type");
    let client = http.with_key(Some("alice-key"));
    client.patch("/types/wine", json!({ "line_max": 1 })).await.problem(403, "forbidden");
    client.get("/types").await.expect(200);
    assert_eq!(type_of(&http).await["changed"], json!({}));
}

#[tokio::test]
async fn changes_by_several_at_once_are_all_kept() {
    let service = Service::start(2, 1).await;
    let bodies = [
        json!({ "line_max": 11 }),
        json!({ "probe_rise": 2 }),
        json!({ "probe_fall": 4 }),
        json!({ "confirm_seconds": 12 }),
        json!({ "wait_max_seconds": 300 }),
    ];
    let calls = bodies.iter().enumerate().map(|(at, body)| {
        let http = service.replicas[at % 2].http();
        async move { http.patch("/types/wine", body.clone()).await.expect(200) }
    });
    futures_util::future::join_all(calls).await;
    let all =
        json!({ "line_max": 11, "probe_rise": 2, "probe_fall": 4, "confirm_seconds": 12, "wait_max_seconds": 300 });
    for replica in &service.replicas {
        in_force(&replica.http(), "line_max", json!(11)).await;
        eventually("all of them", PATIENCE, || async {
            (type_of(&replica.http()).await["changed"] == all).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn settings_and_cordons_outlive_a_loss_of_redis_and_the_replica_that_was_told() {
    let mut service = Service::start(2, 2).await;
    let (http, other) = (service.http(), service.replicas[1].http());
    let id = http.get("/containers").await.body["containers"][0]["id"].as_str().unwrap().to_owned();
    http.post(&format!("/containers/{id}/cordon"), json!({})).await.expect(200);
    http.patch("/types/wine", json!({ "line_max": 5 })).await.expect(200);
    in_force(&other, "line_max", json!(5)).await;
    service.replicas[0].kill();
    let mut redis = service.redis.conn();
    let _: String = redis::cmd("FLUSHALL").query(&mut redis).unwrap();
    eventually("the cordon is back", Duration::from_secs(30), || async {
        let shown = other.get(&format!("/containers/{id}")).await;
        (shown.status == 200 && shown.body["cordoned_by"] == "admin/environment").then_some(())
    })
    .await;
    let kept: Option<String> =
        redis::cmd("HGET").arg("test:{wine}:settings").arg("line_max").query(&mut redis).unwrap();
    assert_eq!(kept.as_deref(), Some("5"));
    other.post("/sessions", wine()).await.problem(503, "recovering");
}
