//! Manifests: documents of YAML, each held to the type that it names.

use std::fmt;

use k8s_openapi::{
    Resource,
    api::{
        apps::v1::{Deployment, StatefulSet},
        autoscaling::v2::HorizontalPodAutoscaler,
        batch::v1::Job,
        core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service, ServiceAccount},
        networking::v1::{Ingress, NetworkPolicy},
        policy::v1::PodDisruptionBudget,
        rbac::v1::{Role, RoleBinding},
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Those of operators that come with types of their own.
const CUSTOM: [&str; 2] = ["PrometheusRule", "ServiceMonitor"];

/// What is applied together.
#[derive(Debug)]
pub struct Manifests(pub Vec<Value>);

/// What a pod is made from, whatever makes it.
#[derive(Debug, Clone, Copy)]
pub struct PodTemplate<'a> {
    /// The object that it stands in.
    pub of: &'a Value,
    /// The pod's labels.
    pub labels: &'a Value,
    /// The pod's spec.
    pub spec: &'a Value,
}

impl Manifests {
    pub fn read(yaml: &str) -> Self {
        let documents = serde_saphyr::from_multiple::<Value>(yaml);
        let documents = documents.unwrap_or_else(|error| panic!("no YAML: {error}\n{yaml}"));
        assert!(!documents.is_empty(), "nothing is in it");
        Self(documents)
    }

    /// Those of a kind.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |document| document["kind"] == kind)
    }

    /// The one of a kind with a name that ends so.
    pub fn one(&self, kind: &str, ending: &str) -> &Value {
        let named = |document: &&Value| document["kind"] == kind && text(document, "/metadata/name").ends_with(ending);
        self.0.iter().find(named).unwrap_or_else(|| panic!("no {kind} whose name ends with {ending:?}"))
    }

    /// What pods are made from.
    pub fn pods(&self) -> Vec<PodTemplate<'_>> {
        let template = |of| match text(of, "/kind") {
            "Deployment" | "StatefulSet" | "Job" => Some(PodTemplate {
                of,
                labels: at(of, "/spec/template/metadata/labels"),
                spec: at(of, "/spec/template/spec"),
            }),
            "Pod" => Some(PodTemplate { of, labels: at(of, "/metadata/labels"), spec: at(of, "/spec") }),
            _ => None,
        };
        self.0.iter().filter_map(template).collect()
    }
}

impl PodTemplate<'_> {
    /// Its containers, those that come first included.
    pub fn containers(&self) -> impl Iterator<Item = &Value> {
        items(self.spec, "/initContainers").iter().chain(items(self.spec, "/containers"))
    }

    /// Which part of the whole it is.
    pub fn component(&self) -> &str {
        self.labels["app.kubernetes.io/component"].as_str().expect("a component")
    }
}

impl fmt::Display for PodTemplate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", text(self.of, "/kind"), text(self.of, "/metadata/name"))
    }
}

/// What stands at a place.
pub fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("nothing is at {pointer}: {value:#}"))
}

/// The text at a place.
pub fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    at(value, pointer).as_str().unwrap_or_else(|| panic!("no text is at {pointer}: {value:#}"))
}

/// The list at a place; empty when there is none.
pub fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).map_or(&[], |list| list.as_array().expect("a list"))
}

/// The fields at a place; none when nothing is there.
pub fn fields<'a>(value: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    value.pointer(pointer).map(|map| map.as_object().expect("an object"))
}

/// Fails unless the type that the document names knows each of its fields, with values of the right kind.
pub fn is_of_its_type(document: &Value) {
    let known = match text(document, "/kind") {
        "ConfigMap" => through::<ConfigMap>(document),
        "Deployment" => through::<Deployment>(document),
        "HorizontalPodAutoscaler" => through::<HorizontalPodAutoscaler>(document),
        "Ingress" => through::<Ingress>(document),
        "Job" => through::<Job>(document),
        "NetworkPolicy" => through::<NetworkPolicy>(document),
        "PersistentVolumeClaim" => through::<PersistentVolumeClaim>(document),
        "Pod" => through::<Pod>(document),
        "PodDisruptionBudget" => through::<PodDisruptionBudget>(document),
        "Role" => through::<Role>(document),
        "RoleBinding" => through::<RoleBinding>(document),
        "Secret" => through::<Secret>(document),
        "Service" => through::<Service>(document),
        "ServiceAccount" => through::<ServiceAccount>(document),
        "StatefulSet" => through::<StatefulSet>(document),
        custom if CUSTOM.contains(&custom) => return,
        other => panic!("nothing is known of the kind {other:?}"),
    };
    let mut unknown = Vec::new();
    differences("", document, &known, &mut unknown);
    assert!(unknown.is_empty(), "Kubernetes does not know, or reads otherwise: {unknown:#?}\nin {document:#}");
}

/// Where two values differ.
fn differences(path: &str, given: &Value, known: &Value, found: &mut Vec<String>) {
    let steps: Vec<String> = match (given, known) {
        (Value::Object(given), Value::Object(known)) => given.keys().chain(known.keys()).cloned().collect(),
        (Value::Array(given), Value::Array(known)) if given.len() == known.len() => {
            (0..given.len()).map(|index| index.to_string()).collect()
        }
        _ if given == known => return,
        _ => return found.push(format!("{path}: {given}, read as {known}")),
    };
    for step in steps {
        let at = |value: &Value| match value {
            Value::Array(items) => step.parse::<usize>().ok().and_then(|index| items.get(index)).cloned(),
            fields => fields.get(&step).cloned(),
        };
        let (given, known) = (at(given).unwrap_or_default(), at(known).unwrap_or_default());
        differences(&format!("{path}/{step}"), &given, &known, found);
    }
}

/// The document as a type of Kubernetes writes it again: without what that does not know.
fn through<T: Resource + DeserializeOwned + Serialize>(document: &Value) -> Value {
    assert_eq!(document["apiVersion"], T::API_VERSION, "of a {}", T::KIND);
    let read = serde_json::from_value::<T>(document.clone());
    let read = read.unwrap_or_else(|error| panic!("no {}: {error}\n{document:#}", T::KIND));
    serde_json::to_value(read).expect("JSON")
}
