//! What holds for everything that is rendered, whatever the values are.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    file,
    manifest::{Manifests, PodTemplate, at, fields, is_of_its_type, items, text},
};

/// All that replicas may do, as `verb group/resource`.
const RIGHTS: [&str; 18] = [
    "create /pods/exec",
    "delete /pods",
    "get /pods",
    "get /pods/exec",
    "get /pods/log",
    "get apps/deployments",
    "get apps/replicasets",
    "get apps/statefulsets",
    "list /pods",
    "patch /pods",
    "patch apps/deployments/scale",
    "patch apps/statefulsets/scale",
    "watch /pods",
    "delete kubevirt.io/virtualmachineinstances",
    "get kubevirt.io/virtualmachineinstances",
    "get kubevirt.io/virtualmachines",
    "list kubevirt.io/virtualmachineinstances",
    "watch kubevirt.io/virtualmachineinstances",
];

/// Desktops that write to their own root.
const WRITERS: [&str; 3] = ["target-android", "target-linux", "target-wine"];

/// Fails unless everything below holds. `given` are the names of what is there before, of Secrets and ServiceAccounts.
pub fn hold(manifests: &Manifests, given: &[&str]) {
    manifests.0.iter().for_each(is_of_its_type);
    names_are_used_once(manifests);
    rights_are_what_is_promised(manifests);
    for pod in manifests.pods() {
        pod_is_locked_down(&pod);
        probes_ask_what_is_there(&pod);
        references_lead_somewhere(manifests, &pod, given);
    }
    selectors_find_their_pods(manifests);
    peers_are_there(manifests);
}

fn names_are_used_once(manifests: &Manifests) {
    let mut seen = BTreeSet::new();
    for document in &manifests.0 {
        let name = (text(document, "/kind"), document.pointer("/metadata/namespace").and_then(Value::as_str));
        assert!(seen.insert((name, text(document, "/metadata/name"))), "twice: {name:?}");
    }
}

fn rights_are_what_is_promised(manifests: &Manifests) {
    let expected = BTreeSet::from(RIGHTS.map(str::to_owned));
    for role in manifests.of("Role") {
        let mut rights = BTreeSet::new();
        for rule in items(role, "/rules") {
            let words = |pointer| items(rule, pointer).iter().map(|word| word.as_str().expect("a word"));
            for group in words("/apiGroups") {
                for resource in words("/resources") {
                    rights.extend(words("/verbs").map(|verb| format!("{verb} {group}/{resource}")));
                }
            }
        }
        assert_eq!(rights, expected);
    }
    for binding in manifests.of("RoleBinding") {
        let place = (at(binding, "/metadata/namespace"), at(binding, "/roleRef/name"));
        let bound = |role: &Value| (at(role, "/metadata/namespace"), at(role, "/metadata/name")) == place;
        assert!(manifests.of("Role").any(bound), "no such Role: {place:?}");
        assert_eq!(at(binding, "/roleRef/kind"), "Role");
    }
}

fn pod_is_locked_down(pod: &PodTemplate) {
    assert_eq!(*at(pod.spec, "/securityContext/runAsNonRoot"), true, "{pod}");
    assert_eq!(at(pod.spec, "/securityContext/seccompProfile/type"), "RuntimeDefault", "{pod}");
    assert_eq!(*at(pod.spec, "/automountServiceAccountToken"), pod.component() == "server", "{pod}");
    assert_eq!(*at(pod.spec, "/enableServiceLinks"), false, "{pod}");
    for own in ["/hostNetwork", "/hostPID", "/hostIPC"] {
        assert_eq!(pod.spec.pointer(own), None, "{pod}");
    }
    for container in pod.containers() {
        let context = at(container, "/securityContext");
        assert_eq!(*at(context, "/allowPrivilegeEscalation"), false, "{pod}");
        assert_eq!(*at(context, "/capabilities"), serde_json::json!({"drop": ["ALL"]}), "{pod}");
        assert_eq!(*at(context, "/readOnlyRootFilesystem"), !WRITERS.contains(&pod.component()), "{pod}");
        for loose in ["/privileged", "/runAsNonRoot", "/seccompProfile"] {
            assert_eq!(context.pointer(loose), None, "{pod}: {loose} stands before what the pod says");
        }
        assert!(!text(container, "/image").ends_with(':'), "{pod}");
        at(container, "/resources/limits/memory");
    }
}

fn probes_ask_what_is_there(pod: &PodTemplate) {
    let openapi: Value = serde_json::from_str(&file("tests/api/openapi.json")).expect("JSON");
    for container in pod.containers() {
        let has = |port: &Value| items(container, "/ports").iter().any(|known| known["name"] == *port);
        for probe in ["/startupProbe", "/livenessProbe", "/readinessProbe"].map(|kind| container.pointer(kind)) {
            let Some(probe) = probe else { continue };
            if let Some(request) = probe.pointer("/httpGet") {
                assert!(
                    at(&openapi, "/paths").get(text(request, "/path")).is_some(),
                    "{pod}: no such route: {request}"
                );
                assert!(has(at(request, "/port")), "{pod}: no such port: {request}");
            }
            if let Some(socket) = probe.pointer("/tcpSocket") {
                assert!(has(at(socket, "/port")), "{pod}: no such port: {socket}");
            }
        }
    }
}

