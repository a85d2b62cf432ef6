//! The objects that the stub keeps, pods and others, their versions, and what happened to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub const PODS: &str = "pods";

/// What has a number of pods, or keeps it for one that has.
pub const WORKLOADS: [&str; 3] = ["deployments", "replicasets", "statefulsets"];

/// Resource, namespace and name.
type Key = (String, String, String);

/// Something happened to an object.
#[derive(Debug, Clone)]
struct Happened {
    resource: String,
    version: u64,
    before: Option<Value>,
    /// None: it is gone.
    after: Option<Value>,
}

/// What goes wrong for the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Pods are not marked.
    MarksFail,
    /// The next answer to whoever scales is lost.
    AnswerIsLost,
    /// Somebody else is there first when it is scaled the next time.
    IsChangedBefore,
}

/// All objects.
#[derive(Debug, Default)]
pub struct Objects {
    now: BTreeMap<Key, Value>,
    happened: Vec<Happened>,
    version: u64,
    /// What happened up to this version is forgotten.
    compacted: u64,
    /// What lists of several pages showed, by version.
    snapshots: BTreeMap<u64, Vec<Value>>,
    /// The most of a page; 0: as many as are asked for.
    pub page: usize,
    /// So many times a further page is refused.
    pub expires: usize,
    pub calls: Vec<String>,
    pub replaces: bool,
    pub faults: BTreeSet<Fault>,
    made: u64,
}

