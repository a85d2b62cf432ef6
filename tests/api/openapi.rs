//! The document that clients are made from.

use super::Service;

#[tokio::test]
async fn the_document_is_the_golden_one() {
    let service = Service::start(1, 0).await;
    let http = service.http();
    let document = http.get("/openapi.json").await.expect(200).body;
    assert_eq!(document["openapi"], "3.1.0");
    let golden = format!("{}/tests/api/openapi.json", env!("CARGO_MANIFEST_DIR"));
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let known = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(text, known, "the API changed: look at it, then `UPDATE_GOLDEN=1 cargo test openapi` and commit");
}

#[tokio::test]
async fn the_pages_are_there_without_a_key() {
    let service = Service::start(1, 0).await;
    let http = service.http().with_key(None);
    for path in ["/docs", "/docs/", "/api/docs/"] {
        let page = http.get(path).await.expect(200);
        assert!(page.text.contains("swagger-ui"), "{path}: {}", page.text);
    }
    http.get("/docs/swagger-ui-bundle.js").await.expect(200);
}
