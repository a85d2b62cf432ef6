//! What an engine may tell of a container that somebody else made, for the fuzzer and for random tests.

use std::collections::{BTreeMap, HashMap};

use super::{
    endpoints::Host,
    inspection::observation,
    labels::{SHOWN_BYTES, shown, target_type},
};
use crate::config::DiscoveryConfig;

/// Labels make a type or none, an error names the label, and what is shown of them is bounded. Each line is a label:
/// name, `=`, value.
///
/// # Panics
/// It is not so.
pub fn labels(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
    let labels: HashMap<String, String> = text.lines().filter_map(pair).collect();
    let narrow = DiscoveryConfig { compose_project: Some("lab".to_owned()), ..DiscoveryConfig::default() };
    for rules in [DiscoveryConfig::default(), narrow] {
        if let Err(wrong) = target_type(&labels, &rules) {
            let wrong = wrong.to_string();
            assert!([&rules.label, &rules.guide_label].iter().any(|label| wrong.contains(*label)), "{wrong}");
            assert!(wrong.len() < 1024, "{wrong}");
        }
        let shown = shown(labels.clone(), &rules);
        let bytes: usize = shown.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(bytes <= SHOWN_BYTES, "{bytes} bytes are shown");
        assert!(shown.iter().all(|(name, value)| labels.get(name) == Some(value)), "what is shown is what was there");
    }
}

/// An engine's answer about a container is understood or refused.
///
/// # Panics
/// It makes the provider panic.
pub fn inspection(data: &[u8]) {
    let Ok(found) = serde_json::from_slice(data) else { return };
    let host = Host { advertised: None, engine: "127.0.0.1".to_owned() };
    let ports = BTreeMap::from([("vnc".to_owned(), 5900), ("novnc".to_owned(), 6080)]);
    let target_type = "wine".parse().expect("a type");
    if let Ok(seen) = observation(found, target_type, BTreeMap::new(), &ports, &host) {
        assert!(seen.about.endpoints.len() <= ports.len(), "{:?}", seen.about.endpoints);
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    proptest! {
        #[test]
        fn any_labels_make_a_type_or_none(
            names in vec(prop_oneof![
                select(vec![
                    "leasehold.type", "legacy-use.target-type", "legacy-use.scalable", "com.docker.compose.service",
                    "com.docker.compose.project", "com.docker.compose.oneoff",
                ]).prop_map(str::to_owned),
                any::<String>(),
            ], 0..12),
            values in vec(prop_oneof![
                select(vec!["wine", "Wine", "false", "True", "wine-target", "-target", "linux-machine", "lab", ""])
                    .prop_map(str::to_owned),
                any::<String>(),
                select(vec!["x".repeat(3000), "y".repeat(1300)]),
            ], 12),
        ) {
            let lines: Vec<_> = names.iter().zip(&values).map(|(name, value)| format!("{name}={value}")).collect();
            super::labels(lines.join("\n").as_bytes());
        }

        #[test]
        fn any_ports_and_networks_are_understood_or_refused(
            id in "[a-z0-9]{0,70}",
            port in "[0-9]{0,6}(/tcp|/udp|/x)?",
            host_port in "[0-9-]{0,7}",
            address in "([0-9.:a-f]{0,20}|0.0.0.0|::)",
            mode in select(vec!["host", "bridge", "none", ""]),
        ) {
            super::inspection(serde_json::json!({
                "Id": id, "Name": "/x",
                "State": {"Status": "running", "StartedAt": "2026-11-23T21:00:00Z"},
                "HostConfig": {"NetworkMode": mode},
                "NetworkSettings": {
                    "Ports": {port.as_str(): [{"HostIp": address, "HostPort": host_port}], "5900/tcp": null},
                    "Networks": {"a": {"IPAddress": address}, "b": null},
                },
            }).to_string().as_bytes());
        }
    }
}
