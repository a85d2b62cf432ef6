//! The routes of the system that the guide describes.

use serde_json::json;

use super::Service;

#[tokio::test]
async fn the_guides_routes_take_and_give_back_by_the_clients_own_id() {
    let service = Service::start(2, 1).await;
    let (one, two) = (service.replicas[0].http(), service.replicas[1].http());
    let taken = one.post("/containers/wine/allocate?session_id=job-1", json!({})).await.expect(200);
    assert_eq!(taken.body["allocated"], true);
    let container = taken.text_at("/container/id");
    // The same id, the same container, on any replica.
    let again = two.post("/api/containers/wine/allocate/?session_id=job-1", json!({})).await.expect(200);
    assert_eq!(again.text_at("/container/id"), container);
    let held = two.get("/containers/session/job-1").await.expect(200);
    assert_eq!(held.text_at("/id"), container);

    let refused = two.post("/containers/wine/allocate?session_id=job-2", json!({})).await;
    assert_eq!(refused.problem(503, "no_available_containers").body["detail"], "No available wine containers");

    let session = &one.get("/sessions").await.body[0];
    assert_eq!(session["lease"]["ttl_seconds"], 3600, "its clients send no heartbeats");
    let released = one.post("/containers/job-1/release", json!({})).await.expect(200);
    assert_eq!(released.body, json!({"released": true, "session_id": "job-1"}));
    one.get("/containers/session/job-1").await.problem(404, "session_not_found");
    one.post("/containers/job-2/release", json!({})).await.problem(404, "session_not_found");
    // An id whose session ended is free again.
    two.post("/containers/wine/allocate?session_id=job-1", json!({})).await.expect(200);
    assert_eq!(two.get("/containers/status").await.body["allocated"], 1);
}

#[tokio::test]
async fn an_id_in_use_for_one_type_is_refused_for_another() {
    let service = Service::start_with(1, 2, |mut settings| {
        settings.toml.push_str("[types.linux]\n");
        settings
    })
    .await;
    let http = service.http();
    http.post("/containers/wine/allocate?session_id=job-1", json!({})).await.expect(200);
    http.post("/containers/linux/allocate?session_id=job-1", json!({})).await.problem(409, "session_of_other_type");
    http.post("/containers/wine/allocate?session_id=", json!({})).await.problem(422, "out_of_range");
    http.post("/containers/wine/allocate", json!({})).await.problem(400, "invalid_parameter");
    http.post("/containers/beos/allocate?session_id=a", json!({})).await.problem(404, "unknown_target_type");
}

#[tokio::test]
async fn the_same_client_id_at_the_same_moment_is_one_container() {
    let service = Service::start(2, 6).await;
    let (one, two) = (service.replicas[0].http(), service.replicas[1].http());
    for round in 0..20 {
        let path = format!("/containers/wine/allocate?session_id=job-{round}");
        let (a, b) = tokio::join!(one.post(&path, json!({})), two.post(&path, json!({})));
        assert_eq!(a.expect(200).text_at("/container/id"), b.expect(200).text_at("/container/id"));
        assert_eq!(one.get("/containers/status").await.body["allocated"], 1);
        one.post(&format!("/containers/job-{round}/release"), json!({})).await.expect(200);
    }
}
