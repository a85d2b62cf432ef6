//! The page at `/`, with the dashboard built or without.

use reqwest::Method;

use super::{Service, auth::with_keys};

/// The addresses of scripts and styles that a page names.
fn assets(page: &str) -> Vec<String> {
    page.split('"').filter(|word| word.starts_with("./assets/")).map(|word| word[1..].to_owned()).collect()
}

#[tokio::test]
async fn the_page_runs_nothing_but_its_own_files_and_needs_no_key() {
    let service = Service::start(1, 1).await;
    let http = service.http().with_key(None);
    for path in ["/", "/api/"] {
        let page = http.get(path).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(page.text.contains("Leasehold"), "{}", page.text);
    }
    http.post("/", serde_json::json!({})).await.problem(405, "method_not_allowed");
    http.get("/assets/nothing.js").await.problem(404, "not_found");
    http.get("/assets/..%2Findex.html").await.problem(404, "not_found");
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_the_page_is_asked_for_again() {
    let service = Service::start(1, 1).await;
    let http = service.http().with_key(None);
    let page = http.get("/").await.expect(200);
    for path in assets(&page.text) {
        let plain = http.get(&path).await.expect(200);
        assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        let gzip = http.try_call(Method::GET, &path, None, &[("Accept-Encoding", "br, gzip")]).await.unwrap();
        assert_eq!((gzip.status, gzip.header("content-encoding")), (200, "gzip"), "{path}");
        let size = |answer: &crate::common::http::Answer| answer.header("content-length").parse::<usize>().unwrap();
        assert!(size(&gzip) < size(&plain), "{path}");
    }
    if page.text.contains("built without its dashboard") {
        assert_eq!(assets(&page.text).len(), 0);
        return;
    }
    assert!(assets(&page.text).len() >= 2, "{}", page.text);
    assert_eq!(page.header("cache-control"), "no-cache");
    let etag = page.header("etag").to_owned();
    let again = http.try_call(Method::GET, "/", None, &[("If-None-Match", &etag)]).await.unwrap();
    assert_eq!((again.status, again.text.as_str()), (304, ""));
}

#[tokio::test]
async fn a_key_is_told_what_it_may_do() {
    let service = Service::start_with(1, 1, with_keys).await;
    let http = service.http();
    for (given, owner, role) in [("alice-key", "alice", "client"), ("eye-key", "alice", "viewer")] {
        let me = http.with_key(Some(given)).get("/me").await.expect(200).body;
        let expected = serde_json::json!({ "owner": owner, "role": role, "key": given, "auth_required": true });
        assert_eq!(me, expected);
    }
    http.with_key(Some("wrong")).get("/me").await.problem(401, "invalid_api_key");
}
