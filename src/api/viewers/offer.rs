//! What a viewer offers when it opens the WebSocket.

use actix_web::{
    HttpRequest,
    http::header::{SEC_WEBSOCKET_PROTOCOL, UPGRADE},
};

use super::{PROTOCOL, Problem};
use crate::model::{BadPass, ViewerPass, viewer_hash};

const PASS: &str = "leasehold.pass.";
const VIEWER: &str = "leasehold.viewer.";

/// Its pass, and by what it may come back.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) pass: ViewerPass,
    /// The hash of its own secret.
    pub(super) viewer: Option<String>,
}

impl Offer {
    /// # Errors
    /// It is no WebSocket, or has no pass.
    pub(super) fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let header = |name| request.headers().get_all(name).filter_map(|value| value.to_str().ok());
        let offered: Vec<&str> =
            header(SEC_WEBSOCKET_PROTOCOL).flat_map(|value| value.split(',')).map(str::trim).collect();
        let named = |begin: &str| offered.iter().find_map(|one| one.strip_prefix(begin));
        let bad = |error: BadPass| Problem::malformed("invalid_protocol", format!("Sec-WebSocket-Protocol: {error}"));
        let pass = named(PASS).ok_or_else(Problem::no_pass)?;
        if !header(UPGRADE).any(|value| value.eq_ignore_ascii_case("websocket")) {
            return Err(Problem::upgrade_required("A desktop is shown by a WebSocket: Upgrade: websocket is right"));
        }
        let pass = pass.parse().map_err(bad)?;
        let viewer = named(VIEWER).map(viewer_hash).transpose().map_err(|_| {
            let right = "leasehold.viewer. and 16 to 128 letters, digits, - and _";
            Problem::malformed("invalid_protocol", format!("Sec-WebSocket-Protocol: {right}"))
        })?;
        // Else a browser would take the answer for a refusal, after the pass is used.
        if !offered.contains(&PROTOCOL) {
            let detail = format!("Sec-WebSocket-Protocol: {PROTOCOL} is to be one of them");
            return Err(Problem::malformed("invalid_protocol", detail));
        }
        Ok(Self { pass, viewer })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn offered(upgrade: bool, protocols: &str) -> Result<Offer, String> {
        let mut request = TestRequest::default().insert_header((SEC_WEBSOCKET_PROTOCOL, protocols));
        if upgrade {
            request = request.insert_header((UPGRADE, "WebSocket"));
        }
        Offer::read(&request.to_http_request()).map_err(|problem| problem.code)
    }

    #[test]
    fn a_pass_is_one_of_the_protocols() {
        let pass = ViewerPass::new();
        let named = format!("leasehold.pass.{}", pass.as_str());
        let offer = offered(true, &format!("binary, {named}")).unwrap();
        assert_eq!((offer.pass, offer.viewer), (pass, None));
        assert!(offered(true, &format!("binary,{named},leasehold.viewer.0123456789abcdef")).unwrap().viewer.is_some());
        for (upgrade, protocols, code) in [
            (false, format!("binary, {named}"), "upgrade_required"),
            (false, "binary".to_owned(), "missing_pass"),
            (true, "binary".to_owned(), "missing_pass"),
            (true, named.clone(), "invalid_protocol"),
            (true, "binary, leasehold.pass.lhp_short".to_owned(), "invalid_protocol"),
            (true, format!("binary, {named}, leasehold.viewer.short"), "invalid_protocol"),
        ] {
            assert_eq!(offered(upgrade, &protocols).unwrap_err(), code, "{protocols}");
        }
    }
}