impl Objects {
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn compact(&mut self) {
        self.compacted = self.version;
        self.happened.clear();
        self.snapshots.clear();
    }

    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.now.get(&key(resource, namespace, name)).cloned()
    }

    /// Forgets all objects of a resource, as when its definition is deleted.
    pub fn remove_all(&mut self, resource: &str) {
        let all: Vec<_> = self.now.keys().filter(|key| key.0 == resource).cloned().collect();
        for key in all {
            self.put(key, None);
        }
    }

    /// None when the name is taken.
    pub fn create(&mut self, resource: &str, namespace: &str, mut pod: Value) -> Option<Value> {
        let name = pod["metadata"]["name"].as_str().expect("a name").to_owned();
        if self.get(resource, namespace, &name).is_some() {
            return None;
        }
        self.made += 1;
        let metadata = &mut pod["metadata"];
        metadata["namespace"] = namespace.into();
        metadata["uid"] = uuid::Uuid::new_v4().to_string().into();
        metadata["creationTimestamp"] = now().into();
        if WORKLOADS.contains(&resource) {
            metadata["generation"] = 1.into();
            pod["status"] = json!({});
        } else {
            pod["status"] = json!({"phase": "Pending"});
        }
        Some(self.put(key(resource, namespace, &name), Some(pod)))
    }

    /// Merges into its status.
    pub fn patch_status(&mut self, resource: &str, namespace: &str, name: &str, patch: &Value) -> Option<Value> {
        let mut pod = self.get(resource, namespace, name)?;
        merge(&mut pod["status"], &patch["status"]);
        Some(self.put(key(resource, namespace, name), Some(pod)))
    }

    /// Merges into its metadata, as labels are changed. Fails when it is another one than is meant.
    pub fn patch(&mut self, resource: &str, namespace: &str, name: &str, patch: &Value) -> Option<Result<Value, ()>> {
        let mut pod = self.get(resource, namespace, name)?;
        if patch["metadata"]["uid"].as_str().is_some_and(|uid| pod["metadata"]["uid"] != uid) {
            return Some(Err(()));
        }
        merge(&mut pod["metadata"], &patch["metadata"]);
        Some(Ok(self.put(key(resource, namespace, name), Some(pod))))
    }

    /// By the `scale` subresource of a workload. Fails when it is of another version than is meant.
    pub fn scale(&mut self, resource: &str, namespace: &str, name: &str, patch: &Value) -> Option<Result<Value, ()>> {
        if self.faults.remove(&Fault::IsChangedBefore) {
            self.patch(resource, namespace, name, &json!({"metadata": {"annotations": {"by": "hand"}}}));
        }
        let mut workload = self.get(resource, namespace, name)?;
        let (meant, replicas) = (&patch["metadata"]["resourceVersion"], &patch["spec"]["replicas"]);
        if !meant.is_null() && *meant != workload["metadata"]["resourceVersion"] {
            return Some(Err(()));
        }
        if workload["spec"]["replicas"] != *replicas {
            workload["spec"]["replicas"] = replicas.clone();
            let generation = workload["metadata"]["generation"].as_u64().expect("a number");
            workload["metadata"]["generation"] = (generation + 1).into();
            workload = self.put(key(resource, namespace, name), Some(workload));
        }
        let metadata = &workload["metadata"];
        Some(Ok(json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "spec": {"replicas": replicas},
            "metadata": {"name": name, "namespace": namespace, "resourceVersion": metadata["resourceVersion"]}})))
    }

    /// A pod on a node stays until its kubelet says that it ended, and a virtual machine until its finalizer is removed, which here is
    /// when it is deleted with no grace. Fails when it is another one than is meant.
    pub fn delete(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        options: &Value,
    ) -> Option<Result<Value, ()>> {
        let mut pod = self.get(resource, namespace, name)?;
        if options["preconditions"]["uid"].as_str().is_some_and(|uid| pod["metadata"]["uid"] != uid) {
            return Some(Err(()));
        }
        let key = key(resource, namespace, name);
        let unplaced = resource == PODS && pod["spec"]["nodeName"].is_null();
        let at_once = options["gracePeriodSeconds"] == 0 || unplaced;
        if !at_once {
            if pod["metadata"]["deletionTimestamp"].is_null() {
                pod["metadata"]["deletionTimestamp"] = now().into();
                let marked = self.put(key, Some(pod.clone()));
                self.replace(namespace, &pod);
                return Some(Ok(marked));
            }
            return Some(Ok(pod));
        }
        let replaced_before = !pod["metadata"]["deletionTimestamp"].is_null();
        let gone = self.put(key, None);
        if !replaced_before {
            self.replace(namespace, &gone);
        }
        Some(Ok(gone))
    }

    fn replace(&mut self, namespace: &str, pod: &Value) {
        if !self.replaces || pod["metadata"]["ownerReferences"].is_null() {
            return;
        }
        let metadata = &pod["metadata"];
        let name = format!("{}-{}", metadata["ownerReferences"][0]["name"].as_str().expect("a name"), self.made);
        let new = json!({"metadata": {"name": name, "labels": metadata["labels"], "ownerReferences": metadata["ownerReferences"]},
            "spec": pod["spec"]});
        self.create(PODS, namespace, new);
    }

    fn put(&mut self, key: Key, pod: Option<Value>) -> Value {
        self.version += 1;
        let version = self.version;
        let before = self.now.get(&key).cloned();
        let resource = key.0.clone();
        let stamped = |mut pod: Value| {
            pod["metadata"]["resourceVersion"] = version.to_string().into();
            pod
        };
        let after = pod.map(stamped);
        match &after {
            Some(pod) => self.now.insert(key, pod.clone()),
            None => self.now.remove(&key),
        };
        let told = after.clone().or_else(|| before.clone().map(stamped)).expect("a pod");
        self.happened.push(Happened { resource, version, before, after });
        told
    }

    /// A page of those that match, from where the last one ended. Fails where that is forgotten.
    pub fn list(
        &mut self,
        resource: &str,
        namespace: Option<&str>,
        selector: &str,
        limit: usize,
        from: Option<&str>,
    ) -> Result<Value, ()> {
        if from.is_some() && self.expires > 0 {
            self.expires -= 1;
            return Err(());
        }
        let limit = if self.page > 0 && limit > 0 { limit.min(self.page) } else { limit };
        let (version, start) = match from {
            None => (self.version, 0),
            Some(token) => {
                let (version, start) = token.split_once(':').ok_or(())?;
                (version.parse::<u64>().map_err(drop)?, start.parse::<usize>().map_err(drop)?)
            }
        };
        let all = match from {
            None => {
                let of_resource = self.now.iter().filter(|(key, _)| key.0 == resource).map(|(_, object)| object);
                of_resource.filter(|object| within(object, namespace) && matches(object, selector)).cloned().collect()
            }
            Some(_) => self.snapshots.get(&version).cloned().ok_or(())?,
        };
        let end = if limit == 0 { all.len() } else { all.len().min(start + limit) };
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if end < all.len() {
            metadata["continue"] = format!("{version}:{end}").into();
            self.snapshots.insert(version, all.clone());
        }
        Ok(json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": all[start..end]}))
    }

    /// What a watch is told since a version, and the version that it then knows. Fails where that is forgotten.
    pub fn since(
        &self,
        version: u64,
        resource: &str,
        namespace: Option<&str>,
        selector: &str,
    ) -> Result<(Vec<Value>, u64), ()> {
        if version < self.compacted {
            return Err(());
        }
        let new = self.happened.iter().filter(|one| one.version > version && one.resource == resource);
        let told = new.filter_map(|one| {
            let shown =
                |pod: &Option<Value>| pod.clone().filter(|pod| within(pod, namespace) && matches(pod, selector));
            let (kind, mut object) = match (shown(&one.before), shown(&one.after)) {
                (None, None) => return None,
                (None, Some(pod)) => ("ADDED", pod),
                (Some(_), Some(pod)) => ("MODIFIED", pod),
                (Some(pod), None) => ("DELETED", pod),
            };
            object["metadata"]["resourceVersion"] = one.version.to_string().into();
            Some(json!({"type": kind, "object": object}))
        });
        Ok((told.collect(), self.version))
    }
}

fn key(resource: &str, namespace: &str, name: &str) -> Key {
    (resource.to_owned(), namespace.to_owned(), name.to_owned())
}

fn within(pod: &Value, namespace: Option<&str>) -> bool {
    namespace.is_none_or(|namespace| pod["metadata"]["namespace"] == namespace)
}

/// `key`, `!key` and `key=value`, all of which must hold.
fn matches(pod: &Value, selector: &str) -> bool {
    let labels = &pod["metadata"]["labels"];
    selector.split(',').filter(|term| !term.is_empty()).all(|term| match term.split_once('=') {
        Some((key, value)) => labels[key] == value,
        None => term.strip_prefix('!').map_or(!labels[term].is_null(), |key| labels[key].is_null()),
    })
}

/// A merge patch, as RFC 7386 has it.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    for (key, value) in changes {
        if value.is_null() {
            into.as_object_mut().expect("an object").remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}

/// In whole seconds, as the API server tells it.
fn now() -> String {
    jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).expect("a time").to_string()
}
