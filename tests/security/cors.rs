//! Web pages of other origins.

use reqwest::Method;

use crate::{api::Service, common::http::Answer};

const DESK: &str = "https://desk.example";

fn cors_headers(answer: &Answer) -> Vec<String> {
    answer.headers.keys().map(ToString::to_string).filter(|name| name.starts_with("access-control-")).collect()
}

#[tokio::test]
async fn without_a_setting_no_answer_has_a_cors_header() {
    let service = Service::start(1, 1).await;
    let http = service.http();
    let from_desk = [("Origin", DESK)];
    let answer = http.try_call(Method::GET, "/containers/status", None, &from_desk).await.unwrap().expect(200);
    assert_eq!(cors_headers(&answer), Vec::<String>::new());
    let ask = [("Origin", DESK), ("Access-Control-Request-Method", "POST")];
    let answer = http.with_key(None).try_call(Method::OPTIONS, "/sessions", None, &ask).await.unwrap();
    assert_eq!(cors_headers(&answer.problem(405, "method_not_allowed")), Vec::<String>::new());
}

#[tokio::test]
async fn a_configured_origin_and_no_other_may_call() {
    let service =
        Service::start_with(1, 1, |settings| settings.env("CORS__ORIGINS", format!("[\"{DESK}\", \"http://a:3\"]")))
            .await;
    let http = service.http();

    let ask = |origin| {
        [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "x-api-key,content-type,idempotency-key"),
        ]
    };
    // The browser asks without a key.
    let nobody = http.with_key(None);
    let answer = nobody.try_call(Method::OPTIONS, "/api/sessions/", None, &ask(DESK)).await.unwrap().expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), DESK);
    assert!(answer.header("access-control-allow-methods").contains("POST"), "{:?}", answer.headers);
    assert!(
        answer.header("access-control-allow-headers").to_lowercase().contains("idempotency-key"),
        "{:?}",
        answer.headers
    );
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    for other in ["https://desk.example.evil", "https://evil.example", "http://desk.example", "null"] {
        let answer = nobody.try_call(Method::OPTIONS, "/sessions", None, &ask(other)).await.unwrap();
        assert_eq!((answer.status, cors_headers(&answer)), (400, Vec::new()), "{other}");
    }

    let get =
        async |origin| http.try_call(Method::GET, "/containers/status", None, &[("Origin", origin)]).await.unwrap();
    let answer = get(DESK).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), DESK);
    assert!(
        answer.header("access-control-expose-headers").to_lowercase().contains("retry-after"),
        "{:?}",
        answer.headers
    );
    assert!(answer.header("vary").to_lowercase().contains("origin"), "{:?}", answer.headers);
    // Its pages can read why something was refused.
    let refused = nobody.try_call(Method::GET, "/sessions", None, &[("Origin", DESK)]).await.unwrap();
    assert_eq!(refused.problem(401, "missing_api_key").header("access-control-allow-origin"), DESK);
    let answer = get("https://evil.example").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "", "{:?}", answer.headers);
}

#[tokio::test]
async fn without_a_key_no_page_of_others_is_answered() {
    let service = Service::start_with(1, 1, |settings| settings.env("API_KEY", "")).await;
    let http = service.http().with_key(None);
    let call = async |headers: &[(&str, &str)]| {
        // What any page may send without asking.
        http.try_call(Method::POST, "/containers/wine/allocate?session_id=job", None, headers).await.unwrap()
    };
    call(&[("Origin", DESK)]).await.problem(403, "foreign_page");
    call(&[("Host", "rebound.example:8088")]).await.problem(403, "foreign_page");
    http.get("/containers/status").await.expect(200);
    let own = service.replicas[0].url();
    call(&[("Origin", &own)]).await.expect(200);
    call(&[]).await.expect(200);
}
