//! Listing, counting, refreshing.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Service, ready};

#[tokio::test]
async fn the_counts_have_exactly_the_guides_shape_and_more_beside() {
    let service = Service::start(1, 3).await;
    let http = service.http();
    ready(&http).await;
    for path in ["/containers/status", "/containers/status/", "/api/containers/status"] {
        let mut status = http.get(path).await.expect(200).body;
        let provider = &mut status["providers"][0];
        assert!(provider["age_seconds"].is_number());
        provider["age_seconds"] = json!("[seconds]");
        assert!(provider["discoverer"].is_string());
        provider["discoverer"] = json!("[replica]");
        insta::assert_json_snapshot!("status", status);
    }
}

#[tokio::test]
async fn containers_are_listed_page_by_page_and_by_the_guides_filters() {
    let service = Service::start(1, 5).await;
    let http = service.http();
    let (id, made) = ready(&http).await;
    let mut seen = BTreeSet::new();
    let mut path = "/containers?limit=2".to_owned();
    for page in 1.. {
        let answer = http.get(&path).await.expect(200);
        assert_eq!(answer.body["total"], 5);
        for container in answer.body["containers"].as_array().unwrap() {
            assert!(seen.insert(container["id"].as_str().unwrap().to_owned()), "listed twice");
        }
        let Some(next) = answer.body["next"].as_str() else { break };
        path = format!("/containers?limit=2&cursor={next}");
        assert!(page < 10, "the pages do not end");
    }
    assert_eq!(seen.len(), 5);

    let free = http.get("/containers?target_type=wine&available_only=true").await.expect(200);
    assert_eq!((free.body["total"].as_u64(), free.body["containers"].as_array().unwrap().len()), (Some(4), 4));
    let taken = made.text_at("/container/id");
    let container = http.get(&format!("/containers/{taken}")).await.expect(200);
    assert_eq!((&container.body["allocated_to"], &container.body["pool_state"]), (&json!(id), &json!("allocated")));
    http.get("/containers/nothing").await.problem(404, "container_not_found");
}

#[tokio::test]
async fn a_refresh_looks_and_answers_the_counts() {
    let service = Service::start(2, 2).await;
    // Whichever replica discovers, both can ask.
    for replica in &service.replicas {
        let answer = replica.http().post("/containers/refresh", json!({})).await.expect(200);
        assert_eq!(answer.body["refreshed"], true);
        assert_eq!(answer.body["status"]["total_containers"], 2);
        assert!(answer.body["status"]["providers"][0]["age_seconds"].as_f64().unwrap() < 5.0);
    }
}
