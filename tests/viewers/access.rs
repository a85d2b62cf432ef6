//! Who is let in.

use serde_json::json;

use super::{Coming, Lab, PATIENCE, Recorder};
use crate::common::{eventually, replica::KEY};

const SECRET: &str = "a-secret-of-the-viewer";

#[tokio::test]
async fn a_pass_is_for_one_viewer_of_one_session() {
    let lab = Lab::new(2).await;
    let session = lab.session(60).await;
    let pass = lab.pass(&session, json!({})).await;
    assert_eq!((&pass["session_id"], &pass["path"]), (&json!(session), &json!(format!("/sessions/{session}/vnc"))));
    let coming = Coming::with(&pass);
    let another = uuid::Uuid::new_v4().to_string();
    assert_eq!(coming.refused(lab.at(), &another).await, (401, "invalid_pass".to_owned()));
    let first = coming.sees(lab.at(), &session).await;
    // Also on another replica, and when the first has left.
    assert_eq!(coming.refused(lab.replicas[1].address(), &session).await, (401, "pass_used".to_owned()));
    first.leaves().await;
    assert_eq!(coming.named(SECRET).refused(lab.at(), &session).await, (401, "pass_used".to_owned()));

    let never = Coming { pass: format!("lhp_{}", "A".repeat(32)), ..Coming::default() };
    assert_eq!(never.refused(lab.at(), &session).await, (401, "invalid_pass".to_owned()));
    let short = Coming { pass: "lhp_short".to_owned(), ..Coming::default() };
    assert_eq!(short.refused(lab.at(), &session).await, (400, "invalid_protocol".to_owned()));
    let path = format!("/sessions/{session}/vnc");
    lab.http().get(&path).await.problem(401, "missing_pass");
    let protocols = format!("binary, leasehold.pass.{}", never.pass);
    let plain = lab.http().raw(reqwest::Method::GET, &path).header("Sec-WebSocket-Protocol", protocols);
    let answer = crate::common::http::read(plain.send().await.expect("an answer")).await.expect("a body");
    answer.problem(426, "upgrade_required");
}

#[tokio::test]
async fn a_viewer_with_a_secret_of_its_own_comes_back_by_its_pass_and_nobody_else_does() {
    let lab = Lab::new(2).await;
    let session = lab.session(60).await;
    let coming = Coming::with(&lab.pass(&session, json!({})).await);
    let own = coming.clone().named(SECRET);
    own.sees(lab.at(), &session).await.leaves().await;
    own.sees(lab.replicas[1].address(), &session).await.leaves().await;
    let thief = coming.clone().named("a-secret-of-a-thief");
    assert_eq!(thief.refused(lab.at(), &session).await, (401, "pass_used".to_owned()));
    assert_eq!(coming.refused(lab.at(), &session).await, (401, "pass_used".to_owned()));
    // The lease is over, and the next one of the container is another's.
    lab.end(&session).await;
    assert_eq!(own.refused(lab.at(), &session).await, (410, "session_ended".to_owned()));
    let next = lab.session(60).await;
    assert_eq!(own.refused(lab.at(), &next).await, (401, "invalid_pass".to_owned()));
}

#[tokio::test]
async fn a_pass_that_nobody_used_in_time_is_none() {
    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let late = Coming::with(&lab.pass(&session, json!({"expires_in": 1})).await);
    // Pool time passes.
    let mut command = redis::cmd("HINCRBY");
    command.arg("test:{wine}:epoch").arg("offset").arg(-1001);
    let _: i64 = command.query(&mut lab.redis.conn()).unwrap();
    assert_eq!(late.refused(lab.at(), &session).await, (401, "invalid_pass".to_owned()));
}

