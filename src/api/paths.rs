//! One resource, one handler: a trailing slash makes no difference, and every route also answers under `/api`.

use actix_web::{
    dev::ServiceRequest,
    http::{Uri, uri::PathAndQuery},
};

/// Rewrites the path of a request to the one that the routes know.
pub(super) fn normalise(request: &mut ServiceRequest) {
    let uri = request.uri();
    let Some(path) = normal(uri.path()) else { return };
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = PathAndQuery::from_maybe_shared(path_and_query).ok();
    let Ok(uri) = Uri::from_parts(parts) else { return };
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
}

/// The path that the routes know; none when it is this one. The pages below `/docs/` refer to one another by relative
/// addresses, so there the slash counts.
pub(super) fn normal(path: &str) -> Option<&str> {
    let inner = match path.strip_prefix("/api") {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    };
    let trimmed = if inner.starts_with("/docs/") { inner } else { inner.trim_end_matches('/') };
    let normal = if trimmed.is_empty() { "/" } else { trimmed };
    (normal != path).then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn slash_and_prefix_make_no_difference() {
        for (given, expected) in [
            ("/sessions/", Some("/sessions")),
            ("/api/sessions/", Some("/sessions")),
            ("/api/containers/status", Some("/containers/status")),
            ("/containers//", Some("/containers")),
            ("/api", Some("/")),
            ("/api/", Some("/")),
            ("/", None),
            ("/sessions", None),
            ("/apis", None),
            ("/docs/", None),
        ] {
            assert_eq!(normal(given), expected, "{given}");
        }
    }
}
