//! Which methods a path has: a 405 says so (RFC 9110, 15.5.6).

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    dev::ServiceRequest,
    http::{
        Method,
        header::{ALLOW, HeaderValue},
    },
};

use super::{Problem, answers};

/// By pattern, as in `/sessions/{id}`: the methods in the words of `Allow`.
pub(super) struct Methods(BTreeMap<String, Vec<Method>>);

impl Methods {
    /// Those of the document, and of the pages that describe it.
    pub(super) fn of(mut document: utoipa::openapi::OpenApi) -> Self {
        let pages = ["/", "/assets/{file}", "/openapi.json", "/docs", "/docs/{_:.*}"]
            .map(|page| (page.to_owned(), vec![Method::GET]));
        let routes = document.paths.paths.iter_mut().map(|(pattern, item)| {
            (pattern.clone(), answers::operations(item).into_iter().map(|(method, _)| method).collect())
        });
        Self(routes.chain(pages).collect())
    }

    /// Refuses a method that a literal path lacks. Routing alone would take `GET /sessions/heartbeats` for a session
    /// with the id `heartbeats`.
    pub(super) fn refuse(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let (method, path) = (request.method(), request.path());
        let allowed = self.0.get(path).filter(|allowed| !allowed.contains(method))?;
        // A replica without the role `api` has few of these routes.
        request.resource_map().has_resource(path).then(|| wrong_method(method, path, allowed))
    }

    /// The answer where no route matches: by the path, or only by the method.
    pub(super) fn nothing_there(&self, request: &HttpRequest) -> HttpResponse {
        let pattern = request.resource_map().match_pattern(request.path());
        match pattern.and_then(|pattern| self.0.get(&pattern)) {
            Some(allowed) => wrong_method(request.method(), request.path(), allowed),
            None => Problem::no_route(request.path()).error_response(),
        }
    }
}

fn wrong_method(method: &Method, path: &str, allowed: &[Method]) -> HttpResponse {
    let mut response = Problem::wrong_method(method.as_str(), path).error_response();
    let list = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    if let Ok(list) = HeaderValue::from_str(&list) {
        response.headers_mut().insert(ALLOW, list);
    }
    response
}