/// What a pod reads must be there: among what is applied, or before. What runs before the install finds only what comes as
/// early.
fn references_lead_somewhere(manifests: &Manifests, pod: &PodTemplate, given: &[&str]) {
    let early = |document: &Value| document.pointer("/metadata/annotations/helm.sh~1hook").cloned();
    let has = |kind: &str, name: &str, key: Option<&str>| {
        given.contains(&name)
            || manifests.of(kind).any(|document| {
                let keyed =
                    |part| key.is_none_or(|key| fields(document, part).is_some_and(|data| data.contains_key(key)));
                let in_time =
                    early(pod.of).is_none_or(|hook| hook == "test" || early(document).as_ref() == Some(&hook));
                text(document, "/metadata/name") == name && (keyed("/data") || keyed("/stringData")) && in_time
            })
    };
    for container in pod.containers() {
        for variable in items(container, "/env") {
            let Some(secret) = variable.pointer("/valueFrom/secretKeyRef") else { continue };
            assert!(has("Secret", text(secret, "/name"), Some(text(secret, "/key"))), "{pod} reads {secret}");
        }
        for mount in items(container, "/volumeMounts") {
            let mut volumes = items(pod.spec, "/volumes").iter().chain(items(pod.of, "/spec/volumeClaimTemplates"));
            let named = |volume: &Value| {
                mount["name"] == volume["name"] || Some(&mount["name"]) == volume.pointer("/metadata/name")
            };
            assert!(volumes.any(named), "{pod} mounts {mount}");
        }
    }
    for volume in items(pod.spec, "/volumes") {
        if let Some(map) = volume.pointer("/configMap") {
            assert!(has("ConfigMap", text(map, "/name"), None), "{pod} reads {map}");
        }
        if let Some(secret) = volume.pointer("/secret") {
            let name = text(secret, "/secretName");
            assert!(has("Secret", name, None), "{pod} reads {secret}");
            for item in items(secret, "/items") {
                assert!(has("Secret", name, Some(text(item, "/key"))), "{pod} reads {item} of {name}");
            }
        }
        if let Some(claim) = volume.pointer("/persistentVolumeClaim") {
            assert!(has("PersistentVolumeClaim", text(claim, "/claimName"), None), "{pod} reads {claim}");
        }
    }
    if let Some(account) = pod.spec.pointer("/serviceAccountName").and_then(Value::as_str) {
        assert!(has("ServiceAccount", account, None), "{pod} is {account}");
    }
}

/// Whether labels have all that a selector asks for.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.pointer("/matchLabels").unwrap_or(selector).as_object().expect("labels");
    wanted.iter().all(|(name, value)| labels.get(name) == Some(value))
}

fn selectors_find_their_pods(manifests: &Manifests) {
    let pods = manifests.pods();
    for pod in &pods {
        let owners =
            manifests.0.iter().filter(|document| ["Deployment", "StatefulSet"].contains(&text(document, "/kind")));
        let owners: Vec<_> = owners.filter(|owner| selects(at(owner, "/spec/selector"), pod.labels)).collect();
        let expected = if pod.of.pointer("/spec/selector").is_some() { vec![pod.of] } else { Vec::new() };
        assert_eq!(owners, expected, "{pod} is counted by others, or not by its own");
        for constraint in items(pod.spec, "/topologySpreadConstraints") {
            assert!(selects(at(constraint, "/labelSelector"), pod.labels), "{pod}: {constraint}");
        }
    }
    for service in manifests.of("Service") {
        let behind: Vec<_> = pods.iter().filter(|pod| selects(at(service, "/spec/selector"), pod.labels)).collect();
        assert_eq!(behind.len(), 1, "{service:#}");
        let ports = behind[0].containers().flat_map(|container| items(container, "/ports"));
        let names: Vec<_> = ports.map(|port| &port["name"]).collect();
        for port in items(service, "/spec/ports") {
            assert!(names.contains(&at(port, "/targetPort")), "{port} leads nowhere");
        }
    }
    for monitor in manifests.of("ServiceMonitor") {
        let watched: Vec<_> = manifests
            .of("Service")
            .filter(|service| selects(at(monitor, "/spec/selector"), at(service, "/metadata/labels")))
            .collect();
        assert_eq!(watched.len(), 1, "{monitor:#}");
        for endpoint in items(monitor, "/spec/endpoints") {
            assert!(items(watched[0], "/spec/ports").iter().any(|port| port["name"] == endpoint["port"]), "{endpoint}");
        }
    }
    for scaler in manifests.of("HorizontalPodAutoscaler") {
        let name = text(scaler, "/spec/scaleTargetRef/name");
        assert_eq!(manifests.one("Deployment", name).pointer("/spec/replicas"), None, "two parties set the replicas");
    }
}

/// Each part that a policy or budget speaks of by its labels is there.
fn peers_are_there(manifests: &Manifests) {
    let pods = manifests.pods();
    let there = |selector: &Value| pods.iter().any(|pod| selects(selector, pod.labels));
    for budget in manifests.of("PodDisruptionBudget") {
        assert!(there(at(budget, "/spec/selector")), "{budget:#}");
    }
    for policy in manifests.of("NetworkPolicy") {
        assert!(there(at(policy, "/spec/podSelector")), "{policy:#}");
        let rules = items(policy, "/spec/ingress").iter().chain(items(policy, "/spec/egress"));
        for peer in rules.flat_map(|rule| items(rule, "/from").iter().chain(items(rule, "/to"))) {
            assert!(peer.pointer("/podSelector").is_none_or(there), "{peer} of {policy:#}");
        }
    }
}
