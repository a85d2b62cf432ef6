//! What an API server may tell of pods and virtual machines that somebody else made, for the fuzzer and for random tests.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;

use super::{known::Place, kubevirt::Machine, object::Lent, pod::main_container};

/// What is told of a pod is understood or refused.
///
/// # Panics
/// It makes the provider panic.
pub fn pod(data: &[u8]) {
    let Some(pod) = object::<Pod>(data) else { return };
    let named = pod.spec.iter().flat_map(|spec| &spec.containers).map(|container| container.name.as_str());
    assert!(main_container(&pod).is_none_or(|main| named.into_iter().any(|name| name == main)));
}

/// What is told of a virtual machine is understood or refused.
///
/// # Panics
/// It makes the provider panic.
pub fn machine(data: &[u8]) {
    object::<Machine>(data);
}

/// Nothing that ended is seen, and nothing is dialled at an address that is not shown.
fn object<K: Lent>(data: &[u8]) -> Option<K> {
    let object: K = serde_json::from_slice(data).ok()?;
    let ports = BTreeMap::from([("vnc".to_owned(), 5900), ("novnc".to_owned(), 6080)]);
    let target_type = "wine".parse().expect("a type");
    let seen = object.observation(target_type, BTreeMap::new(), &ports).ok().flatten();
    if let Some(seen) = &seen {
        let about = &seen.about;
        let dialled = about.endpoints.values().filter_map(|endpoint| endpoint.address.as_deref());
        for address in dialled {
            let ip = about.ip_address.as_deref().expect("an address that is shown");
            assert!(address.contains(ip), "{address} is not at {ip}");
        }
        assert!(about.ports.is_empty() || about.ip_address.is_some(), "{:?}", about.ports);
        assert!(seen.incarnation.is_empty() || seen.incarnation.len() == 32, "{}", seen.incarnation);
        assert!(Place::of(&object, 0).is_none_or(|(id, _)| id == seen.id), "another id");
    }
    object.stands_for_another();
    Some(object)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use serde_json::{Value, json};

    fn times() -> impl Strategy<Value = Value> {
        select(vec![
            json!("2026-11-25T12:00:00Z"),
            json!("-009999-01-02T01:59:59Z"),
            json!("9999-12-30T22:00:00.999999999Z"),
            Value::Null,
        ])
    }

    fn words() -> impl Strategy<Value = String> {
        let known = [
            "", "True", "False", "Unknown", "Ready", "Paused", "Running", "Pending", "Failed", "TCP", "vnc", "default",
        ];
        prop_oneof![select(known.map(str::to_owned).to_vec()), any::<String>()]
    }

    fn addresses() -> impl Strategy<Value = String> {
        prop_oneof![
            select(vec!["", "10.1.2.3", "fd00::7", "fe80::1", "0.0.0.0"]).prop_map(str::to_owned),
            any::<String>()
        ]
    }

    proptest! {
        #[test]
        fn any_pod_is_understood_or_refused(
            uid in "[a-z0-9-]{0,70}", words in vec(words(), 6), ip in addresses(), times in vec(times(), 4), port in any::<i32>(),
        ) {
            super::pod(json!({
                "metadata": {"uid": uid, "name": words[0], "creationTimestamp": times[0], "deletionTimestamp": times[1],
                    "annotations": {"kubectl.kubernetes.io/default-container": words[1]}, "labels": {"kubevirt.io": words[2]}},
                "spec": {"containers": [{"name": words[1], "ports": [{"name": words[3], "containerPort": port, "protocol": words[4]}]}]},
                "status": {"phase": words[5], "podIP": ip, "startTime": times[2],
                    "conditions": [{"type": "Ready", "status": words[4], "lastTransitionTime": times[3]}],
                    "containerStatuses": [{"name": words[1], "containerID": words[0], "image": "", "imageID": "", "ready": true,
                        "restartCount": 0, "state": {"running": {}}}]},
            }).to_string().as_bytes());
        }

        #[test]
        fn any_machine_is_understood_or_refused(
            uid in "[a-z0-9-]{0,70}", words in vec(words(), 8), ips in vec(addresses(), 3), times in vec(times(), 4), port in any::<i32>(),
        ) {
            super::machine(json!({
                "metadata": {"uid": uid, "name": words[0], "creationTimestamp": times[0], "deletionTimestamp": times[1]},
                "spec": {"domain": {"devices": {"interfaces": [
                    {"name": words[1], "ports": [{"name": words[2], "port": port, "protocol": words[3]}]}]}},
                    "networks": [{"name": words[4], "pod": {}}]},
                "status": {"phase": words[5], "phaseTransitionTimestamps": [{"phase": words[5], "phaseTransitionTimestamp": times[2]}],
                    "conditions": [{"type": words[6], "status": words[7], "lastTransitionTime": times[3]}],
                    "interfaces": [{"name": words[1], "ipAddress": ips[0], "ipAddresses": [ips[1], ips[2]]}]},
            }).to_string().as_bytes());
        }

        #[test]
        fn what_is_no_object_is_refused(data in vec(any::<u8>(), 0..200)) {
            super::pod(&data);
            super::machine(&data);
        }
    }
}
