//! The stub's HTTP: paths and answers as the API server has them.

use std::{collections::HashMap, convert::Infallible, io, sync::Arc, time::Duration};

use futures_util::stream;
use http_body_util::{BodyExt as _, Collected, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Frame, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, DATE},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{PROVIDER, State};

pub type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// A watch that is told of nothing for so long is told how far it is.
const BOOKMARK_AFTER: Duration = Duration::from_millis(100);

pub async fn answer(state: Arc<State>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    if request.uri().path().ends_with("/exec") {
        return Ok(command(&state, request));
    }
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query = query(&parts.uri).into_iter().collect();
    let provider = is_provider(&parts.headers);
    if provider {
        state.pods().calls.push(format!("{} {}", parts.method, parts.uri));
    }
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let names: Vec<&str> = path.trim_matches('/').split('/').collect();
    Ok(match (parts.method.clone(), names.as_slice()) {
        (Method::GET, ["version"]) => json_answer(StatusCode::OK, &json!({"major": "1", "minor": "33"})),
        (Method::POST, ["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"]) => review(&state, body),
        (Method::DELETE, ["api", "v1", "namespaces", _]) => json_answer(StatusCode::OK, &json!({"metadata": {}})),
        (Method::POST, ["api", "v1", "namespaces"] | ["api", "v1", "namespaces", _, "serviceaccounts"]) => {
            json_answer(StatusCode::CREATED, &body)
        }
        (method, ["api", "v1", "pods"]) => pods(&state, &method, None, &[], &query, &body, provider),
        (method, ["api", "v1", "namespaces", namespace, "pods", rest @ ..]) => {
            pods(&state, &method, Some(*namespace), rest, &query, &body, provider)
        }
        (method, _) => failure(404, "NotFound", &format!("the stub does not know {method} {path}")),
    })
}

fn query(uri: &Uri) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://stub{uri}")).expect("a path");
    url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned())).collect()
}

fn is_provider(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value == format!("Bearer {PROVIDER}").as_str())
}

fn command(state: &State, request: Request<Incoming>) -> Answer {
    if is_provider(request.headers()) && ["get", "create"].iter().any(|verb| denied(state, verb, "pods/exec")) {
        return failure(403, "Forbidden", "pods \"exec\" is forbidden");
    }
    state.pods().calls.push(format!("GET {}", request.uri()));
    let words = query(request.uri()).into_iter().filter(|(key, _)| key == "command").map(|(_, word)| word).collect();
    super::exec::run(request, words)
}

fn pods(
    state: &Arc<State>,
    method: &Method,
    namespace: Option<&str>,
    rest: &[&str],
    query: &HashMap<String, String>,
    body: &Value,
    provider: bool,
) -> Answer {
    let watches = query.get("watch").is_some_and(|value| value == "true" || value == "1");
    let (verb, resource) = match (method, rest) {
        (&Method::GET, []) if watches => ("watch", "pods"),
        (&Method::GET, []) => ("list", "pods"),
        (&Method::GET, [_]) => ("get", "pods"),
        (&Method::GET, [_, "log"]) => ("get", "pods/log"),
        (&Method::POST, []) => ("create", "pods"),
        (&Method::DELETE, [_]) => ("delete", "pods"),
        (&Method::PATCH, _) => ("patch", "pods"),
        _ => return failure(405, "MethodNotAllowed", "the stub does not do this"),
    };
    if provider && denied(state, verb, resource) {
        let place = namespace.map_or("at the cluster scope".to_owned(), |name| format!("in the namespace \"{name}\""));
        let told = format!(
            "pods is forbidden: User \"provider\" cannot {verb} resource \"{resource}\" in API group \"\" {place}"
        );
        return failure(403, "Forbidden", &told);
    }
    let selector = query.get("labelSelector").cloned().unwrap_or_default();
    let here = namespace.unwrap_or_default();
    let missing = || failure(404, "NotFound", &format!("pods {:?} not found", rest.first().unwrap_or(&"")));
    let found = |pod: Option<Value>| pod.map_or_else(missing, |pod| json_answer(StatusCode::OK, &pod));
    match (verb, rest) {
        ("watch", _) => watch(state, namespace.map(str::to_owned), selector, query),
        ("list", _) => {
            let limit = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(0);
            match state.pods().list(namespace, &selector, limit, query.get("continue").map(String::as_str)) {
                Ok(list) => json_answer(StatusCode::OK, &list),
                Err(()) => failure(410, "Expired", "The provided continue parameter is too old"),
            }
        }
        ("get", [name]) => found(state.pods().get(here, name)),
        ("get", [name, "log"]) => {
            if state.pods().get(here, name).is_none() {
                missing()
            } else {
                log(query)
            }
        }
        ("create", _) => match state.change(|pods| pods.create(here, body.clone())) {
            Some(pod) => json_answer(StatusCode::CREATED, &pod),
            None => failure(409, "AlreadyExists", "the name is taken"),
        },
        ("delete", [name]) => match state.change(|pods| pods.delete(here, name, body)) {
            Some(Ok(pod)) => json_answer(StatusCode::OK, &pod),
            Some(Err(())) => failure(409, "Conflict", "the UID in the precondition does not match"),
            None => missing(),
        },
        ("patch", [name, "status"]) => found(state.change(|pods| pods.patch_status(here, name, body))),
        ("patch", [name]) => match state.change(|pods| pods.patch(here, name, body)) {
            Some(Ok(pod)) => json_answer(StatusCode::OK, &pod),
            Some(Err(())) => failure(409, "Conflict", "the UID in the precondition does not match"),
            None => missing(),
        },
        _ => failure(404, "NotFound", "the stub does not know this"),
    }
}

