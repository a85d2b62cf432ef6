//! The answers that many operations share: what the extractors and Redis refuse stands in the document here, once,
//! rather than at each handler. What a handler says of a status itself stays.

use actix_web::http::Method;
use utoipa::openapi::{
    Content, HeaderBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder,
    path::{Operation, PathItem},
};

/// The operations of a path, with their methods.
pub(super) fn operations(item: &mut PathItem) -> Vec<(Method, &mut Operation)> {
    [
        (Method::GET, item.get.as_mut()),
        (Method::POST, item.post.as_mut()),
        (Method::PUT, item.put.as_mut()),
        (Method::PATCH, item.patch.as_mut()),
        (Method::DELETE, item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
    .collect()
}

/// Adds to each operation the answers that follow from what it takes.
pub(super) fn describe_shared(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            for (status, answer) in shared(path, &method, operation) {
                operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(answer));
            }
        }
    }
}

fn shared(path: &str, method: &Method, operation: &Operation) -> Vec<(&'static str, Response)> {
    let tagged = |tag: &str| operation.tags.iter().flatten().any(|other| other == tag);
    let secured = operation.security.is_some();
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|all| !all.is_empty());
    let mut answers = Vec::new();
    if has_body || has_parameters {
        answers.push(("400", problem("A field or parameter is malformed: `detail` names it")));
        answers.push(("422", problem("A value is out of range: `detail` names it and what is right")));
    }
    if secured {
        let challenge = HeaderBuilder::new().description(Some("`Bearer`")).build();
        let mut answer = problem("No API key, or one that is not known");
        answer.headers.insert("WWW-Authenticate".to_owned(), RefOr::T(challenge));
        answers.push(("401", answer));
    }
    // The guide's routes renew what they read.
    if secured && (method != Method::GET || tagged("guide")) {
        answers.push(("403", problem("The key's role does not suffice")));
    }
    if has_body {
        answers.push(("408", problem("The body came too slowly")));
        answers.push(("413", problem("The body is too large")));
        answers.push(("415", problem("The body is not `application/json`")));
    }
    if secured && !keeps(path, method) {
        answers.push(("429", pausing("The key asks too often (`rate_limited`): see Retry-After")));
    }
    if secured && !tagged("operation") {
        answers.push(("503", pausing("Redis does not answer: see Retry-After")));
    }
    answers
}

/// Whether it keeps or ends a session: then it is not counted (the handler takes a `Keeper`).
fn keeps(path: &str, method: &Method) -> bool {
    method == Method::DELETE
        || ["/heartbeat", "/heartbeats", "/{session_id}/release", "/session/{session_id}"]
            .iter()
            .any(|end| path.ends_with(end))
}

/// A problem that says when to try again.
fn pausing(description: &str) -> Response {
    let pause = HeaderBuilder::new().description(Some("Seconds to wait")).build();
    let mut answer = problem(description);
    answer.headers.insert("Retry-After".to_owned(), RefOr::T(pause));
    answer
}

fn problem(description: &str) -> Response {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

#[cfg(test)]
mod tests {
    use crate::api::document;

    #[test]
    fn every_operation_with_a_key_says_what_happens_without_one() {
        let mut document = document();
        let mut secured = 0;
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in super::operations(item) {
                let answers = &operation.responses.responses;
                assert_eq!(answers.contains_key("401"), operation.security.is_some(), "{method} {path}");
                assert_eq!(answers.contains_key("415"), operation.request_body.is_some(), "{method} {path}");
                secured += usize::from(operation.security.is_some());
            }
        }
        assert!(secured > 10, "{secured}");
    }
}
