//! The stub's HTTP: paths and answers as the API server has them.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::stream;
use http_body_util::{BodyExt as _, Collected, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Frame, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, DATE},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{
    PROVIDER, State,
    objects::{Fault, PODS, WORKLOADS},
};

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
        state.objects().calls.push(format!("{} {}", parts.method, parts.uri));
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
        (method, ["api", "v1", "pods"]) => ask(PODS, None, &[]).answer(&state, &method, &query, &body, provider),
        (method, ["api", "v1", "namespaces", namespace, "pods", rest @ ..]) => {
            ask(PODS, Some(namespace), rest).answer(&state, &method, &query, &body, provider)
        }
        (method, ["apis", "apps", "v1", "namespaces", namespace, resource, rest @ ..]) => {
            ask(resource, Some(namespace), rest).answer(&state, &method, &query, &body, provider)
        }
        (method, ["apis", "kubevirt.io", "v1", rest @ ..]) if state.kubevirt.load(Ordering::Relaxed) => match rest {
            [] => json_answer(StatusCode::OK, &kubevirt()),
            [resource] => ask(resource, None, &[]).answer(&state, &method, &query, &body, provider),
            ["namespaces", namespace, resource, rest @ ..] => {
                ask(resource, Some(namespace), rest).answer(&state, &method, &query, &body, provider)
            }
            _ => failure(404, "NotFound", "the server could not find the requested resource"),
        },
        // Of an API that is not there no `Status` is told.
        (_, ["apis", "kubevirt.io", ..]) => {
            whole(StatusCode::NOT_FOUND, "text/plain", "404 page not found\n".to_owned())
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
    state.objects().calls.push(format!("GET {}", request.uri()));
    let words = query(request.uri()).into_iter().filter(|(key, _)| key == "command").map(|(_, word)| word).collect();
    super::exec::run(request, words)
}

/// The document by which an API is found.
fn kubevirt() -> Value {
    let resource = |kind: &str, name: &str| {
        let verbs = ["delete", "get", "list", "patch", "create", "watch"];
        json!({"name": name, "singularName": "", "namespaced": true, "kind": kind, "verbs": verbs})
    };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "kubevirt.io/v1", "resources": [
        resource("VirtualMachine", "virtualmachines"), resource("VirtualMachineInstance", "virtualmachineinstances"),
    ]})
}

/// What a path names.
struct Ask<'a> {
    resource: &'a str,
    namespace: Option<&'a str>,
    rest: &'a [&'a str],
}

