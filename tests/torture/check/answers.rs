//! Every answer is one that the API documents for what was asked, and one key means one session.

use std::collections::HashMap;

use super::{Story, Violation};
use crate::torture::history::{Call, Kind, Micros};

pub fn check(story: &Story) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut keys: HashMap<&str, &Call> = HashMap::new();
    let mut released: HashMap<&str, Micros> = HashMap::new();
    for call in &story.calls {
        if let Some(status) = call.status
            && !allowed(call, status)
            && !(forgotten(call) && story.lost(0, call.to))
        {
            violations.push(violation("documented answers", call, format!("{call:?}")));
        }
        if let (Some(key), Some(_), Some(200..=202)) = (&call.key, &call.session, call.status) {
            let first = keys.entry(key).or_insert(call);
            if first.session != call.session && !story.lost(first.from, call.to) {
                violations.push(violation("one session for a key", call, format!("{first:?} and {call:?}")));
            }
        }
        if let Some(session) = &call.session {
            if call.kind == Kind::Release && call.status == Some(200) {
                let at = released.entry(session).or_insert(call.to);
                *at = call.to.min(*at);
            } else if call.lease.is_some()
                && let Some(at) = released.get(session.as_str())
                && *at < call.from
                && !story.lost(*at, call.to)
            {
                violations.push(violation("released is over", call, format!("{call:?}")));
            }
        }
    }
    violations
}

fn violation(promise: &'static str, call: &Call, evidence: String) -> Violation {
    Violation { promise, at: call.to, evidence }
}

/// Whether it is what a Redis says that forgot the session, or that it was served: then a release takes it out of the line, or
/// meets that it was served anew.
fn forgotten(call: &Call) -> bool {
    match call.code.as_deref() {
        Some("session_not_found" | "lease_token_required" | "session_queued") => call.kind != Kind::Create,
        Some("stale_fencing_token") => matches!(call.kind, Kind::Release | Kind::Heartbeat | Kind::BatchHeartbeat),
        None => call.kind == Kind::StaleRelease && call.status == Some(200),
        Some(_) => false,
    }
}

/// What each kind of call may be answered with. 503 is always allowed: Redis may be away, and says so.
fn allowed(call: &Call, status: u16) -> bool {
    if status == 503 {
        return true;
    }
    let code = call.code.as_deref().unwrap_or_default();
    match call.kind {
        Kind::Create | Kind::Duplicate => matches!((status, code), (200..=202, "") | (410, "session_ended")),
        Kind::Read | Kind::Release => status == 200,
        Kind::Heartbeat | Kind::BatchHeartbeat | Kind::LateHeartbeat => {
            matches!((status, code), (200, "") | (410, "session_ended"))
        }
        Kind::StaleHeartbeat => matches!((status, code), (409, "stale_fencing_token") | (410, "session_ended")),
        Kind::StaleRelease => (status, code) == (409, "stale_fencing_token"),
    }
}
