//! As much of an API server as helm needs: discovery, objects, and watches that tell what is there. Nothing acts on the objects, but
//! that each job is complete at once.

use std::{
    collections::BTreeMap,
    future::ready,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::{Method, header},
    web,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt as _;
use prost::Message;
use serde_json::{Value, json};

/// The kinds that it knows, by group, each with the name of its collection.
const KINDS: [(&str, &[(&str, &str)]); 6] = [
    (
        "v1",
        &[
            ("ConfigMap", "configmaps"),
            ("PersistentVolumeClaim", "persistentvolumeclaims"),
            ("Pod", "pods"),
            ("Secret", "secrets"),
            ("Service", "services"),
            ("ServiceAccount", "serviceaccounts"),
        ],
    ),
    ("apps/v1", &[("Deployment", "deployments"), ("StatefulSet", "statefulsets")]),
    ("batch/v1", &[("Job", "jobs")]),
    ("networking.k8s.io/v1", &[("NetworkPolicy", "networkpolicies")]),
    ("policy/v1", &[("PodDisruptionBudget", "poddisruptionbudgets")]),
    ("rbac.authorization.k8s.io/v1", &[("Role", "roles"), ("RoleBinding", "rolebindings")]),
];

/// How helm writes its own record of a release.
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// The begin of each message in that form.
const MAGIC: &[u8] = b"k8s\0";

/// What has been written.
#[derive(Default)]
pub struct Objects {
    /// By path.
    pub now: BTreeMap<String, Value>,
    /// `PATCH jobs/pool-leasehold-init` and its like, in their order; without helm's records.
    pub writes: Vec<String>,
    /// Helm's records by name, each a Secret as it came.
    records: BTreeMap<String, Vec<u8>>,
}

/// A server, which ends with the test's runtime.
pub struct Cluster {
    address: SocketAddr,
    objects: Arc<Mutex<Objects>>,
}

impl Cluster {
    pub fn start() -> Self {
        let objects = Arc::new(Mutex::new(Objects::default()));
        let data = web::Data::from(objects.clone());
        let respond = |request: HttpRequest, body: web::Bytes, objects: web::Data<Mutex<Objects>>| {
            ready(answer(&request, &body, &objects))
        };
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(respond)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").expect("a free port");
        let address = server.addrs()[0];
        tokio::spawn(server.run());
        Self { address, objects }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().expect("the objects")
    }
}

impl Objects {
    /// The object of a collection with this name.
    pub fn named(&self, collection: &str, name: &str) -> Option<&Value> {
        let ending = format!("/{collection}/{name}");
        self.now.iter().find(|(path, _)| path.ends_with(&ending)).map(|(_, object)| object)
    }

    /// What a server adds, and what is done by those who act on it.
    fn store(&mut self, path: &str, mut object: Value) -> Value {
        object["metadata"]["resourceVersion"] = json!(self.writes.len().to_string());
        object["metadata"]["uid"] = json!(path);
        object["metadata"]["generation"] = json!(1);
        object["metadata"]["namespace"] = json!(path.split('/').skip_while(|part| *part != "namespaces").nth(1));
        if object["kind"] == "Job" {
            object["status"] = json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]});
        }
        for (key, text) in object["stringData"].as_object().cloned().unwrap_or_default() {
            object["data"][key] = json!(STANDARD.encode(text.as_str().expect("text")));
        }
        self.now.insert(path.to_owned(), object.clone());
        object
    }

    fn in_collection(&self, path: &str) -> Vec<Value> {
        let inside = |(place, _): &(&String, &Value)| place.rsplit_once('/').is_some_and(|(folder, _)| folder == path);
        self.now.iter().filter(inside).map(|(_, object)| object.clone()).collect()
    }
}

fn path_of(group: &str) -> String {
    if group == "v1" { "/api/v1".to_owned() } else { format!("/apis/{group}") }
}