#[tokio::test]
async fn a_pass_is_made_by_whose_session_it_is() {
    let lab = Lab::with(1, Recorder::start().await, "vnc", |settings| settings.env("VIEWERS__PASSES", 2)).await;
    let session = lab.session(60).await;
    let path = format!("/sessions/{session}/passes");
    let http = lab.http();
    for (body, status, code) in [
        (json!({"expires_in": 0}), 422, "out_of_range"),
        (json!({"expires_in": 3601}), 422, "out_of_range"),
        (json!({"view_only": 1}), 400, "invalid_field"),
        (json!({"fencing_token": 7}), 409, "stale_fencing_token"),
    ] {
        http.post(&path, body).await.problem(status, code);
    }
    http.with_key(None).post(&path, json!({})).await.problem(401, "missing_api_key");
    http.post(&format!("/sessions/{}/passes", uuid::Uuid::new_v4()), json!({})).await.problem(404, "session_not_found");
    let queued = json!({"target_type": "wine", "on_shortage": "queue"});
    let queued = http.post("/sessions", queued).await.expect(202).text_at("/id");
    http.post(&format!("/sessions/{queued}/passes"), json!({})).await.problem(409, "session_queued");
    let first = Coming::with(&http.post(&path, json!({})).await.expect(201).body);
    http.post(&path, json!({})).await.expect(201);
    let full = http.post(&path, json!({})).await.problem(429, "too_many_passes");
    assert!(full.text_at("/detail").starts_with("viewers.passes = 2"), "{}", full.text);
    // One that is used up takes no place.
    first.sees(lab.at(), &session).await.leaves().await;
    http.post(&path, json!({})).await.expect(201);
    http.post(&path, json!({})).await.problem(429, "too_many_passes");
    lab.end(&session).await;
    http.post(&path, json!({})).await.problem(410, "session_ended");
    assert_eq!(http.with_key(Some(KEY)).get("/sessions").await.expect(200).body.as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn pages_of_others_are_not_let_in_with_a_pass_either() {
    let trusted =
        |settings: crate::common::replica::Settings| settings.env("CORS__ORIGINS", "[\"https://desk.example\"]");
    let lab = Lab::with(1, Recorder::start().await, "vnc", trusted).await;
    let session = lab.session(60).await;
    let coming = Coming::with(&lab.pass(&session, json!({})).await).named(SECRET);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let refused = coming.clone().from(origin).refused(lab.at(), &session).await;
        assert_eq!(refused, (403, "foreign_page".to_owned()), "{origin}");
    }
    for origin in [format!("http://{}", lab.at()), "https://desk.example".to_owned()] {
        coming.clone().from(&origin).sees(lab.at(), &session).await.leaves().await;
    }
}

#[tokio::test]
async fn a_session_has_so_many_viewers_and_a_place_is_free_again() {
    let few = |settings: crate::common::replica::Settings| settings.env("VIEWERS__PER_SESSION", 1);
    let lab = Lab::with(1, Recorder::start().await, "vnc", few).await;
    let session = lab.session(60).await;
    let first = lab.driver(&session).await;
    let second = Coming::with(&lab.pass(&session, json!({})).await);
    assert_eq!(second.refused(lab.at(), &session).await, (503, "too_many_viewers".to_owned()));
    first.leaves().await;
    // Its pass is not used up by that.
    eventually("its place is free", PATIENCE, async || {
        let metrics = lab.http().get("/metrics").await.expect(200).text;
        metrics.contains("leasehold_viewers_ended_total{target_type=\"wine\",outcome=\"left\"} 1\n").then_some(())
    })
    .await;
    second.sees(lab.at(), &session).await;
}

#[tokio::test]
async fn a_desktop_that_does_not_answer_is_told() {
    let lab = Lab::with(1, Recorder::start().await, "api", |settings| settings).await;
    let session = lab.session(60).await;
    let coming = Coming::with(&lab.pass(&session, json!({})).await);
    assert_eq!(coming.refused(lab.at(), &session).await, (409, "no_desktop".to_owned()));

    let lab = Lab::new(1).await;
    let session = lab.session(60).await;
    let coming = Coming::with(&lab.pass(&session, json!({})).await);
    let Lab { desktop, replicas, redis: _redis } = lab;
    drop(desktop);
    let refused = eventually("nobody listens", PATIENCE, async || {
        let own = coming.clone().named(SECRET);
        let refused = own.refused(replicas[0].address(), &session).await;
        (refused.0 == 503).then_some(refused)
    })
    .await;
    assert_eq!(refused.1, "desktop_unreachable");
}
