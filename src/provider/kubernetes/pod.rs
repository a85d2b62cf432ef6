//! What the API server tells of one pod, in our words.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodCondition};

use super::{
    kubevirt,
    object::{addresses, controller, name, tcp_port, timestamp},
};
use crate::{
    model::{About, EngineHealth, EngineState, InvalidName, Observation, TargetType},
    provider::incarnation,
};

/// Which container of a pod is meant when none is named, as `kubectl` reads it.
const MAIN: &str = "kubectl.kubernetes.io/default-container";

/// What KubeVirt marks the pods with in which it runs virtual machines.
const LAUNCHER: (&str, &str) = ("kubevirt.io", "virt-launcher");

/// A pod that became unready so soon after its start never was ready. Both are whole seconds of the kubelet's clock.
const NEVER_READY_SECONDS: i64 = 1;

/// The observation of a pod of this type; none when it takes no part any more: it came to its end, or its node is lost while it
/// is being deleted, so that nobody will say that it has.
pub(super) fn observation(
    pod: &Pod,
    target_type: TargetType,
    labels: BTreeMap<String, String>,
    default_ports: &BTreeMap<String, u16>,
) -> Result<Option<Observation>, InvalidName> {
    let deleted = pod.metadata.deletion_timestamp.is_some();
    let ready = ready(pod);
    let lost = deleted && ready.is_some_and(|ready| ready.status == "Unknown");
    if lost || has_ended(pod) {
        return Ok(None);
    }
    let running = main_status(pod).filter(|status| status.state.as_ref().is_some_and(|state| state.running.is_some()));
    let ip = pod.status.as_ref().and_then(|status| status.pod_ip.clone()).filter(|ip| !ip.is_empty());
    let process = running.and_then(|status| status.container_id.as_deref());
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let life = ip.as_deref().zip(process).map(|(ip, process)| incarnation(&[uid, ip, process]));
    let dialled = ip.filter(|_| running.is_some());
    let declared: Vec<_> = containers(pod).flat_map(tcp_ports).collect();
    let (ports, endpoints) = addresses(&declared, dialled.as_deref(), default_ports);
    let created = pod.metadata.creation_timestamp.as_ref().and_then(timestamp);
    Ok(Some(Observation {
        id: uid.parse()?,
        target_type,
        // By the clock of the API server, which `clock` tells: a container's start is told by its node's.
        started: created.filter(|_| life.is_some()),
        incarnation: life.unwrap_or_default(),
        state: if deleted { EngineState::Terminating } else { state(pod, running.is_some()) },
        health: health(ready, pod),
        about: About {
            name: name(pod),
            ip_address: dialled,
            ports,
            endpoints,
            labels,
            created_at: created.map(|at| at.to_string()),
        },
    }))
}

/// Whether a virtual machine runs in it. KubeVirt gives the pod all labels of the machine, and makes another one to move it.
pub(super) fn launches_a_machine(pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(LAUNCHER.0)).is_some_and(|value| value == LAUNCHER.1)
        || controller(pod).is_some_and(|owner| owner.kind == kubevirt::KIND)
}

/// The container that the pod is there for: the one that it names, else the first.
pub(super) fn main_container(pod: &Pod) -> Option<&str> {
    let containers = &pod.spec.as_ref()?.containers;
    let named = pod.metadata.annotations.as_ref().and_then(|all| all.get(MAIN));
    let named = named.and_then(|name| containers.iter().find(|container| container.name == *name));
    named.or(containers.first()).map(|container| container.name.as_str())
}

fn main_status(pod: &Pod) -> Option<&ContainerStatus> {
    let name = main_container(pod)?;
    pod.status.as_ref()?.container_statuses.iter().flatten().find(|status| status.name == name)
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Whether it came to its end, and runs no more.
pub(super) fn has_ended(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

pub(super) fn ready(pod: &Pod) -> Option<&PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == "Ready")
}

/// Of a pod that is not deleted, and did not come to its end.
fn state(pod: &Pod, main_runs: bool) -> EngineState {
    let known = main_status(pod).and_then(|status| status.state.as_ref());
    match known {
        _ if phase(pod) == "Pending" => EngineState::Created,
        _ if main_runs => EngineState::Running,
        // It ended, or waits for another start, as in `CrashLoopBackOff`.
        Some(_) => EngineState::Restarting,
        None => EngineState::Created,
    }
}

