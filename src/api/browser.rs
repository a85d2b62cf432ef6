//! A replica without a key answers whoever reaches it, and that includes every web page that a browser on this machine
//! shows: it may send simple requests anywhere, and by a name of its own that leads to 127.0.0.1 any. So without a key
//! only requests by a name of this machine are answered, and of those that a page makes only its own and configured ones.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::header::{HOST, HeaderName, ORIGIN},
};

use super::Problem;

/// Refuses what a page of somebody else may have sent. `origins` are those that may call.
///
/// # Errors
/// What it was sent by or to.
pub(super) fn refuse_strangers(request: &HttpRequest, origins: &[String]) -> Result<(), Problem> {
    let header = |name: HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = header(HOST).unwrap_or_default();
    if !is_this_machine(host) {
        return Err(Problem::stranger("Host", host, "localhost or a loopback address"));
    }
    if is_from(request, host, origins) {
        Ok(())
    } else {
        Err(Problem::stranger("Origin", origin(request), "one of cors.origins"))
    }
}

/// Refuses a WebSocket that a page of somebody else opens: browsers ask nobody before they do.
///
/// # Errors
/// Whose page it is.
pub(super) fn refuse_foreign_socket(request: &HttpRequest, origins: &[String]) -> Result<(), Problem> {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if is_from(request, host, origins) { Ok(()) } else { Err(Problem::foreign_socket(origin(request))) }
}

/// Whether a request is from no page, an own one, or one of these origins.
fn is_from(request: &HttpRequest, host: &str, origins: &[String]) -> bool {
    if !request.headers().contains_key(ORIGIN) {
        return true;
    }
    let origin = origin(request);
    let own = origin.split_once("://").is_some_and(|(_, origin)| origin.eq_ignore_ascii_case(host));
    own || origins.iter().any(|other| other == origin)
}

fn origin(request: &HttpRequest) -> &str {
    request.headers().get(ORIGIN).map_or("", |value| value.to_str().unwrap_or("?"))
}

fn is_this_machine(host: &str) -> bool {
    // `[::1]:8088`, `127.0.0.1:8088`, `localhost`
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn refused(host: &str, origin: Option<&str>) -> Option<String> {
        let mut request = TestRequest::default().insert_header((HOST, host));
        if let Some(origin) = origin {
            request = request.insert_header((ORIGIN, origin));
        }
        let origins = ["https://desk.example".to_owned()];
        refuse_strangers(&request.to_http_request(), &origins).err().map(|problem| problem.to_string())
    }

    #[test]
    fn programs_and_own_pages_are_answered() {
        for host in ["127.0.0.1:8088", "localhost", "LOCALHOST:1", "[::1]:8088", "127.8.8.8"] {
            assert_eq!(refused(host, None), None, "{host}");
            assert_eq!(refused(host, Some(&format!("http://{host}"))), None, "{host}");
            assert_eq!(refused(host, Some("https://desk.example")), None, "{host}");
        }
    }

    #[test]
    fn pages_of_others_are_not() {
        for host in ["evil.example", "evil.example:8088", "10.0.0.1:8088", "", "localhost.evil.example", "[fe80::1]"] {
            assert!(refused(host, None).unwrap().contains("Host"), "{host}");
        }
        for origin in
            ["https://evil.example", "null", "http://localhost:3000", "localhost:8088", "https://desk.example.evil"]
        {
            let problem = refused("localhost:8088", Some(origin)).unwrap();
            assert!(problem.starts_with("foreign_page: ") && problem.contains("Origin"), "{problem}");
        }
    }
}
