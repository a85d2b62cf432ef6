//! Keys, roles and owners.

use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Service, ready, wine};
use crate::common::{
    eventually,
    replica::{KEY, Settings},
};

pub fn key(name: &str, owner: &str, role: &str) -> String {
    let hash = Sha256::digest(name).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    format!("[[api_key]]\nname = \"{name}\"\nowner = \"{owner}\"\nrole = \"{role}\"\nhash = \"sha256:{hash}\"\n")
}

pub(super) fn with_keys(mut settings: Settings) -> Settings {
    for (name, owner, role) in
        [("alice-key", "alice", "client"), ("bob-key", "bob", "client"), ("eye-key", "alice", "viewer")]
    {
        settings.toml.push_str(&key(name, owner, role));
    }
    settings
}

#[tokio::test]
async fn every_route_but_the_pages_and_checks_needs_a_key() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let document = http.get("/openapi.json").await.expect(200).body;
    let open = ["/healthz", "/readyz"];
    let mut checked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10").replace(['{', '}'], "");
            for (given, code) in [(None, "missing_api_key"), (Some("wrong"), "invalid_api_key")] {
                let answer = http.with_key(given).try_call(method.clone(), &path, None, &[]).await.unwrap();
                if open.contains(&path.as_str()) {
                    assert_eq!(answer.status, 200, "{path}");
                } else if path.ends_with("/vnc") {
                    // For those who have no key, but a pass.
                    answer.problem(401, "missing_pass");
                } else {
                    let answer = answer.problem(401, code);
                    assert_eq!(answer.header("www-authenticate"), "Bearer");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 20, "only {checked} were checked");
}

#[tokio::test]
async fn a_key_comes_in_either_header_and_never_in_the_address() {
    let service = Service::start(1, 1).await;
    let http = service.http().with_key(None);
    let bearer = format!("Bearer {KEY}");
    let answer = http.try_call(Method::GET, "/sessions", None, &[("Authorization", &bearer)]).await.unwrap();
    answer.expect(200);
    http.get(&format!("/sessions?api_key={KEY}&x-api-key={KEY}")).await.problem(401, "missing_api_key");
}

#[tokio::test]
async fn owners_see_their_own_and_viewers_change_nothing() {
    let service = Service::start_with(1, 3, with_keys).await;
    let admin = service.http();
    let [alice, bob, eye] = ["alice-key", "bob-key", "eye-key"].map(|key| admin.with_key(Some(key)));
    let (id, _) = ready(&alice).await;

    for answer in [
        bob.get(&format!("/sessions/{id}")).await,
        bob.post(&format!("/sessions/{id}/heartbeat"), json!({})).await,
        bob.delete(&format!("/sessions/{id}")).await,
    ] {
        answer.problem(404, "session_not_found");
    }
    assert_eq!(bob.get("/sessions").await.body, json!([]));
    assert_eq!(alice.get("/sessions").await.body.as_array().unwrap().len(), 1);
    assert_eq!(admin.get("/sessions").await.body.as_array().unwrap().len(), 1);

    eye.get(&format!("/sessions/{id}")).await.expect(200);
    eye.get("/containers/status").await.expect(200);
    for answer in [
        eye.post("/sessions", wine()).await,
        eye.post(&format!("/sessions/{id}/heartbeat"), json!({})).await,
        eye.delete(&format!("/sessions/{id}")).await,
        eye.post("/containers/refresh", json!({})).await,
        eye.get("/types/wine/history").await,
        eye.post("/audit", json!({})).await,
        alice.post("/audit", json!({})).await,
        alice.get("/containers/any/logs").await,
        alice.get("/containers/any/stats").await,
        eye.post("/containers/wine/allocate?session_id=a", json!({})).await,
    ] {
        let answer = answer.problem(403, "forbidden");
        assert!(answer.text_at("/detail").contains("client"));
    }
    // The same client id of two owners is two sessions.
    let one = alice.post("/containers/wine/allocate?session_id=job", json!({})).await.expect(200);
    let two = bob.post("/containers/wine/allocate?session_id=job", json!({})).await.expect(200);
    assert_ne!(one.text_at("/container/id"), two.text_at("/container/id"));

    // An admin ends anybody's, also one that waits; the answer to a second time is the same.
    let queued = alice.post("/sessions", json!({ "target_type": "wine", "on_shortage": "queue" })).await;
    let queued = queued.expect(202).text_at("/id");
    let waiting = bob.post("/sessions", json!({ "target_type": "wine", "on_shortage": "queue" })).await;
    let waiting = waiting.expect(202).text_at("/id");
    for id in [&waiting, &id, &queued] {
        for _ in 0..2 {
            let ended = admin.delete(&format!("/sessions/{id}")).await.expect(200);
            assert_eq!(ended.body["end_reason"], "admin");
        }
    }
    let log = service.replicas[0].log();
    assert_eq!(log.matches(r#""by":"admin/environment""#).count(), 6, "{log}");
    assert_eq!(bob.get(&format!("/sessions/{waiting}")).await.expect(200).body["end_reason"], "admin");
}

#[tokio::test]
async fn keys_of_the_file_are_read_again_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.toml");
    std::fs::write(&file, key("first", "alice", "client")).unwrap();
    let service = Service::start_with(1, 1, |settings| settings.env("API_KEYS_FILE", file.display())).await;
    let http = service.http();
    http.with_key(Some("first")).get("/sessions").await.expect(200);
    http.with_key(Some("second")).get("/sessions").await.problem(401, "invalid_api_key");
    std::fs::write(&file, key("second", "alice", "client")).unwrap();
    eventually("the new key", std::time::Duration::from_secs(10), || async {
        (http.with_key(Some("second")).get("/sessions").await.status == 200).then_some(())
    })
    .await;
    http.with_key(Some("first")).get("/sessions").await.problem(401, "invalid_api_key");
}

#[tokio::test]
async fn the_guides_variable_for_the_key_is_read_too() {
    // An empty key is no key: the next variable counts.
    let mut settings = Settings::default().env("API_KEY", "");
    settings.env.push(("LEGACY_USE_API_KEY".to_owned(), "guide".to_owned()));
    let redis = crate::common::redis::Redis::start();
    let replica = crate::common::replica::Replica::start(&redis.url(), &settings);
    let http = replica.http();
    http.with_key(Some("guide")).get("/sessions").await.expect(200);
    http.with_key(Some("")).get("/sessions").await.problem(401, "invalid_api_key");
}
