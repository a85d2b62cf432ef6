//! Whether the input of a viewer counts for the session's idle limit.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, interval};

use super::{Coming, KEY, LOOK, Lab, PATIENCE};
use crate::common::eventually;

async fn activity(lab: &Lab, session: &str) -> Value {
    lab.http().get(&format!("/sessions/{session}")).await.expect(200).body["activity"].clone()
}

#[tokio::test]
async fn keys_and_the_pointer_of_one_that_drives_are_activity_and_nothing_else_is() {
    let lab = Lab::new(2).await;
    let session = lab.session(60).await;
    let pass = lab.pass(&session, json!({"view_only": true})).await;
    let mut watcher = Coming::with(&pass).sees(lab.at(), &session).await;
    let pass = lab.pass(&session, json!({})).await;
    let mut driver = Coming::with(&pass).sees(lab.replicas[1].address(), &session).await;
    watcher.says(&[&KEY[..], &LOOK].concat()).await;
    lab.desktop.saw("the watcher's request", |seen| seen.said.len() == LOOK.len()).await;
    driver.says(&LOOK).await;
    lab.desktop.saw("both requests", |seen| seen.said.len() == 2 * LOOK.len()).await;
    assert_eq!(activity(&lab, &session).await["last_active_at"], json!(null));
    driver.says(&[5, 0, 0, 1, 0, 1]).await;
    let told = eventually("the pointer is noted", PATIENCE, async || {
        let told = activity(&lab, &session).await;
        told["last_active_at"].is_string().then_some(told)
    })
    .await;
    assert_eq!((&told["last_heard_ms_ago"], &told["idle_ends_in_ms"]), (&json!(null), &json!(null)), "{told}");
}

#[tokio::test]
async fn pain_idle_expiry_a_session_that_is_driven_goes_on_and_one_that_is_only_shown_ends() {
    const IDLE: u64 = 2;
    let lab = Lab::new(1).await;
    let body = json!({ "target_type": "wine", "ttl_seconds": 60, "idle_seconds": IDLE });
    let session = lab.http().post("/sessions", body).await.expect(201).text_at("/id");
    let mut driver = lab.driver(&session).await;
    let began = Instant::now();
    let mut tick = interval(Duration::from_millis(200));
    let mut last = began;
    while began.elapsed() < Duration::from_secs(2 * IDLE) {
        tick.tick().await;
        driver.says(&KEY).await;
        last = Instant::now();
    }
    // It stays, and nobody's hand is at it.
    assert_eq!(driver.closed().await.0, 4001);
    assert!(last.elapsed() >= Duration::from_millis(IDLE * 1000 * 2 / 3 - 200), "after {:?}", last.elapsed());
    let ended = lab.http().get(&format!("/sessions/{session}")).await.expect(200);
    assert_eq!((ended.text_at("/state"), ended.text_at("/end_reason")), ("ended".to_owned(), "idle".to_owned()));
}
