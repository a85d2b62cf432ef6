//! What a client may send, for the fuzzer and for random tests: each function takes bytes of any kind and fails when
//! something is not as promised.

use std::sync::OnceLock;

use actix_web::{HttpRequest, test::TestRequest, web};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    CreateBody, DrainBody, HeartbeatBody, HeartbeatsBody, Keys, Problem, TypeBody,
    auth::key_of,
    extract::{parse, session_id},
    paths,
    problem::DETAIL_MOST,
    sessions::checked,
};
use crate::config::{Config, Limits};

/// The one key that is right.
const KEY: &str = "lh_the-key";

/// A body is understood or refused with a reason, and reads as it was written.
///
/// # Panics
/// It does not.
pub fn bodies(data: &[u8]) {
    if let Some(create) = body::<CreateBody>(data)
        && let Ok(target_type) = create.target_type.parse()
        && let Err(problem) = checked(create, target_type, None, &Limits::default(), 300)
    {
        refused(&problem, &[400, 422]);
    }
    let _ = body::<HeartbeatBody>(data);
    let _ = body::<DrainBody>(data);
    let _ = body::<TypeBody>(data);
    if let Some(many) = body::<HeartbeatsBody>(data) {
        for one in &many.heartbeats {
            id(&one.session_id);
        }
    }
}

fn body<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    match parse::<T>(data) {
        Ok(value) => {
            let text = serde_json::to_vec(&value).expect("what was read can be written");
            let again: T = parse(&text).expect("what was written can be read");
            assert_eq!(serde_json::to_vec(&again).expect("twice as well"), text);
            Some(value)
        }
        Err(problem) => {
            refused(&problem, &[400]);
            None
        }
    }
}

/// A path, a query and the ids in it are understood or refused.
///
/// # Panics
/// They are not.
pub fn ids(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    id(&text);
    if let Some(normal) = paths::normal(&text) {
        assert!(paths::normal(normal).is_none() || normal.starts_with("/api"), "{text:?} has two normal forms");
        assert!(normal.len() <= text.len().max(1));
    }
    for problem in super::sessions::fuzz_queries(&text).chain(super::explain::fuzz_queries(&text)) {
        refused(&problem, &[400]);
    }
}

fn id(text: &str) {
    match session_id(text) {
        Ok(id) => assert!(id.to_string().eq_ignore_ascii_case(text), "{id} was {text:?}"),
        Err(problem) => refused(&problem, &[400]),
    }
}

/// No header but the right key's is taken for it.
///
/// # Panics
/// One is.
pub fn keys(data: &[u8]) {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    let keys =
        KEYS.get_or_init(|| Keys::load(&Config::default(), Some(&KEY.into())).expect("a key of the environment"));
    for name in ["X-API-Key", "Authorization"] {
        let Some(request) = with_header(name, data) else { continue };
        let given = key_of(&request);
        let right = given == Some(KEY);
        match keys.check(given) {
            Ok(()) => assert!(right, "{name}: {given:?} is taken for the key"),
            Err(problem) => {
                assert!(!right, "{name}: the key is refused");
                refused(&problem, &[401]);
                // The same words for each, so nothing of what was given is among them.
                let other = keys.check(given.map(|_| "another")).expect_err("another key");
                assert_eq!(problem.detail, other.detail);
            }
        }
    }
}

fn with_header(name: &str, value: &[u8]) -> Option<HttpRequest> {
    let value = actix_web::http::header::HeaderValue::from_bytes(value).ok()?;
    Some(TestRequest::default().insert_header((name, value)).to_http_request())
}

/// A refusal has its status and says why, in bounded words.
fn refused(problem: &Problem, statuses: &[u16]) {
    assert!(statuses.contains(&problem.status), "{problem}");
    assert!(!problem.detail.is_empty() && problem.detail.chars().count() <= DETAIL_MOST + 1, "{problem}");
}

/// How a query is read where it names these parameters.
pub(super) fn query<T: DeserializeOwned>(text: &str) -> Option<Problem> {
    web::Query::<T>::from_query(text).err().map(|error| super::extract::wrong_query(text, &error))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use serde_json::{Value, json};

    use super::*;

    /// JSON that is wrong in one field, and the field.
    fn wrong_field() -> impl Strategy<Value = (&'static str, Value)> {
        const FIELDS: [&str; 7] =
            ["ttl_seconds", "wait_seconds", "priority", "max_duration_seconds", "on_shortage", "confirm", "metadata"];
        let values = [json!([1]), json!("\u{0}"), json!(-1), json!(1.5), json!("x".repeat(3000)), json!([[[[]]]])];
        (select(FIELDS.to_vec()), select(values.to_vec()))
    }

    /// Bytes, text, and what looks like a request's body.
    fn data() -> impl Strategy<Value = Vec<u8>> {
        let words = [
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\\u0000",
            "\"target_type\"",
            "\"wine\"",
            "\"heartbeats\"",
            "\"session_id\"",
            "\"fencing_token\"",
            "\"metadata\"",
            "1e999",
            "18446744073709551616",
            "-1",
            "null",
            "true",
            " ",
            "\u{feff}",
            "0193a5b0-7c2e-8f00-9d41-5b1e7a3c9f10",
            "/api",
            "//",
            "%00",
            "limit=",
            "cursor=wine.live.",
            "&",
            "Bearer ",
            KEY,
        ];
        prop_oneof![
            vec(any::<u8>(), 0..512),
            any::<String>().prop_map(String::into_bytes),
            vec(select(words.to_vec()), 0..40).prop_map(|words| words.concat().into_bytes()),
        ]
    }

    proptest! {
        #[test]
        fn any_body_is_understood_or_refused_with_a_reason(data in data()) {
            bodies(&data);
        }

        #[test]
        fn any_path_query_or_id_is_understood_or_refused(data in data()) {
            ids(&data);
        }

        #[test]
        fn no_header_is_taken_for_a_key_but_the_keys_own(data in data()) {
            keys(&data);
        }

        #[test]
        fn a_wrong_field_is_named((field, value) in wrong_field()) {
            let mut body = json!({"target_type": "wine"});
            body[field] = value;
            let problem = parse::<CreateBody>(body.to_string().as_bytes()).unwrap_err();
            refused(&problem, &[400]);
            prop_assert!(problem.detail.contains(field), "{field}: {problem}");
        }

        #[test]
        fn a_field_that_nobody_knows_is_named(name in "[a-z_]{1,40}") {
            let mut body = json!({"target_type": "wine"});
            prop_assume!(parse::<CreateBody>(json!({"target_type": "wine", &name: null}).to_string().as_bytes()).is_err());
            prop_assume!(serde_json::to_value(parse::<CreateBody>(body.to_string().as_bytes()).unwrap()).unwrap().get(&name).is_none());
            body[&name] = json!({});
            let problem = parse::<CreateBody>(body.to_string().as_bytes()).unwrap_err();
            prop_assert!(problem.detail.contains(&name), "{name}: {problem}");
        }
    }

    #[test]
    fn the_key_itself_is_taken_in_either_header() {
        keys(KEY.as_bytes());
        keys(format!("Bearer {KEY}").as_bytes());
    }
}