fn health(ready: Option<&PodCondition>, pod: &Pod) -> EngineHealth {
    let Some(ready) = ready else { return EngineHealth::Starting };
    let since = ready.last_transition_time.as_ref().and_then(timestamp);
    let start = pod.status.as_ref().and_then(|status| status.start_time.as_ref()).and_then(timestamp);
    let was_ready =
        since.zip(start).is_some_and(|(since, start)| since.as_second() - start.as_second() > NEVER_READY_SECONDS);
    match ready.status.as_str() {
        "True" => EngineHealth::Healthy,
        "False" if !was_ready => EngineHealth::Starting,
        // Also "Unknown": its node is silent.
        _ => EngineHealth::Unhealthy,
    }
}

/// Those that run beside one another: sidecars are written among the initial ones.
fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.as_ref();
    let sidecars = spec
        .and_then(|spec| spec.init_containers.as_deref())
        .unwrap_or_default()
        .iter()
        .filter(|container| container.restart_policy.as_deref() == Some("Always"));
    spec.map(|spec| spec.containers.as_slice()).unwrap_or_default().iter().chain(sidecars)
}

fn tcp_ports(container: &Container) -> impl Iterator<Item = (Option<String>, u16)> {
    let ports = container.ports.iter().flatten();
    ports.filter_map(|port| tcp_port(port.name.as_deref(), port.container_port, port.protocol.as_deref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What an API server tells of a running pod that is ready, with changes.
    fn seen(change: impl FnOnce(&mut Value)) -> Option<Observation> {
        let mut value = json!({
            "metadata": {
                "uid": "0f7d1b3c-6a55-4b8e-9d0e-3a1c5d8e7f90", "namespace": "lab", "name": "wine-0",
                "creationTimestamp": "2026-11-25T12:00:00Z",
            },
            "spec": {"containers": [
                {"name": "desktop", "ports": [
                    {"name": "vnc", "containerPort": 5901, "protocol": "TCP"}, {"containerPort": 6080},
                    {"containerPort": 9000}, {"name": "sound", "containerPort": 4713, "protocol": "UDP"},
                ]},
                {"name": "files", "ports": [{"name": "http", "containerPort": 8080}]},
            ]},
            "status": {
                "phase": "Running", "podIP": "10.1.2.3", "startTime": "2026-11-25T12:00:05Z",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-25T12:00:30Z"}],
                "containerStatuses": [{
                    "name": "desktop", "containerID": "containerd://aa", "image": "", "imageID": "", "ready": true,
                    "restartCount": 0, "state": {"running": {"startedAt": "2026-11-25T12:00:20Z"}},
                }],
            },
        });
        change(&mut value);
        let ports = BTreeMap::from([("vnc".to_owned(), 5900), ("novnc".to_owned(), 6080)]);
        observation(&serde_json::from_value(value).unwrap(), "wine".parse().unwrap(), BTreeMap::new(), &ports).unwrap()
    }

    fn ready(value: &mut Value, status: &str, since: &str) {
        value["status"]["conditions"][0] = json!({"type": "Ready", "status": status, "lastTransitionTime": since});
    }

    #[test]
    fn a_running_pod_is_dialled_at_its_own_address_by_the_names_of_its_ports() {
        let seen = seen(|_| {}).unwrap();
        assert_eq!((seen.id.as_str().len(), seen.about.name.as_str()), (36, "lab/wine-0"));
        assert_eq!((seen.state, seen.health), (EngineState::Running, EngineHealth::Healthy));
        assert_eq!(seen.about.ip_address.as_deref(), Some("10.1.2.3"));
        let dialled: Vec<_> =
            seen.about.endpoints.iter().map(|(name, one)| (name.as_str(), one.address.clone().unwrap())).collect();
        let expected = [("http", "10.1.2.3:8080"), ("novnc", "10.1.2.3:6080"), ("vnc", "10.1.2.3:5901")];
        assert_eq!(dialled, expected.map(|(name, address)| (name, address.to_owned())));
        assert!(seen.about.endpoints.values().all(|one| one.address == one.internal));
        assert_eq!(seen.about.ports.keys().map(String::as_str).collect::<Vec<_>>(), ["5901", "6080", "8080", "9000"]);
        assert_eq!(seen.started.unwrap().to_string(), "2026-11-25T12:00:00Z");
        assert_eq!(seen.about.created_at.as_deref(), Some("2026-11-25T12:00:00Z"));
    }

    #[test]
    fn a_pod_that_declares_no_ports_has_those_of_its_type_and_an_ipv6_address_has_brackets() {
        let seen = seen(|pod| {
            pod["spec"]["containers"] = json!([{"name": "desktop"}]);
            pod["status"]["podIP"] = "fd00::7".into();
        });
        let seen = seen.unwrap();
        assert_eq!(seen.about.endpoints["vnc"].internal.as_deref(), Some("[fd00::7]:5900"));
        assert_eq!(seen.about.endpoints["novnc"].address.as_deref(), Some("[fd00::7]:6080"));
    }

    #[test]
    fn another_process_or_address_is_another_incarnation_and_what_does_not_run_has_none() {
        let first = seen(|_| {}).unwrap().incarnation;
        assert_eq!(first.len(), 32);
        let unready = seen(|pod| ready(pod, "False", "2026-11-25T13:00:00Z")).unwrap();
        assert_eq!(unready.incarnation, first);
        let restarted = seen(|pod| pod["status"]["containerStatuses"][0]["containerID"] = "containerd://bb".into());
        let moved = seen(|pod| pod["status"]["podIP"] = "10.1.2.4".into());
        assert!(![&first, &moved.unwrap().incarnation].contains(&&restarted.unwrap().incarnation));
        for (state, word) in [
            (json!({"waiting": {"reason": "CrashLoopBackOff"}}), EngineState::Restarting),
            (json!({"terminated": {"exitCode": 1}}), EngineState::Restarting),
        ] {
            let seen = seen(|pod| pod["status"]["containerStatuses"][0]["state"] = state).unwrap();
            assert_eq!((seen.state, seen.incarnation.as_str(), seen.started), (word, "", None));
            assert_eq!((seen.about.ip_address, seen.about.endpoints["vnc"].internal.clone()), (None, None));
        }
    }

    #[test]
    fn the_main_container_is_the_one_that_the_pod_names() {
        let other = |pod: &mut Value, name: &str| {
            pod["metadata"]["annotations"] = json!({MAIN: name});
            let status = json!({
                "name": "files", "image": "", "imageID": "", "ready": false, "restartCount": 9,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            });
            pod["status"]["containerStatuses"].as_array_mut().unwrap().push(status);
        };
        assert_eq!(seen(|pod| other(pod, "files")).unwrap().state, EngineState::Restarting);
        assert_eq!(seen(|pod| other(pod, "nobody")).unwrap().state, EngineState::Running);
    }

    #[test]
    fn a_pod_that_waits_to_begin_is_made_and_no_more() {
        let seen = seen(|pod| pod["status"] = json!({"phase": "Pending"})).unwrap();
        assert_eq!((seen.state, seen.health), (EngineState::Created, EngineHealth::Starting));
        assert_eq!((seen.incarnation.as_str(), seen.started), ("", None));
    }

    #[test]
    fn a_pod_of_a_virtual_machine_is_told_by_its_label_or_its_owner() {
        let launches = |metadata| launches_a_machine(&serde_json::from_value(json!({"metadata": metadata})).unwrap());
        assert!(launches(json!({"labels": {"kubevirt.io": "virt-launcher"}})));
        let owner =
            |kind| json!([{"apiVersion": "kubevirt.io/v1", "kind": kind, "name": "a", "uid": "b", "controller": true}]);
        assert!(launches(json!({"ownerReferences": owner("VirtualMachineInstance")})));
        assert!(!launches(json!({"labels": {"kubevirt.io": "virt-api"}, "ownerReferences": owner("ReplicaSet")})));
    }

    #[test]
    fn what_came_to_its_end_takes_no_part() {
        for phase in ["Succeeded", "Failed"] {
            assert!(seen(|pod| pod["status"]["phase"] = phase.into()).is_none(), "{phase}");
        }
    }

    #[test]
    fn a_deleted_pod_is_ending_and_with_its_node_lost_it_is_gone() {
        let deleted = |pod: &mut Value| pod["metadata"]["deletionTimestamp"] = "2026-11-25T13:00:00Z".into();
        let ending = seen(deleted).unwrap();
        assert_eq!(ending.state, EngineState::Terminating);
        assert_eq!(ending.incarnation, seen(|_| {}).unwrap().incarnation);
        let gone = seen(|pod| {
            deleted(pod);
            ready(pod, "Unknown", "2026-11-25T13:00:00Z");
        });
        assert!(gone.is_none());
    }

    #[test]
    fn readiness_is_its_health_and_one_that_never_was_ready_starts() {
        for (status, since, health) in [
            ("True", "2026-11-25T12:00:30Z", EngineHealth::Healthy),
            ("False", "2026-11-25T12:00:05Z", EngineHealth::Starting),
            ("False", "2026-11-25T12:00:06Z", EngineHealth::Starting),
            ("False", "2026-11-25T12:00:07Z", EngineHealth::Unhealthy),
            ("Unknown", "2026-11-25T12:00:05Z", EngineHealth::Unhealthy),
        ] {
            assert_eq!(seen(|pod| ready(pod, status, since)).unwrap().health, health, "{status} since {since}");
        }
    }
}
