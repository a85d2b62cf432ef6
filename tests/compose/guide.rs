//! The container pool guide, followed word by word.

use std::{io::Read as _, net::TcpStream, process::Command, time::Duration};

use serde_json::{Value, json};

use super::{
    of_type,
    project::{Project, TARGETS, WINE},
    take_all,
};
use crate::common::compose::succeeded;

/// Runs a line of the guide in a shell, and reads the answer.
fn curl(project: &Project, line: &str) -> Value {
    let line = line.replace("http://localhost:8088", project.base());
    let output = Command::new("bash")
        .args(["-c", &format!("{line} --silent --show-error")])
        .env("API_KEY", project.key())
        .env("LEGACY_USE_API_KEY", project.key())
        .output()
        .expect("a shell with curl: `make setup` installs it");
    let answer = succeeded(&line, &output);
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{line}\nis not answered by JSON: {answer}"))
}

/// What a VNC client hears first.
fn greeting(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a time limit");
    let mut greeting = [0; 12];
    stream.read_exact(&mut greeting).expect("a greeting");
    String::from_utf8_lossy(&greeting).into_owned()
}

#[tokio::test]
async fn every_curl_line_of_the_guide_is_answered() {
    let project = Project::up().await;

    let mut status =
        curl(&project, r#"curl -H "X-API-Key: $LEGACY_USE_API_KEY" http://localhost:8088/containers/status"#);
    // Of the provider's own state.
    status["providers"] = json!("[providers]");
    insta::assert_json_snapshot!("status", status);

    let all = curl(&project, r#"curl -H "X-API-Key: $API_KEY" http://localhost:8088/containers"#);
    assert_eq!(all["total"], TARGETS);
    let containers = all["containers"].as_array().expect("a list");
    let images = |target_type| containers.iter().filter(|c| c["target_type"] == target_type).count();
    assert_eq!((images("wine"), images("linux"), images("android")), (WINE, 1, 1));

    let line =
        r#"curl -H "X-API-Key: $API_KEY" "http://localhost:8088/containers?target_type=wine&available_only=true""#;
    assert_eq!(curl(&project, line)["total"], WINE);

    let refreshed = curl(&project, r#"curl -X POST -H "X-API-Key: $API_KEY" http://localhost:8088/containers/refresh"#);
    assert_eq!((&refreshed["refreshed"], &refreshed["status"]["available"]), (&json!(true), &json!(TARGETS)));

    for path in ["sessions/", "sessions", "api/sessions/", "api/sessions"] {
        let line = format!(r#"curl -H "X-API-Key: $API_KEY" http://localhost:8088/{path}"#);
        assert_eq!(curl(&project, &line), json!([]), "{path}");
    }
    let session = curl(
        &project,
        r#"curl -H "X-API-Key: $API_KEY" -H "Content-Type: application/json" -d '{"target_type": "wine"}' http://localhost:8088/sessions/"#,
    );
    assert_eq!(session["state"], "ready");
    let id = session["id"].as_str().expect("an id");
    let ended =
        curl(&project, &format!(r#"curl -X DELETE -H "X-API-Key: $API_KEY" http://localhost:8088/sessions/{id}"#));
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("ended"), &json!("released")));

    for prefix in ["", "api/"] {
        let call = |method: &str, path: &str| {
            curl(
                &project,
                &format!(r#"curl -X {method} -H "X-API-Key: $API_KEY" "http://localhost:8088/{prefix}{path}""#),
            )
        };
        let taken = call("POST", "containers/wine/allocate?session_id=job-1");
        assert_eq!(taken["allocated"], true);
        assert_eq!(call("GET", "containers/session/job-1")["id"], taken["container"]["id"]);
        assert_eq!(call("POST", "containers/job-1/release"), json!({"released": true, "session_id": "job-1"}));
    }
}

#[tokio::test]
async fn a_session_through_the_load_balancer_has_a_desktop_of_its_own() {
    let project = Project::up().await;
    let http = project.http();
    let taken = take_all(&project, "wine", WINE).await;
    let mut addresses: Vec<_> =
        taken.iter().map(|session| session.text_at("/container/endpoints/vnc/address")).collect();
    for address in &addresses {
        assert_eq!(greeting(address), "RFB 003.008\n", "{address}");
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), WINE, "each session has another desktop");

    let shortage = http.post("/sessions", of_type("wine")).await.problem(503, "no_available_containers");
    assert_eq!(shortage.body["detail"], "No available wine containers");
    assert!(!shortage.header("retry-after").is_empty());

    http.delete(&format!("/sessions/{}", taken[0].text_at("/id"))).await.expect(200);
    // It is made clean first.
    http.post("/sessions", json!({"target_type": "wine", "wait_seconds": 50})).await.expect(201);
    http.with_key(None).get("/containers").await.problem(401, "missing_api_key");
}
