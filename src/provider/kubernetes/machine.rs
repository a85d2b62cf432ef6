//! What the API server tells of one virtual machine, in our words.

use std::{collections::BTreeMap, net::IpAddr};

use jiff::Timestamp;

use super::{
    kubevirt::{Condition, Interface, InterfaceStatus, Machine},
    object::{addresses, name, tcp_port, timestamp},
};
use crate::{
    model::{About, EngineHealth, EngineState, InvalidName, Observation, TargetType},
    provider::incarnation,
};

/// A machine that became unready so soon after it ran never was ready. Both are whole seconds of KubeVirt's clocks.
const NEVER_READY_SECONDS: i64 = 1;

/// The observation of a machine of this type; none when it takes no part any more: its run is over, or its node is lost while it is
/// being deleted.
///
/// The object is one run of the machine, so its incarnation is the object: a machine that is moved to another node while it runs
/// gets another address and another pod, and is the same. What its guest does inside, as booting anew, nobody tells.
pub(super) fn observation(
    machine: &Machine,
    target_type: TargetType,
    labels: BTreeMap<String, String>,
    default_ports: &BTreeMap<String, u16>,
) -> Result<Option<Observation>, InvalidName> {
    let phase = machine.status.phase.as_str();
    let deleted = machine.metadata.deletion_timestamp.is_some();
    let unknown = phase == "Unknown" || condition(machine, "Ready").is_some_and(|ready| ready.status == "Unknown");
    if (deleted && unknown) || matches!(phase, "Succeeded" | "Failed") {
        return Ok(None);
    }
    // Of one that is unknown its node was last heard when it ran.
    let runs = matches!(phase, "Running" | "Unknown");
    let paused = condition(machine, "Paused").is_some_and(|paused| paused.status == "True");
    let state = match (deleted, runs, paused) {
        (true, _, _) => EngineState::Terminating,
        (false, false, _) => EngineState::Created,
        (false, true, true) => EngineState::Paused,
        (false, true, false) => EngineState::Running,
    };
    let ip = address(machine).filter(|_| runs);
    let (ports, endpoints) = addresses(&declared(machine), ip.as_deref(), default_ports);
    let uid = machine.metadata.uid.as_deref().unwrap_or_default();
    let created = machine.metadata.creation_timestamp.as_ref().and_then(timestamp);
    Ok(Some(Observation {
        id: uid.parse()?,
        target_type,
        // By the clock of the API server, which `clock` tells: phases are told by other clocks.
        started: created.filter(|_| runs),
        incarnation: if runs { incarnation(&[uid]) } else { String::new() },
        state,
        health: health(machine, ip.is_some()),
        about: About {
            name: name(machine),
            ip_address: ip,
            ports,
            endpoints,
            labels,
            created_at: created.map(|at| at.to_string()),
        },
    }))
}

fn condition<'a>(machine: &'a Machine, kind: &str) -> Option<&'a Condition> {
    machine.status.conditions.iter().find(|condition| condition.kind == kind)
}

/// Readiness is the one of its pod while its guest runs, and false before. What has no address yet cannot be used.
fn health(machine: &Machine, addressed: bool) -> EngineHealth {
    if machine.status.phase == "Unknown" {
        return EngineHealth::Unhealthy;
    }
    let Some(ready) = condition(machine, "Ready").filter(|_| addressed) else { return EngineHealth::Starting };
    let since = ready.last_transition_time.as_ref().and_then(timestamp);
    let was_ready = since
        .zip(ran_since(machine))
        .is_some_and(|(since, ran)| since.as_second() - ran.as_second() > NEVER_READY_SECONDS);
    match ready.status.as_str() {
        "True" => EngineHealth::Healthy,
        "False" if !was_ready => EngineHealth::Starting,
        // Also "Unknown": its node is silent.
        _ => EngineHealth::Unhealthy,
    }
}

fn ran_since(machine: &Machine) -> Option<Timestamp> {
    let all = &machine.status.phase_transition_timestamps;
    let running = all.iter().find(|one| one.phase == "Running")?;
    running.phase_transition_timestamp.as_ref().and_then(timestamp)
}

/// The interface that is dialled: that of the network of pods, else the first.
fn interface(machine: &Machine) -> Option<&Interface> {
    let interfaces = &machine.spec.domain.devices.interfaces;
    let pods = machine.spec.networks.iter().find(|network| network.pod.is_some());
    let of_pods = pods.and_then(|network| interfaces.iter().find(|interface| interface.name == network.name));
    of_pods.or(interfaces.first())
}