/// What a server says of itself.
fn discovery(path: &str) -> Option<Value> {
    let groups = KINDS.iter().map(|(group, _)| *group);
    Some(match path {
        "/version" => json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0"}),
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
        "/apis" => {
            let versioned = |group: &str| {
                let version = json!({"groupVersion": group, "version": "v1"});
                json!({"name": group.split('/').next(), "versions": [version], "preferredVersion": version})
            };
            let groups: Vec<_> = groups.filter(|group| *group != "v1").map(versioned).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        "/openapi/v3" => {
            let place = |group| json!({"serverRelativeURL": format!("/openapi/v3{}", path_of(group))});
            let paths: serde_json::Map<_, _> =
                groups.map(|group| (path_of(group)[1..].to_owned(), place(group))).collect();
            json!({"paths": paths})
        }
        _ => return of_a_group(path),
    })
}

fn of_a_group(path: &str) -> Option<Value> {
    let (schema, path) = path.strip_prefix("/openapi/v3").map_or((false, path), |group| (true, group));
    let (group, kinds) = KINDS.iter().find(|(group, _)| path_of(group) == path)?;
    if !schema {
        let verbs = ["create", "delete", "get", "list", "patch", "watch"];
        let resource =
            |(kind, name): &(&str, &str)| json!({"name": name, "namespaced": true, "kind": kind, "verbs": verbs});
        let resources: Vec<_> = kinds.iter().map(resource).collect();
        return Some(
            json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": resources}),
        );
    }
    // Helm leaves it to a server that can to refuse unknown fields.
    let known = |(kind, name): &(&str, &str)| {
        let kind =
            json!({"group": group.rsplit_once('/').map_or("", |(group, _)| group), "version": "v1", "kind": kind});
        let apply = json!({"parameters": [{"name": "fieldValidation", "in": "query"}], "x-kubernetes-group-version-kind": kind});
        (format!("{path}/namespaces/{{namespace}}/{name}/{{name}}"), json!({"patch": apply}))
    };
    let paths: serde_json::Map<_, _> = kinds.iter().map(known).collect();
    Some(json!({"openapi": "3.0.0", "info": {"title": "a cluster", "version": "1"}, "paths": paths}))
}

/// The kind of a collection, with its group.
fn kind_of(collection: &str) -> Option<(&'static str, &'static str)> {
    let of = |(group, kinds): &(&'static str, &[(&'static str, &'static str)])| {
        kinds.iter().find(|(_, name)| *name == collection).map(|(kind, _)| (*group, *kind))
    };
    KINDS.iter().find_map(of)
}

fn answer(request: &HttpRequest, body: &[u8], objects: &Mutex<Objects>) -> HttpResponse {
    let mut objects = objects.lock().expect("the objects");
    let path = request.path();
    let last = path.rsplit('/').next().unwrap_or_default();
    if request.method() == Method::GET {
        let found = discovery(path).or_else(|| objects.now.get(path).cloned());
        return match (found, kind_of(last)) {
            (Some(found), _) => HttpResponse::Ok().json(found),
            (None, Some(_)) if request.query_string().contains("watch=true") => watch(&objects, path),
            (None, Some(_)) if request.query_string().contains("owner") => record_list(&objects),
            (None, Some((group, kind))) => HttpResponse::Ok().json(json!({
                "kind": format!("{kind}List"), "apiVersion": group, "metadata": {"resourceVersion": "1"},
                "items": objects.in_collection(path),
            })),
            (None, None) => objects.records.get(last).map_or_else(not_found, |record| protobuf(record.clone())),
        };
    }
    if request.method() == Method::DELETE {
        if objects.now.remove(path).is_some() {
            objects.writes.push(short("DELETE", path));
        } else if objects.records.remove(last).is_none() {
            return not_found();
        }
        return HttpResponse::Ok().json(json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
    }
    if request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == PROTOBUF) {
        objects.records.insert(record_name(body), body.to_vec());
        return protobuf(body.to_vec());
    }
    let mut object: Value = serde_json::from_slice(body).expect("an object");
    // Helm 4 applies whole objects, Helm 3 sends what is other than before.
    if let Some(before) = objects.now.get(path).filter(|_| object["kind"].is_null()) {
        object = merged(before.clone(), object);
    }
    let path = match kind_of(last) {
        Some(_) => format!("{path}/{}", object["metadata"]["name"].as_str().expect("a name")),
        None => path.to_owned(),
    };
    objects.writes.push(short(request.method().as_str(), &path));
    HttpResponse::Ok().json(objects.store(&path, object))
}

fn merged(mut before: Value, patch: Value) -> Value {
    match patch {
        Value::Object(fields) => {
            for (name, value) in fields {
                before[&name] = merged(before[&name].take(), value);
            }
            before
        }
        other => other,
    }
}

/// `jobs/pool-leasehold-init`, after the verb.
fn short(verb: &str, path: &str) -> String {
    let mut parts = path.rsplit('/');
    let (name, collection) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    format!("{verb} {collection}/{name}")
}

fn not_found() -> HttpResponse {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404});
    HttpResponse::NotFound().json(status)
}

fn protobuf(bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok().content_type(PROTOBUF).body(bytes)
}

/// What is there, that this was all, and then nothing more.
fn watch(objects: &Objects, path: &str) -> HttpResponse {
    let (group, kind) = kind_of(path.rsplit('/').next().unwrap_or_default()).expect("a collection");
    let all = json!({"apiVersion": group, "kind": kind, "metadata": {
        "resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"},
    }});
    let added = objects.in_collection(path).into_iter().map(|object| json!({"type": "ADDED", "object": object}));
    let events: Vec<_> = added.chain([json!({"type": "BOOKMARK", "object": all})]).collect();
    let lines = events.into_iter().map(|event| Ok::<_, actix_web::Error>(web::Bytes::from(format!("{event}\n"))));
    let stream = futures_util::stream::iter(lines).chain(futures_util::stream::pending());
    HttpResponse::Ok().content_type("application/json").streaming(stream)
}

/// What every message of Kubernetes is wrapped in.
#[derive(Message)]
struct Wrapped {
    #[prost(message, tag = "1")]
    of: Option<Named>,
    #[prost(bytes, tag = "2")]
    inner: Vec<u8>,
}

/// Its `apiVersion` and `kind`.
#[derive(Message)]
struct Named {
    #[prost(string, tag = "1")]
    version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

/// Of a Secret, and of its metadata, the first field.
#[derive(Message)]
struct Secret {
    #[prost(message, tag = "1")]
    metadata: Option<Metadata>,
}

#[derive(Message)]
struct Metadata {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Message)]
struct SecretList {
    #[prost(bytes, repeated, tag = "2")]
    items: Vec<Vec<u8>>,
}

fn unwrapped(message: &[u8]) -> Vec<u8> {
    let bytes = message.strip_prefix(MAGIC).expect("a message of Kubernetes");
    Wrapped::decode(bytes).expect("a message of Kubernetes").inner
}

fn record_name(message: &[u8]) -> String {
    let secret = Secret::decode(unwrapped(message).as_slice()).expect("a Secret");
    secret.metadata.expect("its metadata").name
}

fn record_list(objects: &Objects) -> HttpResponse {
    let list = SecretList { items: objects.records.values().map(|record| unwrapped(record)).collect() };
    let of = Some(Named { version: "v1".to_owned(), kind: "SecretList".to_owned() });
    protobuf([MAGIC, &Wrapped { of, inner: list.encode_to_vec() }.encode_to_vec()].concat())
}
