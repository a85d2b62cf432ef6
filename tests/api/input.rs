//! Bad input gets a clear error that names the field, the value and what would be right.

use reqwest::Method;
use serde_json::json;

use super::{Service, wine};
use crate::common::http::{Answer, Http, read};

async fn send(http: &Http, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = http.raw(Method::POST, "/sessions").header("Content-Type", kind).body(body);
    read(request.send().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn each_kind_of_bad_input_has_its_answer() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let json = "application/json";

    let unknown = http.post("/sessions", json!({"target_type": "beos"})).await.problem(404, "unknown_target_type");
    assert_eq!(unknown.body["known_types"], json!(["wine"]));
    assert!(unknown.text_at("/detail").contains("\"beos\""));
    http.post("/sessions", json!({"target_type": "Wine!"})).await.problem(404, "unknown_target_type");
    http.get("/containers?target_type=beos").await.problem(404, "unknown_target_type");

    let other = http.post("/sessions", json!({"target_id": "4"})).await.problem(400, "unknown_field");
    assert!(other.text_at("/detail").contains("`target_type`"), "{}", other.text);
    http.post("/sessions", json!({"target_type": "wine", "color": 1})).await.problem(400, "unknown_field");
    http.post("/sessions", json!({"target_type": 7})).await.problem(400, "invalid_field");
    http.post("/sessions", json!({})).await.problem(400, "invalid_field");
    http.post("/sessions", json!([])).await.problem(400, "invalid_field");

    for (field, value) in [("ttl_seconds", 4), ("ttl_seconds", 601), ("wait_seconds", 61), ("priority", 301)] {
        let mut body = wine();
        body[field] = json!(value);
        let answer = http.post("/sessions", body).await.problem(422, "out_of_range");
        let detail = answer.text_at("/detail");
        assert!(detail.starts_with(&format!("{field} = {value}: ")), "{detail}");
    }
    let place = send(&http, json, "{\"target_type\": \"wine\",\n oops}").await.problem(400, "malformed_json");
    assert!(place.text_at("/detail").contains("line 2 column 2"), "{}", place.text);
    send(&http, json, [0xff, 0xfe].to_vec()).await.problem(400, "malformed_json");
    send(&http, json, "[".repeat(10_000)).await.problem(400, "malformed_json");
    send(&http, json, "x".repeat(64 * 1024 + 1)).await.problem(413, "body_too_large");
    send(&http, "text/plain", "{}").await.problem(415, "unsupported_media_type");

    http.get("/sessions/not-a-uuid").await.problem(400, "invalid_session_id");
    http.get("/sessions/0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10").await.problem(404, "session_not_found");
    http.get("/sessions/7f9c24e8-3b12-4fef-91e0-56a2d5a6b6c1").await.problem(404, "session_not_found");
    http.get("/sessions?limit=0").await.problem(422, "out_of_range");
    http.get("/sessions?limit=x").await.problem(400, "invalid_parameter");
    http.get("/sessions?state=gone").await.problem(400, "invalid_parameter");
    http.get("/sessions?cursor=mine").await.problem(400, "bad_cursor");
    http.get("/containers?cursor=mine").await.problem(400, "bad_cursor");
    http.get("/nothing").await.problem(404, "not_found");
    let long = "k".repeat(256);
    http.post_with_key("/sessions", wine(), &long).await.problem(422, "out_of_range");

    // A body that does not end is cut off where it may be no longer.
    let endless = reqwest::Body::wrap_stream(futures_util::stream::iter(
        (0..4096).map(|_| Ok::<_, std::io::Error>(vec![b' '; 64 * 1024])),
    ));
    let request = http.raw(Method::POST, "/sessions").header("Content-Type", json).body(endless);
    // The server may close while the client still sends: both a 413 and a broken pipe are right.
    if let Ok(response) = request.send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(http.get("/containers/status").await.body["allocated"], 0, "nothing was half done");
    assert!(http.get("/metrics").await.text.contains("leasehold_panics_total 0"));
}

#[tokio::test]
async fn random_requests_never_make_it_panic() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let odd = ["%00", "..%2f..", "%ff", "a".repeat(4000).as_str(), "{}", "session", "status", "'", "%7Bwine%7D"]
        .map(str::to_owned);
    for part in &odd {
        for path in [
            format!("/sessions/{part}"),
            format!("/sessions/{part}/heartbeat"),
            format!("/containers/{part}"),
            format!("/containers/session/{part}"),
            format!("/containers/{part}/allocate?session_id={part}"),
            format!("/containers?target_type={part}&cursor={part}"),
            format!("/sessions?cursor=wine.live.{part}&state={part}"),
        ] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let answer = http.try_call(method.clone(), &path, None, &[]).await.unwrap();
                assert!(answer.status < 500 || answer.status == 503, "{method} {path}: {}", answer.text);
            }
        }
    }
    let metrics = http.get("/metrics").await.expect(200);
    assert!(metrics.text.contains("leasehold_panics_total 0"), "{}", metrics.text);
}

#[tokio::test]
async fn a_method_that_a_path_lacks_is_answered_with_those_it_has() {
    let service = Service::start(1, 0).await;
    let http = service.http();
    let id = "0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10";
    for (method, path, allowed) in [
        (Method::DELETE, "/sessions".to_owned(), "GET, POST"),
        (Method::PUT, "/api/sessions/".to_owned(), "GET, POST"),
        // Not a session with the id `heartbeats`, nor a container with the id `refresh`.
        (Method::GET, "/sessions/heartbeats".to_owned(), "POST"),
        (Method::GET, "/containers/refresh".to_owned(), "POST"),
        (Method::POST, "/containers/status".to_owned(), "GET"),
        (Method::TRACE, format!("/sessions/{id}"), "GET, DELETE"),
        (Method::GET, format!("/sessions/{id}/heartbeat"), "POST"),
        (Method::GET, format!("/sessions/{id}/hard"), "DELETE"),
        (Method::PATCH, "/containers/one".to_owned(), "GET"),
        (Method::DELETE, "/containers/wine/allocate".to_owned(), "POST"),
        (Method::POST, "/healthz".to_owned(), "GET"),
        (Method::POST, "/openapi.json".to_owned(), "GET"),
        (Method::POST, "/docs/index.html".to_owned(), "GET"),
    ] {
        let answer = http.try_call(method.clone(), &path, None, &[]).await.unwrap();
        let answer = answer.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
    http.try_call(Method::DELETE, "/nothing", None, &[]).await.unwrap().problem(404, "not_found");
}