fn ask<'a>(resource: &'a str, namespace: Option<&'a str>, rest: &'a [&'a str]) -> Ask<'a> {
    Ask { resource, namespace, rest }
}

impl Ask<'_> {
    /// As rights call it.
    fn right(&self) -> String {
        let group = match self.resource {
            PODS => "",
            resource if WORKLOADS.contains(&resource) => ".apps",
            _ => ".kubevirt.io",
        };
        let part = match self.rest {
            [_, "log"] => "/log",
            [_, "scale"] => "/scale",
            _ => "",
        };
        format!("{}{group}{part}", self.resource)
    }

    fn answer(
        &self,
        state: &Arc<State>,
        method: &Method,
        query: &HashMap<String, String>,
        body: &Value,
        provider: bool,
    ) -> Answer {
        let Self { resource, namespace, rest } = *self;
        let watches = query.get("watch").is_some_and(|value| value == "true" || value == "1");
        let verb = match (method, rest) {
            (&Method::GET, []) if watches => "watch",
            (&Method::GET, []) => "list",
            (&Method::GET, [_] | [_, "log"]) => "get",
            (&Method::POST, []) => "create",
            (&Method::DELETE, [_]) => "delete",
            (&Method::PATCH, _) => "patch",
            _ => return failure(405, "MethodNotAllowed", "the stub does not do this"),
        };
        if provider && denied(state, verb, &self.right()) {
            let place =
                namespace.map_or("at the cluster scope".to_owned(), |name| format!("in the namespace \"{name}\""));
            let told =
                format!("{resource} is forbidden: User \"provider\" cannot {verb} resource \"{resource}\" {place}");
            return failure(403, "Forbidden", &told);
        }
        let selector = query.get("labelSelector").cloned().unwrap_or_default();
        let here = namespace.unwrap_or_default();
        let missing = || failure(404, "NotFound", &format!("{resource} {:?} not found", rest.first().unwrap_or(&"")));
        let found = |object: Option<Value>| object.map_or_else(missing, |object| json_answer(StatusCode::OK, &object));
        match (verb, rest) {
            ("watch", _) => watch(state, resource, namespace.map(str::to_owned), selector, query),
            ("list", _) => {
                let limit = query.get("limit").and_then(|text| text.parse().ok()).unwrap_or(0);
                let from = query.get("continue").map(String::as_str);
                match state.objects().list(resource, namespace, &selector, limit, from) {
                    Ok(list) => json_answer(StatusCode::OK, &list),
                    Err(()) => failure(410, "Expired", "The provided continue parameter is too old"),
                }
            }
            ("get", [name]) => found(state.objects().get(resource, here, name)),
            ("get", [name, "log"]) => {
                if state.objects().get(resource, here, name).is_none() {
                    missing()
                } else {
                    log(query)
                }
            }
            ("create", _) => match state.change(|objects| objects.create(resource, here, body.clone())) {
                Some(object) => json_answer(StatusCode::CREATED, &object),
                None => failure(409, "AlreadyExists", "the name is taken"),
            },
            ("delete", [name]) => match state.change(|objects| objects.delete(resource, here, name, body)) {
                Some(Ok(object)) => json_answer(StatusCode::OK, &object),
                Some(Err(())) => failure(409, "Conflict", "the UID in the precondition does not match"),
                None => missing(),
            },
            ("patch", [name, "status"]) => {
                found(state.change(|objects| objects.patch_status(resource, here, name, body)))
            }
            ("patch", [name, "scale"]) => match state.change(|objects| objects.scale(resource, here, name, body)) {
                Some(Ok(_)) if state.objects().faults.remove(&Fault::AnswerIsLost) => lost(),
                Some(Ok(scale)) => json_answer(StatusCode::OK, &scale),
                Some(Err(())) => failure(409, "Conflict", "the object has been modified"),
                None => missing(),
            },
            ("patch", [_]) if provider && resource == PODS && state.objects().faults.contains(&Fault::MarksFail) => {
                failure(500, "InternalError", "an admission webhook does not answer")
            }
            ("patch", [name]) => match state.change(|objects| objects.patch(resource, here, name, body)) {
                Some(Ok(object)) => json_answer(StatusCode::OK, &object),
                Some(Err(())) => failure(409, "Conflict", "the UID in the precondition does not match"),
                None => missing(),
            },
            _ => failure(404, "NotFound", "the stub does not know this"),
        }
    }
}

/// The beginning of an answer that breaks off.
fn lost() -> Answer {
    let broken = stream::iter([Err::<Frame<Bytes>, _>(io::Error::other("broken off"))]);
    Response::new(StreamBody::new(broken).boxed_unsync())
}

fn denied(state: &State, verb: &str, resource: &str) -> bool {
    state.denied.lock().unwrap().iter().any(|(v, r)| (v.as_str(), r.as_str()) == (verb, resource))
}

fn review(state: &State, mut review: Value) -> Answer {
    let asked = &review["spec"]["resourceAttributes"];
    let word = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let sub = word("subresource");
    let group =
        Some(word("group")).filter(|group| !group.is_empty()).map(|group| format!(".{group}")).unwrap_or_default();
    let resource = format!("{}{group}", word("resource"));
    let resource = if sub.is_empty() { resource } else { format!("{resource}/{sub}") };
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
    resource: String,
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
                let (resource, namespace) = (&self.resource, self.namespace.as_deref());
                let since = self.state.objects().since(self.version, resource, namespace, &self.selector);
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

fn watch(
    state: &Arc<State>,
    resource: &str,
    namespace: Option<String>,
    selector: String,
    query: &HashMap<String, String>,
) -> Answer {
    let watch = Watch {
        resource: resource.to_owned(),
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