fn denied(state: &State, verb: &str, resource: &str) -> bool {
    state.denied.lock().unwrap().iter().any(|(v, r)| (v.as_str(), r.as_str()) == (verb, resource))
}

fn review(state: &State, mut review: Value) -> Answer {
    let asked = &review["spec"]["resourceAttributes"];
    let word = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let sub = word("subresource");
    let resource = if sub.is_empty() { word("resource") } else { format!("{}/{sub}", word("resource")) };
    let allowed = !denied(state, &word("verb"), &resource);
    review["status"] = json!({"allowed": allowed});
    json_answer(StatusCode::CREATED, &review)
}

/// Two lines, of which `tailLines` takes the last ones; followed, there is a third one.
fn log(query: &HashMap<String, String>) -> Answer {
    let mut lines = vec!["2026-11-25T12:00:00Z one\n", "2026-11-25T12:00:01Z two\n"];
    let tail = query.get("tailLines").and_then(|text| text.parse().ok()).unwrap_or(lines.len());
    lines.drain(..lines.len().saturating_sub(tail));
    if query.get("follow").is_some_and(|value| value == "true") {
        lines.push("2026-11-25T12:00:02Z three\n");
    }
    whole(StatusCode::OK, "text/plain", lines.concat())
}

/// Where a watch is.
struct Watch {
    state: Arc<State>,
    namespace: Option<String>,
    selector: String,
    bookmarks: bool,
    version: u64,
    changed: watch::Receiver<u64>,
    cuts: watch::Receiver<u64>,
    tells: watch::Receiver<bool>,
    end: Option<End>,
}

/// How a watch ends after what it says next.
#[derive(Clone, Copy)]
enum End {
    Whole,
    Broken,
}

impl Watch {
    /// The next lines; none at its end, and an error where it breaks off.
    async fn next(&mut self) -> Option<Result<String, io::Error>> {
        match self.end {
            Some(End::Whole) => return None,
            Some(End::Broken) => return Some(Err(io::Error::other("broken off"))),
            None => {}
        }
        loop {
            self.changed.borrow_and_update();
            if *self.tells.borrow_and_update() {
                let since = self.state.pods().since(self.version, self.namespace.as_deref(), &self.selector);
                let Ok((told, version)) = since else {
                    self.end = Some(End::Whole);
                    let status = status(410, "Expired", "too old resource version");
                    return Some(Ok(line(&json!({"type": "ERROR", "object": status}))));
                };
                self.version = version;
                if !told.is_empty() {
                    return Some(Ok(told.iter().map(line).collect()));
                }
            }
            tokio::select! {
                _ = self.changed.changed() => {}
                _ = self.tells.changed() => {}
                _ = self.cuts.changed() => {
                    self.end = Some(End::Broken);
                    return Some(Ok("{\"type\":\"MODI".to_owned()));
                }
                () = tokio::time::sleep(BOOKMARK_AFTER), if self.bookmarks && *self.tells.borrow() => {
                    let object = json!({"kind": "Pod", "apiVersion": "v1",
                        "metadata": {"resourceVersion": self.version.to_string()}});
                    return Some(Ok(line(&json!({"type": "BOOKMARK", "object": object}))));
                }
            }
        }
    }
}

fn watch(state: &Arc<State>, namespace: Option<String>, selector: String, query: &HashMap<String, String>) -> Answer {
    let watch = Watch {
        namespace,
        selector,
        bookmarks: query.get("allowWatchBookmarks").is_some_and(|value| value == "true"),
        version: query.get("resourceVersion").and_then(|text| text.parse().ok()).unwrap_or(0),
        changed: state.changed.subscribe(),
        cuts: state.cuts.subscribe(),
        tells: state.tells.subscribe(),
        state: state.clone(),
        end: None,
    };
    let frames = stream::unfold(watch, |mut watch| async move {
        let lines = watch.next().await?;
        Some((lines.map(|lines| Frame::data(Bytes::from(lines))), watch))
    });
    headed(StatusCode::OK, "application/json", StreamBody::new(frames).boxed_unsync())
}

fn line(event: &Value) -> String {
    format!("{event}\n")
}

fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}

fn failure(code: u16, reason: &str, message: &str) -> Answer {
    json_answer(StatusCode::from_u16(code).expect("a status"), &status(code, reason, message))
}

fn json_answer(status: StatusCode, body: &Value) -> Answer {
    whole(status, "application/json", body.to_string())
}

fn whole(status: StatusCode, kind: &str, text: String) -> Answer {
    headed(status, kind, Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync())
}

/// hyper's server writes the date by itself; here it is the one of the API server.
fn headed(status: StatusCode, kind: &str, body: UnsyncBoxBody<Bytes, io::Error>) -> Answer {
    let now = jiff::Timestamp::now();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).expect("a date");
    Response::builder().status(status).header(CONTENT_TYPE, kind).header(DATE, date).body(body).expect("an answer")
}