fn declared(machine: &Machine) -> Vec<(Option<String>, u16)> {
    let ports = interface(machine).map(|interface| interface.ports.as_slice()).unwrap_or_default();
    ports.iter().filter_map(|port| tcp_port(port.name.as_deref(), port.number, port.protocol.as_deref())).collect()
}

/// The address of that interface; where its status has no such name, of the first that has one.
fn address(machine: &Machine) -> Option<String> {
    let told = &machine.status.interfaces;
    let named = interface(machine).and_then(|interface| told.iter().find(|one| one.name == interface.name));
    match named {
        Some(one) => reachable(one),
        None => told.iter().find_map(reachable),
    }
}

/// Its first address that is one for others.
fn reachable(interface: &InterfaceStatus) -> Option<String> {
    let for_others = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !(ip.is_unspecified() || ip.is_loopback() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_unspecified() || ip.is_loopback() || ip.is_unicast_link_local()),
    };
    let all = std::iter::once(&interface.ip_address).chain(&interface.ip_addresses);
    all.filter_map(|text| text.parse().ok()).find(for_others).map(|ip: IpAddr| ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What an API server tells of a machine that runs and is ready, with changes.
    fn seen(change: impl FnOnce(&mut Value)) -> Option<Observation> {
        let mut value = json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
            "metadata": {
                "uid": "0f7d1b3c-6a55-4b8e-9d0e-3a1c5d8e7f90", "namespace": "lab", "name": "wine-0",
                "creationTimestamp": "2026-11-25T12:00:00Z",
            },
            "spec": {
                "domain": {"devices": {"interfaces": [
                    {"name": "storage", "bridge": {}, "ports": [{"name": "nfs", "port": 2049}]},
                    {"name": "default", "masquerade": {}, "ports": [
                        {"name": "vnc", "port": 5901, "protocol": "TCP"}, {"port": 6080},
                        {"name": "sound", "port": 4713, "protocol": "UDP"},
                    ]},
                ]}},
                "networks": [{"name": "storage", "multus": {"networkName": "storage"}}, {"name": "default", "pod": {}}],
            },
            "status": {
                "phase": "Running", "nodeName": "one", "activePods": {"a1": "one"}, "runtimeUser": 107,
                "phaseTransitionTimestamps": [
                    {"phase": "Scheduled", "phaseTransitionTimestamp": "2026-11-25T12:00:10Z"},
                    {"phase": "Running", "phaseTransitionTimestamp": "2026-11-25T12:00:20Z"},
                ],
                "conditions": [
                    {"type": "Ready", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-25T12:00:30Z"},
                    {"type": "AgentConnected", "status": "True", "lastProbeTime": null, "lastTransitionTime": null},
                ],
                "interfaces": [
                    {"name": "storage", "ipAddress": "192.168.9.9", "ipAddresses": ["192.168.9.9"]},
                    {"name": "default", "ipAddress": "10.1.2.3", "ipAddresses": ["10.1.2.3", "fd00::3"], "mac": "02:00:00:00:00:01"},
                    {"interfaceName": "docker0", "ipAddress": "172.17.0.1"},
                ],
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
    fn a_running_machine_is_dialled_at_its_address_among_pods_by_the_names_of_its_ports() {
        let seen = seen(|_| {}).unwrap();
        assert_eq!((seen.id.as_str().len(), seen.about.name.as_str()), (36, "lab/wine-0"));
        assert_eq!((seen.state, seen.health), (EngineState::Running, EngineHealth::Healthy));
        assert_eq!(seen.about.ip_address.as_deref(), Some("10.1.2.3"));
        let dialled: Vec<_> =
            seen.about.endpoints.iter().map(|(name, one)| (name.as_str(), one.address.clone().unwrap())).collect();
        let expected = [("novnc", "10.1.2.3:6080"), ("vnc", "10.1.2.3:5901")];
        assert_eq!(dialled, expected.map(|(name, address)| (name, address.to_owned())));
        assert_eq!(seen.about.ports.keys().map(String::as_str).collect::<Vec<_>>(), ["5901", "6080"]);
        assert_eq!(seen.started.unwrap().to_string(), "2026-11-25T12:00:00Z");
    }

    #[test]
    fn without_ports_it_has_those_of_its_type_and_addresses_for_itself_alone_are_passed_over() {
        let seen = seen(|machine| {
            machine["spec"] = json!({"domain": {"devices": {}}});
            machine["status"]["interfaces"] = json!([
                {"ipAddress": "fe80::1", "ipAddresses": ["fe80::1", "127.0.0.1"]},
                {"ipAddress": "fe80::2", "ipAddresses": ["fe80::2", "not one", "fd00::7"]},
            ]);
        });
        assert_eq!(seen.unwrap().about.endpoints["vnc"].internal.as_deref(), Some("[fd00::7]:5900"));
    }

    #[test]
    fn a_move_to_another_node_gives_another_address_and_no_other_incarnation() {
        let before = seen(|_| {}).unwrap();
        let moved = seen(|machine| {
            machine["status"]["nodeName"] = "two".into();
            machine["status"]["activePods"] = json!({"a1": "one", "b2": "two"});
            machine["status"]["interfaces"][1] = json!({"name": "default", "ipAddress": "10.1.9.9"});
        });
        let moved = moved.unwrap();
        assert_eq!(moved.incarnation, before.incarnation);
        assert_eq!(moved.about.ip_address.as_deref(), Some("10.1.9.9"));
        let another = seen(|machine| machine["metadata"]["uid"] = "1f7d1b3c-6a55-4b8e-9d0e-3a1c5d8e7f90".into());
        assert_ne!(another.unwrap().incarnation, before.incarnation);
    }

    #[test]
    fn before_it_runs_it_is_made_and_no_more() {
        for phase in ["", "Pending", "Scheduling", "Scheduled", "WaitForSync"] {
            let seen = seen(|machine| machine["status"]["phase"] = phase.into()).unwrap();
            assert_eq!(
                (seen.state, seen.incarnation.as_str(), seen.started),
                (EngineState::Created, "", None),
                "{phase}"
            );
            assert_eq!(seen.about.endpoints["vnc"].internal, None);
        }
    }

    #[test]
    fn one_that_runs_without_an_address_is_not_ready() {
        let seen = seen(|machine| machine["status"]["interfaces"] = json!([{"name": "default"}])).unwrap();
        assert_eq!((seen.state, seen.health), (EngineState::Running, EngineHealth::Starting));
    }

    #[test]
    fn a_paused_machine_is_paused_and_an_unknown_one_is_unhealthy() {
        let pause = |machine: &mut Value| {
            let paused = json!({"type": "Paused", "status": "True"});
            machine["status"]["conditions"].as_array_mut().unwrap().push(paused);
        };
        let paused = seen(pause).unwrap();
        assert_eq!(paused.state, EngineState::Paused);
        assert_eq!(paused.incarnation, seen(|_| {}).unwrap().incarnation);
        let unknown = seen(|machine| machine["status"]["phase"] = "Unknown".into()).unwrap();
        assert_eq!((unknown.state, unknown.health), (EngineState::Running, EngineHealth::Unhealthy));
    }

    #[test]
    fn what_ended_takes_no_part_and_what_is_deleted_ends_or_is_gone_with_its_node() {
        for phase in ["Succeeded", "Failed"] {
            assert!(seen(|machine| machine["status"]["phase"] = phase.into()).is_none(), "{phase}");
        }
        let deleted = |machine: &mut Value| machine["metadata"]["deletionTimestamp"] = "2026-11-25T13:00:00Z".into();
        assert_eq!(seen(deleted).unwrap().state, EngineState::Terminating);
        let lost = seen(|machine| {
            deleted(machine);
            ready(machine, "Unknown", "2026-11-25T13:00:00Z");
        });
        assert!(lost.is_none());
    }

    #[test]
    fn readiness_is_its_health_and_one_that_never_was_ready_starts() {
        for (status, since, health) in [
            ("True", "2026-11-25T12:00:30Z", EngineHealth::Healthy),
            ("False", "2026-11-25T12:00:05Z", EngineHealth::Starting),
            ("False", "2026-11-25T12:00:21Z", EngineHealth::Starting),
            ("False", "2026-11-25T12:00:22Z", EngineHealth::Unhealthy),
            ("Unknown", "2026-11-25T12:00:05Z", EngineHealth::Unhealthy),
        ] {
            assert_eq!(seen(|machine| ready(machine, status, since)).unwrap().health, health, "{status} since {since}");
        }
        let none = seen(|machine| machine["status"]["conditions"] = json!([])).unwrap();
        assert_eq!(none.health, EngineHealth::Starting);
    }
}
